package witness

import (
	"bytes"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/tracefile"
	"github.com/vitrine-tls/vitrine/wire"
)

func TestMain(m *testing.M) { leak.Main(m) }

// A queue takes so many and no more while its writer stands still; all that it took are written
// before it is done, in their order.
func TestQueue(t *testing.T) {
	var written, taken []int
	begun, goOn := make(chan struct{}), make(chan struct{})
	q := NewQueue(func(one int) {
		if one == 0 {
			close(begun)
			<-goOn
		}
		written = append(written, one)
	})
	q.Put(0)
	<-begun
	taken = append(taken, 0)
	for i := 1; q.Put(i); i++ {
		taken = append(taken, i)
	}
	if len(taken) != 1+Waiting {
		t.Errorf("%d are taken", len(taken))
	}
	done := q.Stop()
	close(goOn)
	<-done
	if !slices.Equal(written, taken) {
		t.Errorf("written are %v", written)
	}
}

// What a client says is not kept.
func TestListenKeepsNoData(t *testing.T) {
	const said = "a secret of a client"
	collector, hooks := Listen()
	for _, content := range []wire.ContentType{wire.ContentHandshake, wire.ContentApplicationData} {
		hooks.Record(trace.Record{Type: content, Plain: []byte(said)})
	}
	if hooks.Connection != nil {
		t.Error("the hooks are given out again for another connection")
	}
	var saved bytes.Buffer
	if err := collector.Save(tracefile.NewWriter(&saved, false), explain.About{}); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(saved.String(), hex.EncodeToString([]byte(said))); n != 1 {
		t.Errorf("%d of two records are kept with their content", n)
	}
}
