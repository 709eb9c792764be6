package suite

import (
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// flaws are the reasons to leave a suite out, the gravest first. A suite without
// any is a default.
var flaws = []struct {
	of func(*Suite) bool
	// needs is the field of Config.Legacy that lets the suite in. It is empty
	// where the application need only list the suite.
	needs string
	why   string // a clause for people, which names the attack
}{
	{func(s *Suite) bool { return s.Cipher == null }, "NullCiphers",
		"nothing is encrypted, so anyone on the path reads it all"},
	{func(s *Suite) bool { return s.Auth == AuthAnon }, "Anonymous",
		"nobody is authenticated, so anyone on the path can be the peer"},
	{func(s *Suite) bool { return s.Cipher == singleDES }, "DES",
		"DES has keys of 56 bits, and all of them can be tried in a day"},
	{func(s *Suite) bool { return s.Cipher == rc4128 }, "RC4",
		"RC4's key stream is biased, and what is sent often enough can be read from it (RC4 NOMORE)"},
	{func(s *Suite) bool { return s.Cipher == tripleDES }, "TripleDES",
		"3DES has blocks of 64 bits, and long connections leak through their collisions (Sweet32)"},
	{func(s *Suite) bool { return s.MAC == hmacMD5 }, "MD5",
		"its MAC is built on MD5, for which collisions take seconds"},
	{func(s *Suite) bool { return s.KeyExchange.Encrypted() }, "RSAKeyExchange",
		"RSA key exchange has no forward secrecy, and a server that decrypts is a Bleichenbacher oracle waiting for a slip"},

	{func(s *Suite) bool { return s.KeyExchange == wire.KeyExchangePSK }, "",
		"it needs a key that both sides share beforehand, and anyone who gets that key later reads all that was recorded"},
	{func(s *Suite) bool { return s.KeyExchange.PSK() }, "",
		"it needs a key that both sides share beforehand"},
	{func(s *Suite) bool { return s.IsAEAD() && s.Cipher.TagLen < 16 }, "",
		"its tag has only 8 bytes, where 16 are usual: one forgery in 2^64 gets through"},
	{func(s *Suite) bool { return s.Cipher.Block != nil }, "",
		"CBC mode with MAC-then-encrypt has been broken through its padding again and again (Lucky 13)"},
	{func(s *Suite) bool { return s.Auth == AuthDSS }, "",
		"a DSA key is given away by one signature with a nonce that repeats or is guessed, and most have 1024 bits"},
	{func(s *Suite) bool { return s.KeyExchange.Share() == wire.ShareDH }, "",
		"DHE costs more than ECDHE, and without RFC 7919 the server alone picks the group, which may be a weak one (Logjam)"},
	{func(s *Suite) bool { return strings.Contains(s.Cipher.Name, "CCM") }, "",
		"AES-CCM is several times slower than AES-GCM and no stronger"},
}

// judge fills in what follows from the flaws of s: the switches of all grave
// ones with their reasons, or the first of the lesser reasons.
func (s *Suite) judge() {
	var grave, lesser []string
	for _, f := range flaws {
		switch {
		case !f.of(s):
		case f.needs != "":
			s.Switches = append(s.Switches, f.needs)
			grave = append(grave, f.why)
		default:
			lesser = append(lesser, f.why)
		}
	}
	switch {
	case grave != nil:
		s.WhyNot = strings.Join(grave, "; ")
	case lesser != nil:
		s.WhyNot = lesser[0]
	default:
		s.Default = true
	}
}
