package attacks

import (
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Raccoon (CVE-2020-1968): up to TLS 1.2 the zeros in front of a Diffie-Hellman
// secret are cut off, which shows in the time of the PRF. An attacker who may ask
// again and again about one key of the server can find the secret. So no key is
// used for a second handshake, by either side, in any kind of exchange.
func TestRaccoonKeysAreFresh(t *testing.T) {
	seen := map[wire.KeyExchange]bool{}
	for _, s := range suite.All() {
		for _, v := range []wire.Version{wire.TLS10, wire.TLS12, wire.TLS13} {
			if kx := s.KeyExchange; !s.Allows(v) || kx.Share() == wire.ShareNone && kx != wire.KeyExchangeNone || seen[kx] && v != wire.TLS10 {
				continue
			}
			seen[s.KeyExchange] = true
			for _, groups := range [][]tls.CurveID{nil, {tls.CurveID(wire.GroupFFDHE2048), tls.X25519}} {
				client, server := configs(s, v)
				client.CurvePreferences, server.CurvePreferences = groups, groups
				var shares []string
				note := &trace.Hooks{Message: func(m trace.Message) {
					if m.Dir == trace.Sent {
						shares = append(shares, sharesOf(t, m)...)
					}
				}}
				client.Trace, server.Trace = note, note
				for range 3 {
					bubble(t, func(t *testing.T) { connect(t, client, server, nil).well(t) })
				}
				if len(shares) < 6 {
					t.Fatalf("%s: %d shares in three handshakes", s.Name, len(shares))
				}
				if slices.Sort(shares); len(slices.Compact(shares)) != len(shares) {
					t.Errorf("%s: a key was used again", s.Name)
				}
			}
		}
	}
}

// sharesOf are the public keys in a message.
func sharesOf(t *testing.T, m trace.Message) (out []string) {
	msg, err := wire.DecodeMessage(m.Raw, m.Context, nil)
	if err != nil {
		t.Fatal(err)
	}
	var x wire.Extensions
	switch msg := msg.(type) {
	case *wire.ServerKeyExchange:
		return []string{string(msg.Share)}
	case *wire.ClientKeyExchange:
		return []string{string(msg.Exchange)}
	case *wire.ClientHello:
		x = msg.Extensions
		x.Read(wire.ExtKeyShare, func(r *wire.Reader) {
			for _, e := range wire.ReadKeyShares(r, nil) {
				out = append(out, string(e.Share))
			}
		})
	case *wire.ServerHello:
		x = msg.Extensions
		x.Read(wire.ExtKeyShare, func(r *wire.Reader) { out = append(out, string(wire.ReadKeyShare(r).Share)) })
	}
	return out
}
