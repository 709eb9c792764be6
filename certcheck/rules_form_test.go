package certcheck

import (
	"bytes"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

var formBreaches = []attempt{
	{rule: "certificate-form", name: "a NULL behind the extensions", change: leafOf(func(c *forge.Cert) {
		c.Change = func(tbs []byte) []byte { return forge.Sequence(tbs[4:], []byte{5, 0}) }
	}), breach: "belong to no field", with: []string{"unique-ids"}},
	{rule: "certificate-form", name: "a NULL behind the key", change: rootOf(func(c *forge.Cert) {
		point, _ := forge.Key(3).PublicKey.Bytes()
		algorithm := forge.Sequence(forge.OID(1, 2, 840, 10045, 2, 1), forge.OID(1, 2, 840, 10045, 3, 1, 7))
		c.Key = forge.Sequence(algorithm, forge.Tagged(3, []byte{0}, point), []byte{5, 0})
	}), breach: "belong to no field"},
	{rule: "extension-form", name: "basicConstraints with more behind", change: intermediateOf(with(value(forge.BasicConstraints(true, 0), []byte{0x30, 8, 1, 1, 0xff, 2, 1, 0, 5, 0}))), breach: "basicConstraints"},
	{rule: "extension-form", name: "a name of a kind that does not exist", change: leafOf(with(forge.SAN(forge.DNS("example.com"), forge.Tagged(0x89, []byte("x"))))), breach: "subjectAltName", with: []string{"web-names"}},
	{rule: "extension-form", name: "bytes behind the names", change: leafOf(with(value(forge.SAN(), append(forge.SAN(forge.DNS("example.com")).Value, 5, 0)))), breach: "subjectAltName"},
	{rule: "extension-form", name: "no use at all", change: leafOf(with(forge.ExtKeyUsage())), breach: "extended key usage", with: []string{"purpose-named"}},
	{rule: "extension-form", name: "an explicit policy below 0", change: intermediateOf(with(forge.Ext{ID: forge.IDPolicyConstraint, Critical: true, Value: []byte{0x30, 3, 0x80, 1, 0xff}})), breach: "policyConstraints"},
	{rule: "extension-form", name: "any policy inhibited below 0", change: intermediateOf(with(forge.Ext{ID: forge.IDInhibitAnyPolicy, Critical: true, Value: []byte{2, 1, 0xff}})), breach: "inhibitAnyPolicy"},
	{rule: "policy-qualifiers", name: "one that nobody knows", change: intermediateOf(with(qualified(1, 2, 3))), breach: "not known here"},
	{rule: "der", name: "cA FALSE", change: leafOf(with(value(forge.BasicConstraints(false, -1), []byte{0x30, 3, 1, 1, 0}))), breach: "basicConstraints"},
	{rule: "der", name: "critical FALSE", change: leafOf(func(c *forge.Cert) {
		id := forge.OID(1, 2, 3, 4)
		c.Extensions = append(c.Extensions, forge.Ext{ID: []int{1, 2, 3, 4}, Critical: true, Value: []byte{5, 0}})
		c.Change = func(tbs []byte) []byte {
			return bytes.Replace(tbs, slices.Concat(id, []byte{1, 1, 0xff}), slices.Concat(id, []byte{1, 1, 0}), 1)
		}
	}), breach: "flag of an extension"},
	{rule: "der", name: "bits of zero behind the last", change: leafOf(with(value(forge.KeyUsage(0), []byte{3, 2, 0, 0x80}))), breach: "key usage"},
	{rule: "der", name: "empty policy constraints", change: intermediateOf(with(forge.Ext{ID: forge.IDPolicyConstraint, Critical: true, Value: []byte{0x30, 0}})), breach: "policyConstraints"},
	{rule: "algorithm-form", name: "ECDSA with NULL", change: leafOf(func(c *forge.Cert) {
		c.Inner = forge.Sequence(forge.OID(1, 2, 840, 10045, 4, 3, 2), []byte{5, 0})
		c.Outer = c.Inner
	}), breach: "other parameters"},
	{rule: "key-usable", name: "X25519", change: leafOf(func(c *forge.Cert) {
		c.Key = forge.Sequence(forge.Sequence(forge.OID(1, 3, 101, 110)), forge.Tagged(3, []byte{0}, bytes.Repeat([]byte{9}, 32)))
	}), breach: "of a kind that is not supported", with: []string{"web-key"}},
	{rule: "san-syntax", name: "a mail address without a domain", change: leafOf(with(forge.SAN(forge.DNS("example.com"), forge.Email("me")))), breach: "is not a mail address", with: []string{"web-names"}},
	{rule: "san-syntax", name: "a URI without a scheme", change: leafOf(with(forge.SAN(forge.DNS("example.com"), forge.URI("//example.com/")))), breach: "without a scheme", with: []string{"web-names"}},
	{rule: "common-name", name: "of somebody else", change: leafOf(func(c *forge.Cert) { c.Subject = forge.Name("example.org") }), breach: "not among its names"},
	{rule: "web-names", name: "a directory name", change: leafOf(with(forge.SAN(forge.DNS("example.com"), forge.Directory(forge.Name("x"))))), breach: "another kind"},
	{rule: "validity-length", name: "up to 9999", change: leafOf(func(c *forge.Cert) { c.NotAfter = forge.GeneralizedTime(date(9999, 12, 31)) }), breach: "1185 are allowed"},
	{rule: "key-ids-agree", name: "another serial number", change: leafOf(func(c *forge.Cert) {
		id, issuer := forge.KeyID(forge.Key(2).Public()), forge.Directory(forge.NewChain(now).Root.Subject)
		c.Replace(value(forge.AuthorityKey(nil), forge.Sequence(forge.Tagged(0x80, id), forge.Tagged(0xa1, issuer), forge.Tagged(0x82, []byte{9}))))
	}), breach: "another certificate of its issuer"},
	{rule: "key-ids-agree", name: "another issuer", change: func(c *forge.Chain) {
		c.Intermediate.Serial = []byte{0x40, 2, 3, 4, 5, 6, 7, 8, 9}
		id, issuer := forge.KeyID(forge.Key(2).Public()), forge.Directory(forge.Name("x"))
		c.Leaf.Replace(value(forge.AuthorityKey(nil), forge.Sequence(forge.Tagged(0x80, id), forge.Tagged(0xa1, issuer), forge.Tagged(0x82, c.Intermediate.Serial))))
	}, breach: "another certificate of its issuer"},
}

// What an authority promises, all that it issues must.
func TestFeaturesAreInherited(t *testing.T) {
	chain := forge.NewChain(now)
	for _, c := range []*forge.Cert{&chain.Leaf, &chain.Intermediate, &chain.Root} {
		c.Replace(forge.MustStaple())
	}
	if v := judged(t, chain, nil); v.Refused != nil {
		t.Errorf("refused: %v", v.Refused)
	}
}

// qualified are critical policies, the web's, with a qualifier of a kind.
func qualified(id ...int) forge.Ext {
	qualifier := forge.Sequence(forge.OID(id...), forge.Tagged(0x16, []byte("https://example.com/cps")))
	return forge.Ext{ID: forge.IDPolicies, Critical: true, Value: forge.Sequence(forge.Sequence(forge.OID(2, 23, 140, 1, 2, 1), forge.Sequence(qualifier)))}
}

func TestKnownQualifiers(t *testing.T) {
	chain := forge.NewChain(now)
	chain.Intermediate.Replace(qualified(1, 3, 6, 1, 5, 5, 7, 2, 1))
	chain.Leaf.Replace(qualified(1, 3, 6, 1, 5, 5, 7, 2, 2))
	if v := judged(t, chain, nil); v.Refused != nil {
		t.Errorf("refused: %v", v.Refused)
	}
}

// value returns an extension with another value.
func value(e forge.Ext, v []byte) forge.Ext { e.Value = v; return e }

// An authority key identifier may name the issuer's certificate rightly.
func TestAuthorityKeyNamesTheIssuer(t *testing.T) {
	chain := forge.NewChain(now)
	chain.Intermediate.Serial = []byte{0, 0xc0, 2, 3, 4, 5, 6, 7, 8, 9}
	id, issuer := forge.KeyID(forge.Key(2).Public()), forge.Directory(chain.Root.Subject)
	chain.Leaf.Replace(value(forge.AuthorityKey(nil), forge.Sequence(forge.Tagged(0x80, id), forge.Tagged(0xa1, issuer), forge.Tagged(0x82, chain.Intermediate.Serial))))
	if v := judged(t, chain, nil); v.Refused != nil {
		t.Errorf("refused: %v", v.Refused)
	}
}

// A version 1 that is written out stands in roots alone, which the rules for others refuse.
func TestVersionWrittenOut(t *testing.T) {
	chain := forge.NewChain(now)
	chain.Root.Extensions = nil
	chain.Root.Change = func(tbs []byte) []byte {
		return bytes.Replace(tbs, []byte{0xa0, 3, 2, 1, 2}, []byte{0xa0, 3, 2, 1, 0}, 1)
	}
	_, _, der := chain.DER()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if got := notDER(c); got != "version" {
		t.Errorf("not in DER: %q", got)
	}
}

// What a root of version 2 forbids cannot be read, so nothing is accepted of it.
func TestConstraintsOfAnOldRoot(t *testing.T) {
	chain := forge.NewChain(now)
	chain.Root.Version = 2
	chain.Root.Replace(forge.NameConstraints(nil, [][]byte{forge.DNS("example.com")}))
	v := judged(t, chain, func(o *Options) { o.Profile = Interoperable })
	if v.Refused == nil || v.Refused.Rule == nil || v.Refused.Rule.Name != "version" {
		t.Errorf("refused: %v", v.Refused)
	}
}

// A certificate is good through the whole of its last second. RFC 5280 §4.1.2.5.
func TestLastSecond(t *testing.T) {
	for wait, good := range map[time.Duration]bool{time.Second - 1: true, time.Second: false} {
		chain := forge.NewChain(now)
		chain.Leaf.NotAfter = forge.Time(now)
		v := judged(t, chain, func(o *Options) { o.Time = now.Add(wait) })
		if (v.Refused == nil) != good {
			t.Errorf("after %v: %v", wait, v.Refused)
		}
	}
}
