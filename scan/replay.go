package scan

import (
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/internal/passive"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A chunk is what one side put on the wire at a moment.
type chunk struct {
	from  wire.Role
	at    time.Time
	bytes []byte
}

// log keeps what goes over the wire.
func (c *conversation) log(from wire.Role, b []byte) {
	if len(b) > 0 {
		c.a.wire = append(c.a.wire, chunk{from, time.Now(), slices.Clone(b)})
	}
}

// Replay calls hooks with the events of the probe's connection, as a client would have
// reported them; explain.Collector makes an account of them. at, unless it is nil, is
// told the time before each event. What a probe cannot open, it reports as unopened.
func (a *Answer) Replay(hooks *trace.Hooks, at func(time.Time)) {
	known := &passive.Keys{}
	for _, line := range a.keyLog {
		known.AddLine([]byte(line))
	}
	l := passive.New(hooks, known, nil)
	now := a.Began
	for _, c := range a.wire {
		if now = c.at; at != nil {
			at(now)
		}
		l.Data(c.from, now, c.bytes)
	}
	if a.End == Closed {
		l.End(wire.Server, now)
	}
	l.Stop(now)
}

// KeyLog are the secrets of the probe's connection as lines of a key log (RFC 9850), with
// which a capture of it opens.
func (a *Answer) KeyLog() []string { return slices.Clone(a.keyLog) }

// Received is all that the server has sent, as it was on the wire.
func (a *Answer) Received() []byte {
	var b []byte
	for _, c := range a.wire {
		if c.from == wire.Server {
			b = append(b, c.bytes...)
		}
	}
	return b
}
