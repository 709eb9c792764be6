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
		"SSL 3.0 is broken: it does not check its padding, so a secret that is sent again and again can be read byte by byte (POODLE)"},
	{func(hs *handshake) bool {
		return hs.version == wire.TLS10 && hs.suite != nil && hs.suite.Cipher.Block != nil
	},
		"TLS 1.0 is deprecated (RFC 8996): its handshake rests on MD5 and SHA-1, and the IVs of its records can be foreseen (BEAST)"},
	{func(hs *handshake) bool {
		return hs.version == wire.TLS10 && (hs.suite == nil || hs.suite.Cipher.Block == nil)
	},
		"TLS 1.0 is deprecated (RFC 8996): its handshake rests on MD5 and SHA-1"},
	{func(hs *handshake) bool { return hs.version == wire.TLS11 },
		"TLS 1.1 is deprecated (RFC 8996): its handshake rests on MD5 and SHA-1"},
	{needs("NullCiphers"), "nothing is encrypted: whoever is on the path reads it all (NULL cipher)"},
	{needs("Anonymous"), "nobody is authenticated: whoever is on the path can be the peer (anonymous key exchange)"},
	{func(hs *handshake) bool { return hs.suite != nil && hs.suite.Auth == suite.AuthDSS && hs.exchanged() },
		"the server signs with DSA, in a time that depends on its key; who can measure that often enough may find the key"},
	{needs("DES"), "DES has keys of 56 bits: all of them can be tried in a day"},
	{needs("RC4"), "RC4's key stream is biased: what is sent often enough can be read from it (RC4 NOMORE)"},
	{needs("TripleDES"), "3DES has blocks of 64 bits: after some gigabytes their collisions give plaintext away (Sweet32)"},
	{needs("MD5"), "the MAC of the records is built on MD5, for which collisions take seconds"},
	{(*handshake).compressed, "compression: the length of a record tells whether a guess is part of a secret beside it (CRIME)"},
	{func(hs *handshake) bool { return hs.exchange == wire.KeyExchangeRSA && hs.exchanged() },
		"no forward secrecy: whoever gets the key of the server's certificate later can read what was recorded of this connection (static RSA)"},
	{func(hs *handshake) bool { return hs.exchange == wire.KeyExchangeRSAPSK },
		"no forward secrecy: whoever gets the pre-shared key and that of the server's certificate later can read what was recorded of this connection"},
	{func(hs *handshake) bool { return hs.exchange == wire.KeyExchangePSK },
		"no forward secrecy: whoever gets the pre-shared key later can read what was recorded of this connection"},
	{func(hs *handshake) bool { n := hs.dhBits(); return 0 < n && n < 2048 },
		"the Diffie-Hellman group has less than 2,048 bits: with enough hardware its secrets can be computed (Logjam)"},
	{func(hs *handshake) bool {
		return hs.before != nil && !hs.late && !hs.answer.Extensions.Has(wire.ExtRenegotiationInfo)
	}, "a renegotiation without renegotiation_info: somebody could have put his own connection before it (CVE-2009-3555)"},
}

// needs reports that the suite needs a switch of that name to be used at all.
func needs(name string) func(*handshake) bool {
	return func(hs *handshake) bool { return hs.suite != nil && slices.Contains(hs.suite.Switches, name) }
}

// exchanged reports that there was a key exchange: a resumption has none.
func (hs *handshake) exchanged() bool {
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
