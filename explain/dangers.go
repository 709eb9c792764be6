package explain

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// dangers are what a connection should not use any more, and what that opens the
// door to.
var dangers = []struct {
	of    func(*handshake) bool
	words string
}{
	{func(hs *handshake) bool { return hs.version == wire.SSL30 },
		"SSL 3.0 is broken: it does not check its padding, so an attacker can read a secret that is sent repeatedly, byte by byte (POODLE)"},
	{func(hs *handshake) bool {
		return hs.version == wire.TLS10 && hs.suite != nil && hs.suite.Cipher.Block != nil
	},
		"TLS 1.0 is deprecated (RFC 8996): its handshake relies on MD5 and SHA-1, and the IVs of its records are predictable (BEAST)"},
	{func(hs *handshake) bool {
		return hs.version == wire.TLS10 && (hs.suite == nil || hs.suite.Cipher.Block == nil)
	},
		"TLS 1.0 is deprecated (RFC 8996): its handshake relies on MD5 and SHA-1"},
	{func(hs *handshake) bool { return hs.version == wire.TLS11 },
		"TLS 1.1 is deprecated (RFC 8996): its handshake relies on MD5 and SHA-1"},
	{needs("NullCiphers"), "nothing is encrypted: anyone on the path can read it all (NULL cipher)"},
	{needs("Anonymous"), "nobody is authenticated: anyone on the path can pretend to be the peer (anonymous key exchange)"},
	{func(hs *handshake) bool { return hs.suite != nil && hs.suite.Auth == suite.AuthDSS && hs.exchanged() },
		"the server signs with DSA, and how long that takes depends on its key: an attacker who measures it often enough may find the key"},
	{needs("DES"), "DES has keys of 56 bits: an attacker can try all of them in a day"},
	{needs("RC4"), "RC4's key stream is biased: an attacker can read what is sent often enough (RC4 NOMORE)"},
	{needs("TripleDES"), "3DES has blocks of 64 bits: after some gigabytes, collisions reveal plaintext (Sweet32)"},
	{needs("MD5"), "the MAC of the records uses MD5, whose collisions take seconds to find"},
	{(*handshake).compressed, "compression: the length of a record tells an attacker whether a guess matches a secret in it (CRIME)"},
	{func(hs *handshake) bool { return hs.exchange == wire.KeyExchangeRSA && hs.exchanged() },
		"no forward secrecy: anyone who gets the key of the server's certificate later can read a recording of this connection (static RSA)"},
	{func(hs *handshake) bool { return hs.exchange == wire.KeyExchangeRSAPSK },
		"no forward secrecy: anyone who gets the pre-shared key and the key of the server's certificate later can read a recording of this connection"},
	{func(hs *handshake) bool { return hs.exchange == wire.KeyExchangePSK },
		"no forward secrecy: anyone who gets the pre-shared key later can read a recording of this connection"},
	{func(hs *handshake) bool { n := hs.dhBits(); return 0 < n && n < 2048 },
		"the Diffie-Hellman group has fewer than 2,048 bits: enough hardware can compute its secrets (Logjam)"},
	{func(hs *handshake) bool {
		return hs.before != nil && !hs.late && !hs.answer.Extensions.Has(wire.ExtRenegotiationInfo)
	}, "a renegotiation without renegotiation_info: an attacker could have put a connection of their own before it (CVE-2009-3555)"},
}

// needs reports that the suite needs a switch of that name to be used at all.
func needs(name string) func(*handshake) bool {
	return func(hs *handshake) bool { return hs.suite != nil && slices.Contains(hs.suite.Switches, name) }
}

// exchanged reports that there was a key exchange: a resumption has none.
func (hs *handshake) exchanged() bool {
	if hs.torn && (hs.transcript.Find(wire.TypeServerHelloDone, wire.Server) >= 0 || hs.transcript.Find(wire.TypeCertificate, wire.Server) >= 0) {
		return true // what follows these is missing
	}
	return hs.transcript.Find(wire.TypeClientKeyExchange, wire.Client) >= 0
}

// dhBits is the size of the finite field; 0 where there is none.
func (hs *handshake) dhBits() int {
	p, ok := hs.transcript.last(wire.TypeServerKeyExchange, wire.Server).(*wire.ServerKeyExchange)
	if !ok {
		return 0
	}
	return dhBits(p.P)
}

// warn adds the dangers of all handshakes to the warnings, each once.
func (c *Connection) warn() {
	for _, hs := range c.handshakes {
		if hs.answer == nil || hs.late {
			continue
		}
		for _, d := range dangers {
			if d.of(hs) && !slices.Contains(c.Warnings, d.words) {
				c.Warnings = append(c.Warnings, d.words)
			}
		}
	}
}
