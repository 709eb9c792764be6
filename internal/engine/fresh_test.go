package engine

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// What is drawn for a handshake is not drawn again: the randoms of both sides (but
// for the last eight bytes, which may be the sign of a downgrade), session IDs, and
// the cookies of a retry. RFC 8446 §4.1.2, RFC 5246 §7.4.1.2.
func TestRandomsAreFresh(t *testing.T) {
	cookie := func(c, s *host) {
		c.config.Groups, s.config.RetryCookie = []wire.NamedGroup{wire.GroupP384, wire.GroupP256}, true
		s.config.Groups = []wire.NamedGroup{wire.GroupP256}
	}
	for _, v := range []wire.Version{wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13} {
		hosts, drawn := hostsOld(v, ids), 3 // with the session ID
		if handshake.ProfileOf(v).Updates {
			hosts = only(v, cookie)
		}
		seen := map[string]bool{}
		note := func(b []byte) { seen[fmt.Sprintf("%x", b)] = true }
		for n := 1; n <= 3; n++ {
			c, s := hosts(t)
			l := &link{client: newSide(wire.Client, c, on(wire.TypeClientHello, func(raw []byte) [][]byte {
				var m wire.ClientHello
				if err := wire.Decode(&m, raw[wire.HeaderLen:], wire.Context{}, nil); err != nil {
					t.Fatal(err)
				}
				m.Extensions.Read(wire.ExtCookie, func(r *wire.Reader) { note(wire.ReadCookie(r)) })
				note(m.Random[:24])
				return [][]byte{raw}
			})), server: newSide(wire.Server, s, on(wire.TypeServerHello, func(raw []byte) [][]byte {
				if random := raw[wire.HeaderLen+2:][:24]; !bytes.HasPrefix(wire.HelloRetryRandom[:], random) {
					note(random)
				}
				return [][]byte{raw}
			}))}
			l.run()
			if !l.client.Done() || !l.server.Done() {
				t.Fatalf("%v: %v, %v", v, l.client.err, l.server.err)
			}
			for id := range s.ids {
				note([]byte(id))
			}
			if len(seen) != n*drawn {
				t.Errorf("%v: of %d numbers drawn for %d handshakes, %d are different", v, n*drawn, n, len(seen))
			}
		}
	}
}
