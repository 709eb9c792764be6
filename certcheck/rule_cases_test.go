package certcheck

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

func leafOf(f func(*forge.Cert)) func(*forge.Chain) { return func(c *forge.Chain) { f(&c.Leaf) } }
func intermediateOf(f func(*forge.Cert)) func(*forge.Chain) {
	return func(c *forge.Chain) { f(&c.Intermediate) }
}
func rootOf(f func(*forge.Cert)) func(*forge.Chain) { return func(c *forge.Chain) { f(&c.Root) } }

func with(e forge.Ext) func(*forge.Cert)                 { return func(c *forge.Cert) { c.Replace(e) } }
func without(id asn1.ObjectIdentifier) func(*forge.Cert) { return func(c *forge.Cert) { c.Remove(id) } }

func marked(critical bool, e forge.Ext) func(*forge.Cert) {
	e.Critical = critical
	return with(e)
}

var strengthBreaches = []attempt{
	{rule: "rsa-size", name: "leaf of 1024 bits", change: leafOf(func(c *forge.Cert) { c.Key = rsa1024().Public() }), breach: `the RSA key of "example.com" has 1024 bits`, with: []string{"web-key"}},
	{rule: "rsa-size", name: "by option", change: leafOf(func(c *forge.Cert) { c.Key = rsa1024().Public() }), option: func(o *Options) { o.MinRSABits = 1025 }, breach: "at least 1025", with: []string{"web-key"}},
	{rule: "rsa-exponent", name: "one", change: leafOf(func(c *forge.Cert) { c.Key = rsaKey(1) }), breach: "exponent is 1"},
	{rule: "rsa-exponent", name: "even", change: leafOf(func(c *forge.Cert) { c.Key = rsaKey(65536) }), breach: "even"},
	{rule: "signature-named", name: "SHA-224 on the leaf", change: leafOf(func(c *forge.Cert) { c.Hash = crypto.SHA224 }), breach: `"example.com" is signed by ecdsa_sha224, which is off`, with: []string{"web-signature"}},
	{rule: "signature-hash", name: "SHA-1 on the leaf", change: leafOf(func(c *forge.Cert) { c.Hash = crypto.SHA1 }), breach: `"example.com" is signed with ECDSA-SHA1, which can be forged`, with: []string{"web-signature"}},
	{rule: "signature-hash", name: "SHA-1 on the intermediate", change: intermediateOf(func(c *forge.Cert) { c.Hash = crypto.SHA1 }), breach: `"Intermediate" is signed with ECDSA-SHA1`, with: []string{"web-signature"}},
	{rule: "web-signature", name: "SHA-1 by option", change: leafOf(func(c *forge.Cert) { c.Hash = crypto.SHA1 }), option: func(o *Options) { o.LegacySignatures = true }, breach: `"example.com" is signed with ECDSA-SHA1`},
	{rule: "web-key", name: "P-224", change: leafOf(func(c *forge.Cert) { c.Key = p224() }), breach: "P-224"},
	{rule: "web-key", name: "Ed25519", change: leafOf(func(c *forge.Cert) { c.Key = newKey().Public() }), breach: "neither RSA nor ECDSA"},
}

// mldsaKey is a SubjectPublicKeyInfo of ML-DSA-44.
func mldsaKey() []byte {
	return otherkeys.NewMLDSAKey(otherkeys.MLDSA44, make([]byte, otherkeys.MLDSASeedSize)).Public().(otherkeys.MLDSAPublicKey).Info()
}

// rsaKey is a SubjectPublicKeyInfo of 2048 bits with an exponent of choice.
func rsaKey(e int64) []byte {
	n := new(big.Int).Lsh(big.NewInt(3), 2046)
	n.SetBit(n, 0, 1)
	key, err := asn1.Marshal(struct{ N, E *big.Int }{n, big.NewInt(e)})
	if err != nil {
		panic(err)
	}
	bits, err := asn1.Marshal(asn1.BitString{Bytes: key, BitLength: 8 * len(key)})
	if err != nil {
		panic(err)
	}
	return forge.Sequence(forge.Sequence(forge.OID(1, 2, 840, 113549, 1, 1, 1), []byte{5, 0}), bits)
}

