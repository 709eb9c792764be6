package proxy

import (
	"io"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// A successor that has taken over is not ended when its time to come is over.
func TestASuccessorThatCameStays(t *testing.T) {
	seen, err := newOperators(&config.Config{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer seen.close()
	s := &service{seen: seen}
	late := time.AfterFunc(time.Hour, func() {})
	s.late.Store(late)
	s.handedOver(1)
	if late.Stop() {
		t.Error("it is ended later")
	}
}
