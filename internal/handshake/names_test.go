package handshake

import (
	"strings"
	"testing"
)

// What a peer offers reaches errors and logs, so it is shown up to a bound.
func TestLongListsAreCut(t *testing.T) {
	offer := make([][]byte, 20000)
	for i := range offer {
		offer[i] = []byte("x")
	}
	err := disagree(0, "application protocol", "", []string{"h2"}, offer, "").Error()
	if len(err) > 1000 || !strings.Contains(err, "and 19968 more") {
		t.Errorf("%d bytes: %.200s", len(err), err)
	}
}