func p224() any {
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return key.Public()
}

var authorityBreaches = []attempt{
	{rule: "ca-flag", name: "cA is false", change: intermediateOf(with(forge.BasicConstraints(false, -1))), breach: "is not an authority"},
	{rule: "ca-flag", name: "no basicConstraints", change: intermediateOf(without(forge.IDBasicConstraints)), breach: "is not an authority"},
	{rule: "root-ca-flag", name: "no basicConstraints", change: rootOf(without(forge.IDBasicConstraints)), breach: "does not say that it is an authority"},
	{rule: "root-version", name: "version 1", change: rootOf(func(c *forge.Cert) { c.Version, c.Extensions = 1, nil }), breach: "cannot say", with: []string{"version-3", "authority-key-usage", "subject-key-id"}},
	{rule: "cert-sign", name: "intermediate", change: intermediateOf(with(forge.KeyUsage(0, 6))), breach: "not for signing certificates", with: []string{"path-length-place"}},
	{rule: "cert-sign", name: "root", change: rootOf(with(forge.KeyUsage(6))), breach: "not for signing certificates"},
	{rule: "authority-key-usage", name: "intermediate", change: intermediateOf(without(forge.IDKeyUsage)), breach: "has no key usage", with: []string{"path-length-place"}},
	{rule: "authority-key-usage", name: "root", change: rootOf(without(forge.IDKeyUsage)), breach: "has no key usage"},
	{rule: "path-length", name: "root", change: rootOf(with(forge.BasicConstraints(true, 0))), breach: "may have at most 0 authorities below it, and has 1"},
	{rule: "path-length-place", name: "a leaf", change: leafOf(with(forge.BasicConstraints(false, 0))), breach: "has a path length"},
	{rule: "leaf-cert-sign", name: "a leaf", change: leafOf(with(forge.KeyUsage(0, 5))), breach: "has keyCertSign"},
	{rule: "leaf-is-authority", name: "a leaf", change: leafOf(with(forge.BasicConstraints(true, -1))), breach: "is an authority"},
	{rule: "authority-names", name: "a common name alone", change: func(c *forge.Chain) {
		c.Root.Subject, c.Root.Issuer, c.Intermediate.Issuer = forge.Name("R"), forge.Name("R"), forge.Name("R")
	}, breach: "lacks a country"},
}

var identityBreaches = []attempt{
	{rule: "serial-length", name: "21 octets", change: leafOf(func(c *forge.Cert) { c.Serial = append([]byte{1}, make([]byte, 20)...) }), breach: "21 octets"},
	{rule: "serial-length", name: "20 octets and a sign", change: leafOf(func(c *forge.Cert) { c.Serial = append([]byte{0, 0x80}, make([]byte, 19)...) }), breach: "21 octets"},
	{rule: "serial-positive", name: "zero", change: leafOf(func(c *forge.Cert) { c.Serial = []byte{0} }), breach: "not positive", with: []string{"serial-random"}},
	{rule: "serial-random", name: "seven octets", change: intermediateOf(func(c *forge.Cert) { c.Serial = []byte{1, 2, 3, 4, 5, 6, 7} }), breach: "too short"},
	{rule: "subject-name", name: "a leaf", change: leafOf(func(c *forge.Cert) { c.Subject = forge.Name("") }), breach: "subjectAltName is not critical"},
	{rule: "subject-key-id", name: "intermediate", change: intermediateOf(without(forge.IDSubjectKey)), breach: "no subject key identifier"},
	{rule: "authority-key-id", name: "leaf", change: leafOf(without(forge.IDAuthorityKey)), breach: "no authority key identifier"},
	{rule: "key-ids-agree", name: "leaf", change: leafOf(with(forge.AuthorityKey([]byte{1, 2, 3}))), breach: "another key of its issuer"},
	{rule: "unique-ids", name: "of the issuer", change: leafOf(func(c *forge.Cert) { c.UniqueID = []byte{1} }), breach: "unique identifier"},
	{rule: "version", name: "2 with extensions", change: leafOf(func(c *forge.Cert) { c.Version = 2 }), breach: "not of version 3", with: []string{"*"}},
	{rule: "version-3", name: "root of version 1", change: rootOf(func(c *forge.Cert) { c.Version, c.Extensions = 1, nil }), breach: "not of version 3", with: []string{"root-version", "authority-key-usage", "subject-key-id"}},
	{rule: "issuer-name", name: "all empty", change: func(c *forge.Chain) {
		c.Root.Subject, c.Root.Issuer, c.Intermediate.Issuer = forge.Name(""), forge.Name(""), forge.Name("")
	}, breach: "has no name", with: []string{"subject-name", "authority-names"}},
}

