package tls

import (
	"strings"
	"testing"
)

// TestQUIC connects each kind of client with each kind of server, and sees what events both
// sides have, in their order.
func TestQUIC(t *testing.T) {
	const client = "data Initial, write Handshake, read Handshake, parameters, data Handshake, write Application, done, read Application"
	const server = "parameters, data Initial, write Handshake, read Handshake, data Handshake, write Application, done, read Application"
	for name, std := range map[string]struct{ client, server bool }{
		"ours with ours": {}, "our client": {server: true}, "our server": {client: true},
	} {
		t.Run(name, func(t *testing.T) {
			clientConfig, serverConfig := quicConfigs()
			ends := func(c *Config, std, server bool) *quicPlayer {
				if std {
					return theirsQUIC(t, c, server)
				}
				return oursQUIC(t, &QUICConfig{TLSConfig: c}, server)
			}
			c, s := ends(clientConfig, std.client, false), ends(serverConfig, std.server, true)
			if err := runQUIC(c, s); err != nil {
				t.Fatal(err)
			}
			checkQUIC(t, c, s)
			if got := strings.Join(c.log, ", "); got != client {
				t.Errorf("the client's events are\n%s\nwanted\n%s", got, client)
			}
			if got := strings.Join(s.log, ", "); got != server {
				t.Errorf("the server's events are\n%s\nwanted\n%s", got, server)
			}
		})
	}
}
