package scan

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// schemes are the signature schemes that a hello offers, the usual ones first.
var schemes = []wire.SignatureScheme{
	wire.ECDSAP256SHA256, wire.ECDSAP384SHA384, wire.ECDSAP521SHA512, wire.Ed25519, wire.Ed448,
	wire.RSAPSSRSAESHA256, wire.RSAPSSRSAESHA384, wire.RSAPSSRSAESHA512,
	wire.RSAPSSPSSSHA256, wire.RSAPSSPSSSHA384, wire.RSAPSSPSSSHA512,
	wire.RSAPKCS1SHA256, wire.RSAPKCS1SHA384, wire.RSAPKCS1SHA512,
	wire.MLDSA44, wire.MLDSA65, wire.MLDSA87,
	wire.RSAPKCS1SHA224, wire.ECDSASHA224, wire.DSASHA256,
	wire.ECDSASHA1, wire.RSAPKCS1SHA1, wire.DSASHA1,
}

// Versions are those that a scan asks for, newest first.
var versions = []wire.Version{wire.TLS13, wire.TLS12, wire.TLS11, wire.TLS10, wire.SSL30}

// spoken are the suites of a version that package tls can speak, strongest first.
func spoken(v wire.Version) []wire.CipherSuite {
	var ids []wire.CipherSuite
	for _, s := range suite.All() {
		if s.Allows(v) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// sound reports a suite that a client of today offers.
func sound(id wire.CipherSuite) bool {
	s := suite.ByID(id)
	return s != nil && s.Default
}

// groups are all groups that this package can make keys in, in the order of preference.
func groups() []wire.NamedGroup {
	var ids []wire.NamedGroup
	for _, g := range kex.Groups() {
		ids = append(ids, g.ID)
	}
	return ids
}

// classical are those without what TLS 1.3 alone has.
func classical() []wire.NamedGroup {
	return slices.DeleteFunc(groups(), func(id wire.NamedGroup) bool { return kex.Lookup(id).PostQuantum })
}