var pinBreaches = []attempt{
	{rule: "pins", name: "another key", change: func(*forge.Chain) {}, option: func(o *Options) { o.Pins = []Pin{{1}} }, breach: "among those that are pinned"},
}

var timeBreaches = []attempt{
	{rule: "validity-limit", name: "a second too long", change: func(*forge.Chain) {}, option: func(o *Options) { o.MaxValidity = 60 * day }, breach: "longer than 1440h0m0s"},
	{rule: "valid-now", name: "leaf expired", change: leafOf(func(c *forge.Cert) { c.NotAfter = forge.Time(now.Add(-day)) }), breach: "the certificate expired 1 day ago"},
	{rule: "valid-now", name: "leaf of tomorrow", change: leafOf(func(c *forge.Cert) { c.NotBefore = forge.Time(now.Add(day)) }), breach: "becomes valid only in 1 day"},
	{rule: "valid-now", name: "intermediate expired", change: intermediateOf(func(c *forge.Cert) { c.NotAfter = forge.Time(now.Add(-day)) }), breach: `the authority "Intermediate" expired`},
	{rule: "valid-now", name: "root expired", change: rootOf(func(c *forge.Cert) { c.NotAfter = forge.Time(now.Add(-day)) }), breach: `the authority "Root" expired`},
	{rule: "time-form", name: "a GeneralizedTime too early", change: leafOf(func(c *forge.Cert) { c.NotAfter = forge.GeneralizedTime(now.Add(day)) }), breach: "another form"},
	{rule: "time-form", name: "without seconds", change: rootOf(func(c *forge.Cert) { c.NotBefore = []byte("\x17\x0b1601010000Z") }), breach: "another form"},
	{rule: "time-form", name: "with an offset", change: intermediateOf(func(c *forge.Cert) { c.NotBefore = []byte("\x17\x11160101000000+0100") }), breach: "another form"},
	{rule: "validity-length", name: "1186 days in 2016", change: leafOf(func(c *forge.Cert) { c.NotAfter = forge.Time(now.AddDate(0, 0, 1186-30)) }), breach: "1185 are allowed"},
	{rule: "validity-length", name: "201 days in 2026", change: func(c *forge.Chain) {
		for _, one := range []*forge.Cert{&c.Leaf, &c.Intermediate, &c.Root} {
			one.NotBefore, one.NotAfter = forge.Time(date(2026, 4, 1)), forge.Time(date(2026, 4, 1).AddDate(0, 0, 201))
		}
	}, option: func(o *Options) { o.Time = date(2026, 5, 1) }, breach: "200 are allowed"},
}

