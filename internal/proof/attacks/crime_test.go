package attacks

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// CRIME (CVE-2012-4929): where what an attacker chooses is compressed together
// with a secret, the length of the record tells how much of the secret was
// guessed. Compression is off, and never with TLS 1.3.

// cookieRequest is a secret, and next to it what the attacker wants compared.
func cookieRequest(guess string) []byte {
	return []byte("GET /?Cookie: session=" + guess + " HTTP/1.1\r\nCookie: session=8f3a09c1d4e7\r\n" + strings.Repeat("x", 64))
}

// An attacker that sees lengths sees a right guess only where both have thrown the switch.
func TestCRIME(t *testing.T) {
	s := suite.ByID(wire.TLS_PSK_WITH_AES_128_CBC_SHA)
	for _, v := range oldVersions[1:] {
		for _, on := range [][2]bool{{false, false}, {true, false}, {false, true}, {true, true}} {
			t.Run(fmt.Sprint(v, on), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					client, server := configs(s, v)
					client.Legacy.Compression, server.Legacy.Compression = on[0], on[1]
					length := func(guess string) (n int) {
						e := connect(t, client, server, nil).well(t) // the window reaches over records
						before := len(e.records(wire.Client))
						write(t, e.client, cookieRequest(guess))
						settle()
						for _, rec := range e.records(wire.Client)[before:] {
							n += len(rec)
						}
						return n
					}
					right, wrong := length("8f3a09c1d4e7zzzzzzzzzz"), length("qwertyuiopasdfghjklmnb")
					if leaks, both := right < wrong, on[0] && on[1]; leaks != both {
						t.Errorf("a right guess makes %d bytes, a wrong one %d", right, wrong)
					}
				})
			})
		}
	}
}

// What is offered: null alone by default, in every version; and where TLS 1.3 is
// on offer, whatever the switch says.
func TestCRIMEOffer(t *testing.T) {
	for _, v := range append(oldVersions, wire.TLS13) {
		for _, on := range []bool{false, true} {
			bubble(t, func(t *testing.T) {
				client, server := defaults(suite.AuthRSA)
				client.MinVersion, client.MaxVersion, client.Legacy.SSL30, client.Legacy.Compression = uint16(v), uint16(v), true, on
				connect(t, client, server, change(wire.Context{}, func(m *wire.ClientHello) {
					want := []wire.CompressionMethod{wire.CompressionNull}
					if on && v < wire.TLS13 {
						want = []wire.CompressionMethod{wire.CompressionDeflate, wire.CompressionNull}
					}
					if !slices.Equal(m.CompressionMethods, want) {
						t.Errorf("%v, switch %v: offered %v", v, on, m.CompressionMethods)
					}
				}))
			})
		}
	}
}

// A server picks no compression of its own accord, and a client refuses one that
// it did not offer; a hello of TLS 1.3 that offers any is refused.
func TestCRIMEUnasked(t *testing.T) {
	offer := change(wire.Context{}, func(m *wire.ClientHello) {
		m.CompressionMethods = []wire.CompressionMethod{wire.CompressionDeflate, wire.CompressionNull}
	})
	answer := change(wire.Context{}, func(m *wire.ServerHello) {
		if m.CompressionMethod != wire.CompressionNull {
			t.Error("the server compresses")
		}
		m.CompressionMethod = wire.CompressionDeflate
	})
	for _, v := range append(oldVersions, wire.TLS13) {
		bubble(t, func(t *testing.T) {
			client, server := defaults(suite.AuthRSA)
			client.MinVersion, client.MaxVersion, client.Legacy.SSL30 = uint16(v), uint16(v), true
			server.MinVersion, server.Legacy = client.MinVersion, client.Legacy
			e := connect(t, client, server, func(from wire.Role, rec []byte) [][]byte {
				if from == wire.Client {
					return offer(from, rec)
				}
				return answer(from, rec)
			})
			if v == wire.TLS13 {
				refused(t, e.serverErr, wire.AlertIllegalParameter)
			} else {
				refused(t, e.clientErr, wire.AlertIllegalParameter)
			}
		})
	}
}
