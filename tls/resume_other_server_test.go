package tls

import (
	"testing"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A cache that mixes up its keys does not make a client offer one server the
// session of another, which would tell that server, and anyone who listens, of it.
func TestTheSessionOfAnotherServerIsNotOffered(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			for _, name := range []string{"example.test", "another.test"} {
				client, server := resumable(kind.version, kind.server)
				cache := new(oneSession)
				client.ClientSessionCache = cache
				resumption(t, client, server)
				cache.change(func(s *session.Session) { s.ServerName = name })
				offered := false
				again := client.Clone()
				again.Trace = &trace.Hooks{Message: func(m trace.Message) {
					if hello, ok := decoded(t, m).(*wire.ClientHello); ok {
						offered = len(hello.SessionID) > 0 && kind.version < VersionTLS13 || hello.Extensions.Has(wire.ExtPreSharedKey)
					}
				}}
				mustConnect(t, again, server)
				if want := name == "example.test"; offered != want {
					t.Errorf("the session of %s was offered to example.test: %v", name, offered)
				}
			}
		})
	}
}

// decoded is the message that the trace shows.
func decoded(t *testing.T, m trace.Message) wire.Message {
	t.Helper()
	msg, err := wire.DecodeMessage(m.Raw, m.Context, nil)
	if err != nil {
		t.Fatal(err)
	}
	return msg
}