var usageBreaches = []attempt{
	{rule: "purpose", name: "a leaf for clients", change: leafOf(with(forge.ExtKeyUsage(forge.ClientAuth))), breach: `"example.com" is not meant for this use`, with: []string{"purpose-named"}},
	{rule: "purpose", name: "an intermediate for clients", change: intermediateOf(with(forge.ExtKeyUsage(forge.ClientAuth))), breach: `"Intermediate" is not meant for this use`, with: []string{"purpose-named"}},
	{rule: "purpose", name: "a root for clients", change: rootOf(with(forge.ExtKeyUsage(forge.ClientAuth))), breach: `"Root" is not meant for this use`},
	{rule: "mldsa-usage", name: "a leaf that is to open secrets", change: leafOf(func(c *forge.Cert) {
		c.Key = mldsaKey()
		with(forge.KeyUsage(0, 2))(c)
	}), breach: "said to be for more than signing", with: []string{"web-key"}},
	{rule: "purpose-named", name: "a leaf for all", change: leafOf(without(forge.IDExtKeyUsage)), breach: "does not say that it is for servers"},
	{rule: "purpose-any", name: "a leaf for any", change: leafOf(with(forge.ExtKeyUsage(forge.ServerAuth, forge.AnyUsage))), breach: "for any purpose"},
}

var extensionBreaches = []attempt{
	{rule: "precertificate", name: "a leaf", change: leafOf(with(forge.Ext{ID: idPrecertificatePois, Critical: true, Value: []byte{5, 0}})), breach: "a precertificate"},
	{rule: "critical-flags", name: "basicConstraints", change: intermediateOf(marked(false, forge.BasicConstraints(true, 0))), breach: "has to be"},
	{rule: "critical-flags", name: "nameConstraints", change: intermediateOf(marked(false, forge.NameConstraints([][]byte{forge.DNS("example.com")}, nil))), breach: "has to be"},
	{rule: "critical-flags", name: "inhibitAnyPolicy", change: intermediateOf(with(forge.Ext{ID: forge.IDInhibitAnyPolicy, Value: []byte{2, 1, 0}})), breach: "has to be"},
	{rule: "critical-flags", name: "freshestCRL", change: leafOf(marked(true, forge.FreshestAt("http://crl.example/d"))), breach: "must not be", with: []string{"critical-known"}},
	{rule: "critical-known", name: "one that nobody knows", change: intermediateOf(marked(true, forge.Ext{ID: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}})), breach: "not known here (1.2.3)"},
	{rule: "critical-known", name: "of the root", change: rootOf(marked(true, forge.Ext{ID: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}})), breach: "not known here (1.2.3)"},
	{rule: "critical-known", name: "names of unknown kinds alone", change: leafOf(marked(true, forge.SAN([]byte{0x88, 3, 1, 2, 3}))), breach: "not known here (2.5.29.17)", with: []string{"name", "web-names", "common-name"}},
	{rule: "authority-extensions", name: "nameConstraints in a leaf", change: leafOf(with(forge.NameConstraints([][]byte{forge.DNS("example.com")}, nil))), breach: "has nameConstraints and is not an authority"},
	{rule: "key-usage-empty", name: "a leaf", change: leafOf(with(forge.Ext{ID: forge.IDKeyUsage, Critical: true, Value: []byte{3, 2, 7, 0}})), breach: "no use at all"},
	{rule: "features-inherited", name: "of the intermediate", change: intermediateOf(with(forge.MustStaple())), breach: "lacks the TLS feature 5"},
	{rule: "features-inherited", name: "of the root", change: rootOf(with(forge.MustStaple())), breach: "lacks the TLS feature 5"},
	{rule: "key-usage-critical", name: "a leaf", change: leafOf(marked(false, forge.KeyUsage(0))), breach: "is not critical"},
	{rule: "revocation-source", name: "a leaf", change: leafOf(without(forge.IDCRLDistribution)), breach: "where to ask"},
	{rule: "policy-present", name: "none", change: leafOf(without(forge.IDPolicies)), breach: "names no policy"},
	{rule: "policy-present", name: "another", change: leafOf(with(forge.Policies([]int{1, 2, 3, 4}))), breach: "names no policy"},
}

