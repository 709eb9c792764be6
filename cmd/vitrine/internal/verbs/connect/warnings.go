package connect

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// weaknesses are what may be wrong with a connection that works; all rows that
// match count. what is a clause for people, which names the attack.
var weaknesses = []struct {
	of   func(tls.State, *suite.Suite) bool
	what func(tls.State, *suite.Suite) string
}{
	{func(s tls.State, _ *suite.Suite) bool { return s.Version == wire.SSL30 },
		always("SSL 3.0 is broken: its padding is not authenticated (POODLE)")},
	{func(s tls.State, _ *suite.Suite) bool { return s.Version == wire.TLS10 || s.Version == wire.TLS11 },
		func(s tls.State, _ *suite.Suite) string {
			return s.Version.String() + " is deprecated: its handshake rests on MD5 and SHA-1 (RFC 8996)"
		}},
	{func(_ tls.State, c *suite.Suite) bool { return len(c.Switches) > 0 },
		func(_ tls.State, c *suite.Suite) string { return c.WhyNot }},
	{func(s tls.State, c *suite.Suite) bool { return c.Cipher.Block != nil && !s.EncryptThenMAC },
		always("CBC mode with MAC-then-encrypt has been broken through its padding again and again (Lucky 13)")},
	{func(_ tls.State, c *suite.Suite) bool { return c.KeyExchange == wire.KeyExchangePSK },
		always("there is no forward secrecy: an attacker that gets the pre-shared key later can read recorded traffic")},
	{func(s tls.State, _ *suite.Suite) bool { return s.Compression != wire.CompressionNull },
		always("records are compressed, and secrets leak through their lengths (CRIME)")},
	{func(s tls.State, _ *suite.Suite) bool { return s.DHBits > 0 && s.DHBits < 2048 },
		func(s tls.State, _ *suite.Suite) string {
			return fmt.Sprintf("a group of %d bits can be broken (Logjam)", s.DHBits)
		}},
	{func(s tls.State, _ *suite.Suite) bool { return isOldTLS(s) && !s.ExtendedMasterSecret },
		always("there is no extended master secret, so the session is not bound to its handshake (triple handshake)")},
	{func(s tls.State, _ *suite.Suite) bool { return s.Version <= wire.TLS12 && !s.SecureRenegotiation },
		always("the peer does not know RFC 5746: an attacker may have put data before ours (renegotiation attack)")},
}

func always(what string) func(tls.State, *suite.Suite) string {
	return func(tls.State, *suite.Suite) string { return what }
}

func isOldTLS(s tls.State) bool { return s.Version >= wire.TLS10 && s.Version <= wire.TLS12 }

// warnings says in plain words what is weak about a connection.
func warnings(s tls.State) []string {
	var list []string
	c := suite.ByID(s.CipherSuite)
	for _, w := range weaknesses {
		if w.of(s, c) {
			list = append(list, w.what(s, c))
		}
	}
	return append(list, certs.Warnings(s)...)
}
