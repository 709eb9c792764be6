package engine

import (
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// A session that is resumed keeps its age: a client that comes back with each new ticket
// comes to an end all the same, a day after the full handshake. RFC 8446 §4.6.1.
func TestResumingDoesNotStretchASession(t *testing.T) {
	for _, v := range []wire.Version{wire.TLS12, wire.TLS13} {
		c, s := resumed(only(v, tickets))(t)
		for _, test := range []struct {
			age     time.Duration
			resumes bool
		}{{10 * time.Hour, true}, {20 * time.Hour, true}, {25 * time.Hour, false}} {
			later(test.age)(c, s)
			before := c.saved
			l := connect(c, s).run().done(t).talk(t)
			if got := l.server.Result().Resumption != handshake.ResumedNone; got != test.resumes {
				t.Errorf("%v, after %v: resumed %v", v, test.age, got)
			}
			if c.saved == before {
				t.Fatalf("%v, after %v: no new ticket", v, test.age)
			}
			c.offer = c.saved
		}
	}
}
