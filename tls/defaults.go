package tls

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// The defaults, each with its reason in SECURITY.md. A snapshot test shows any
// change of them.
var (
	defaultVersions = []wire.Version{wire.TLS13, wire.TLS12}

	allVersions = []wire.Version{wire.TLS13, wire.TLS12, wire.TLS11, wire.TLS10, wire.SSL30}

	defaultSuites = preferred(slices.DeleteFunc(suite.All(), func(s *suite.Suite) bool { return !s.Default }), suite.HasAESHardware())

	// Versions before TLS 1.2 have no better suites than those with CBC.
	defaultOldSuites = append(slices.Clone(defaultSuites), slices.DeleteFunc(suite.All(), func(s *suite.Suite) bool {
		return !s.Allows(wire.TLS10) || len(s.Switches) > 0 || !s.ForwardSecret() || !s.KeyExchange.Certificate() || s.Auth == suite.AuthDSS
	})...)

	// Post-quantum groups are first. Among the classical ones X25519 is the
	// fastest.
	defaultGroups = []wire.NamedGroup{
		wire.GroupX25519MLKEM768, wire.GroupSecP256r1MLKEM768, wire.GroupSecP384r1MLKEM1024,
		wire.GroupX25519, wire.GroupP256, wire.GroupP384, wire.GroupP521,
	}

	// The cheapest to verify are first; RSA with PKCS #1 padding is only for
	// TLS 1.2 and certificates.
	defaultSchemes = []wire.SignatureScheme{
		wire.ECDSAP256SHA256, wire.Ed25519, wire.RSAPSSRSAESHA256,
		wire.ECDSAP384SHA384, wire.ECDSAP521SHA512, wire.RSAPSSRSAESHA384, wire.RSAPSSRSAESHA512,
		wire.RSAPKCS1SHA256, wire.RSAPKCS1SHA384, wire.RSAPKCS1SHA512,
	}

	sha1Schemes = append(slices.Clone(defaultSchemes), wire.ECDSASHA1, wire.RSAPKCS1SHA1)

	// namedSchemes are of keys that few peers have. They are verified where
	// SignatureSchemes lists them; a certificate with such a key is reason enough to sign.
	// ML-DSA is among them: no public authority issues such certificates yet, and a server
	// that has one beside another would send ten times as much. Unlike a key exchange, a
	// signature cannot be broken later.
	namedSchemes = []wire.SignatureScheme{
		wire.RSAPSSPSSSHA256, wire.RSAPSSPSSSHA384, wire.RSAPSSPSSSHA512, wire.Ed448,
		wire.MLDSA44, wire.MLDSA65, wire.MLDSA87,
	}

	// clientSchemes are what a server may verify of clients, where they are listed.
	clientSchemes = []wire.SignatureScheme{wire.RSAPKCS1SHA256Legacy, wire.RSAPKCS1SHA384Legacy, wire.RSAPKCS1SHA512Legacy}

	defaultSigns = slices.Concat(defaultSchemes, namedSchemes, clientSchemes)
	sha1Signs    = slices.Concat(sha1Schemes, namedSchemes, clientSchemes)
)

// preferred puts ChaCha20-Poly1305 before AES on machines without AES
// instructions, where it is faster and leaks nothing through the cache.
func preferred(list []*suite.Suite, aes bool) []*suite.Suite {
	if aes {
		return list
	}
	var first, rest []*suite.Suite
	for _, s := range list {
		if s.Cipher.Name == "ChaCha20-Poly1305" {
			first = append(first, s)
		} else {
			rest = append(rest, s)
		}
	}
	return append(first, rest...)
}