var nameBreaches = []attempt{
	{rule: "name", name: "another", change: leafOf(with(forge.SAN(forge.DNS("example.org")))), breach: `for "example.org"; not for "example.com"`, with: []string{"common-name"}},
	{rule: "san-empty", name: "no name", change: leafOf(with(forge.SAN())), breach: "is empty", with: []string{"name", "web-names", "common-name"}},
	{rule: "dns-syntax", name: "an empty label", change: leafOf(with(forge.SAN(forge.DNS("example.com"), forge.DNS("a..example.com")))), breach: "empty label"},
	{rule: "dns-syntax", name: "part of a label", change: leafOf(with(forge.SAN(forge.DNS("example.com"), forge.DNS("w*.example.com")))), breach: "no name has"},
	{rule: "public-suffix", name: "a top-level domain", change: leafOf(with(forge.SAN(forge.DNS("example.com"), forge.DNS("*.com")))), breach: "domains of everybody"},
	{rule: "public-suffix", name: "by option", change: leafOf(with(forge.SAN(forge.DNS("example.com"), forge.DNS("*.CO.uk")))), option: func(o *Options) { o.PublicSuffix = func(d string) bool { return d == "co.uk" } }, breach: "domains of everybody"},
	{rule: "web-names", name: "mail", change: leafOf(with(forge.SAN(forge.DNS("example.com"), forge.Email("a@example.com")))), breach: "another kind"},
	{rule: "name-constraints-dot", name: "permitted", change: rootOf(with(forge.NameConstraints([][]byte{forge.DNS("example.com"), forge.DNS(".example.com")}, nil))), breach: "begins with a dot"},
	{rule: "dns-syntax", name: "an underscore", change: leafOf(with(forge.SAN(forge.DNS("example.com"), forge.DNS("a_b.example.com")))), breach: "underscore"},
	{rule: "name-constraints", name: "excluded", change: intermediateOf(with(forge.NameConstraints(nil, [][]byte{forge.DNS("www.example.com")}))), breach: `"www.example.com": it is excluded`},
	{rule: "name-constraints", name: "not permitted by the root", change: rootOf(with(forge.NameConstraints([][]byte{forge.DNS("example.org")}, nil))), breach: "not among what is permitted"},
	{rule: "name-constraints", name: "a directory name", change: intermediateOf(with(forge.NameConstraints(nil, [][]byte{forge.Directory(forge.Name("example.com"))}))), breach: "excluded"},
	{rule: "name-constraints-form", name: "a maximum", change: intermediateOf(with(forge.Ext{ID: forge.IDNameConstraints, Critical: true,
		Value: forge.Sequence(forge.Tagged(0xa0, forge.Sequence(forge.DNS("example.com"), []byte{0x81, 1, 3})))})), breach: "malformed"},
}

// crypto/x509 reads no negative serial numbers, so that part of the rule is asked of a
// value.
func TestSerialPositive(t *testing.T) {
	leaf, _, _ := forge.NewChain(now).DER()
	c, err := x509.ParseCertificate(leaf)
	if err != nil {
		t.Fatal(err)
	}
	for n, good := range map[int64]bool{-1: false, 0: false, 1: true} {
		c.SerialNumber = big.NewInt(n)
		p := path{chain: []*x509.Certificate{c}, o: new(Options)}
		p.o.setDefaults()
		checks, _ := p.examine()
		for _, check := range checks {
			if check.Rule.Name == "serial-positive" && (check.Breach == "") != good {
				t.Errorf("%d: %q", n, check.Breach)
			}
		}
	}
}

func TestUniqueIDsAndVersions(t *testing.T) {
	leaf, _, _ := forge.NewChain(now).DER()
	c, err := x509.ParseCertificate(leaf)
	if err != nil {
		t.Fatal(err)
	}
	if s := scan(c); s.uniqueIDs || !s.extensions || !bytes.Equal(s.notAfter, forge.Time(now.AddDate(0, 0, 30))) {
		t.Errorf("scanned %+v", s)
	}
}
