package explain

import (
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A trace that was changed may say that a message hides less than a message.
func TestWhatIsHiddenIsAWholeMessage(t *testing.T) {
	for _, raw := range [][]byte{nil, {1}, {1, 0, 0}, {1, 0, 0, 9}, {1, 0, 0, 0, 0}} {
		c := new(Connection)
		m := &Message{from: c.from(trace.Sent), typ: wire.TypeClientHello}
		c.Events = append(c.Events, Event{Message: m})
		if c.hides(trace.Inner{Dir: trace.Sent, Raw: raw}); m.Inner != nil {
			t.Errorf("%x is taken for a message", raw)
		}
	}
}
