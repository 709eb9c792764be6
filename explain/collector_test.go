package explain

import (
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Both directions may report at once, and the account may be asked for
// meanwhile.
func TestCollectorIsSafe(t *testing.T) {
	var c Collector
	h := c.Hooks()
	var all sync.WaitGroup
	const each = 100
	for _, dir := range []trace.Direction{trace.Sent, trace.Received} {
		all.Go(func() {
			for i := range each {
				h.Record(trace.Record{Dir: dir, Seq: uint64(i), Type: wire.ContentApplicationData, Wire: []byte{23, 3, 3, 0, 1, 'x'}, Plain: []byte("x")})
			}
		})
	}
	all.Go(func() {
		for range 10 {
			c.Connection(About{})
		}
	})
	all.Wait()
	if n := len(c.Connection(About{}).Events); n != 2*each {
		t.Errorf("%d of %d events were kept", n, 2*each)
	}
}

// A slice of an event is the engine's again after the call.
func TestCollectorCopies(t *testing.T) {
	var c Collector
	h := c.Hooks()
	b := []byte{23, 3, 3, 0, 1, 'x'}
	names := []string{"first"}
	h.Record(trace.Record{Dir: trace.Sent, Type: wire.ContentApplicationData, Wire: b, Plain: b[5:]})
	h.Message(trace.Message{Dir: trace.Sent, Raw: b})
	h.Secret(trace.Secret{Value: b, Input: b})
	h.Keys(trace.Keys{Key: b, IV: b, MAC: b})
	h.Choice(trace.Choice{Ours: names, Theirs: names})
	clear(b)
	names[0] = "second"
	e := c.Connection(About{}).Events
	for i, kept := range []Hex{e[0].Record.Wire, e[1].Message.Raw, e[2].Secret.Value, e[2].Secret.Input, e[3].Keys.Key, e[3].Keys.IV, e[3].Keys.MAC} {
		if kept.String() != "170303000178" {
			t.Errorf("slice %d has become %s", i, kept)
		}
	}
	if x := e[4].Choice; x.Ours[0] != "first" || x.Theirs[0] != "first" || e[0].Record.Plain.String() != "78" {
		t.Error("the choice's names or the plaintext have changed")
	}
}
