package tls

import (
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Hooks.Connection gives each connection hooks of its own, or none.
func TestTraceTellsConnectionsApart(t *testing.T) {
	p := testPKI()
	client, server := p.client(), p.server("ecdsa-p256")
	var seen [][]wire.HandshakeType
	client.Trace = &trace.Hooks{
		Message: func(trace.Message) { t.Error("the hooks beside Connection are called too") },
		Connection: func() *trace.Hooks {
			i := len(seen)
			seen = append(seen, nil)
			if i == 2 {
				return nil
			}
			return &trace.Hooks{Message: func(m trace.Message) { seen[i] = append(seen[i], wire.HandshakeType(m.Raw[0])) }}
		},
	}
	for range 3 {
		mustConnect(t, client, server)
	}
	if len(seen) != 3 || len(seen[2]) > 0 {
		t.Fatalf("saw %v", seen)
	}
	for _, messages := range seen[:2] {
		if len(messages) < 5 || messages[0] != wire.TypeClientHello || messages[1] != wire.TypeServerHello {
			t.Errorf("a connection's messages are %v", messages)
		}
	}
}
