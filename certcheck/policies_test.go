package certcheck

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// constrained is policyConstraints: numbers below 0 are left out. RFC 5280 §4.2.1.11.
func constrained(explicit, mapping int) forge.Ext {
	return forge.Ext{ID: forge.IDPolicyConstraint, Critical: true, Value: forge.Sequence(numbered(0, explicit), numbered(1, mapping))}
}

func numbered(tag uint8, n int) []byte {
	if n < 0 {
		return nil
	}
	return []byte{0x80 | tag, 1, byte(n)}
}

func inhibitAny(n int) forge.Ext {
	var b cryptobyte.Builder
	b.AddASN1Int64(int64(n))
	return forge.Ext{ID: forge.IDInhibitAnyPolicy, Critical: true, Value: b.BytesOrPanic()}
}

// mapping maps the first of each pair, the issuer's, to the second.
func mapping(pairs ...[2]asn1.ObjectIdentifier) forge.Ext {
	var parts [][]byte
	for _, p := range pairs {
		parts = append(parts, forge.Sequence(forge.OID(p[0]...), forge.OID(p[1]...)))
	}
	return forge.Ext{ID: forge.IDPolicyMappings, Critical: true, Value: forge.Sequence(parts...)}
}

var (
	policyA, policyB = asn1.ObjectIdentifier{1, 2, 3, 1}, asn1.ObjectIdentifier{1, 2, 3, 2}
	anyID            = asn1.ObjectIdentifier{2, 5, 29, 32, 0}
	domainPolicy     = asn1.ObjectIdentifier{2, 23, 140, 1, 2, 1} // what forge's chains have
)

var policyBreaches = []attempt{
	{rule: "policies", name: "demanded, and another on the leaf", change: func(c *forge.Chain) {
		c.Intermediate.Replace(forge.Policies(policyA))
		c.Intermediate.Replace(constrained(0, -1))
	}, breach: "no certificate policy"},
	{rule: "policies", name: "by option", change: func(*forge.Chain) {}, option: func(o *Options) { o.Policies = []x509.OID{oid(1, 2, 3, 1)} }, breach: "no certificate policy"},
	{rule: "policies", name: "too many", change: func(c *forge.Chain) {
		many := []asn1.ObjectIdentifier{domainPolicy}
		for i := range maxPolicies {
			many = append(many, asn1.ObjectIdentifier{1, 2, 4, i})
		}
		c.Leaf.Replace(forge.Policies(many...))
		c.Intermediate.Replace(constrained(0, -1))
	}, breach: "more than 256 policies"},
	{rule: "policy-mapping-any", name: "to any", change: intermediateOf(with(mapping([2]asn1.ObjectIdentifier{policyA, anyID}))), breach: "maps a policy to anyPolicy"},
	{rule: "policy-mapping-any", name: "from any", change: intermediateOf(with(mapping([2]asn1.ObjectIdentifier{anyID, policyA}))), breach: "maps a policy to anyPolicy"},
}

// policyCases are paths of root, authority, authority and leaf.
var policyCases = []struct {
	name               string
	upper, lower, leaf []forge.Ext
	wanted             []asn1.ObjectIdentifier
	good               bool
}{
	{name: "nothing is demanded", good: true},
	{name: "demanded, and none named", upper: []forge.Ext{constrained(0, -1)}},
	{name: "one all along", upper: []forge.Ext{constrained(0, -1), forge.Policies(policyA)}, lower: []forge.Ext{forge.Policies(policyA)}, leaf: []forge.Ext{forge.Policies(policyA, policyB)}, good: true},
	{name: "none in the middle", upper: []forge.Ext{constrained(0, -1), forge.Policies(policyA)}, leaf: []forge.Ext{forge.Policies(policyA)}},
	{name: "any in the middle", upper: []forge.Ext{constrained(0, -1), forge.Policies(policyA)}, lower: []forge.Ext{forge.Policies(anyID)}, leaf: []forge.Ext{forge.Policies(policyA)}, good: true},
	{name: "any in the middle, inhibited", upper: []forge.Ext{constrained(0, -1), inhibitAny(0), forge.Policies(policyA)}, lower: []forge.Ext{forge.Policies(anyID)}, leaf: []forge.Ext{forge.Policies(policyA)}},
	{name: "any in the middle, inhibited one later", upper: []forge.Ext{constrained(0, -1), inhibitAny(1), forge.Policies(policyA)}, lower: []forge.Ext{forge.Policies(anyID)}, leaf: []forge.Ext{forge.Policies(policyA)}, good: true},
	{name: "any on the leaf, inhibited one later", upper: []forge.Ext{constrained(0, -1), inhibitAny(1), forge.Policies(policyA)}, lower: []forge.Ext{forge.Policies(policyA)}, leaf: []forge.Ext{forge.Policies(anyID)}},
	{name: "demanded two below", upper: []forge.Ext{constrained(2, -1)}},
	{name: "demanded three below", upper: []forge.Ext{constrained(3, -1)}, good: true},
	{name: "demanded by the leaf of itself", leaf: []forge.Ext{constrained(0, -1)}},
	{name: "mapped", upper: []forge.Ext{constrained(0, -1), forge.Policies(policyA), mapping([2]asn1.ObjectIdentifier{policyA, policyB})}, lower: []forge.Ext{forge.Policies(policyB)}, leaf: []forge.Ext{forge.Policies(policyB)}, good: true},
	{name: "mapped away", upper: []forge.Ext{constrained(0, -1), forge.Policies(policyA), mapping([2]asn1.ObjectIdentifier{policyA, policyB})}, lower: []forge.Ext{forge.Policies(policyA)}, leaf: []forge.Ext{forge.Policies(policyA)}},
	{name: "mapped though inhibited", upper: []forge.Ext{constrained(0, 0), forge.Policies(policyA)}, lower: []forge.Ext{forge.Policies(policyA), mapping([2]asn1.ObjectIdentifier{policyA, policyB})}, leaf: []forge.Ext{forge.Policies(policyB)}},
	{name: "asked for, in the root's words", wanted: []asn1.ObjectIdentifier{policyA}, upper: []forge.Ext{forge.Policies(policyA), mapping([2]asn1.ObjectIdentifier{policyA, policyB})}, lower: []forge.Ext{forge.Policies(policyB)}, leaf: []forge.Ext{forge.Policies(policyB)}, good: true},
	{name: "asked for, in the leaf's words", wanted: []asn1.ObjectIdentifier{policyB}, upper: []forge.Ext{forge.Policies(policyA), mapping([2]asn1.ObjectIdentifier{policyA, policyB})}, lower: []forge.Ext{forge.Policies(policyB)}, leaf: []forge.Ext{forge.Policies(policyB)}},
	{name: "asked for, and any all along", wanted: []asn1.ObjectIdentifier{policyB}, upper: []forge.Ext{forge.Policies(anyID)}, lower: []forge.Ext{forge.Policies(anyID)}, leaf: []forge.Ext{forge.Policies(anyID)}, good: true},
}

// policyPath makes the path of a case.
func policyPath(t testing.TB, upper, lower, leaf []forge.Ext, wanted []asn1.ObjectIdentifier) *path {
	t.Helper()
	c := forge.NewChain(now)
	for _, one := range []*forge.Cert{&c.Root, &c.Intermediate, &c.Leaf} {
		one.Remove(forge.IDPolicies)
	}
	below := c.Intermediate
	below.Extensions = slices.Clone(below.Extensions)
	above := &c.Intermediate
	above.Replace(forge.BasicConstraints(true, -1))
	below.Issuer, below.Subject = above.Subject, forge.Name("Lower")
	c.Leaf.Issuer = below.Subject
	add := func(to *forge.Cert, extensions []forge.Ext) {
		for _, e := range extensions {
			to.Replace(e)
		}
	}
	add(above, upper)
	add(&below, lower)
	add(&c.Leaf, leaf)
	var certs []*x509.Certificate
	for _, der := range [][]byte{c.Leaf.Sign(c.IntermediateKey), below.Sign(c.IntermediateKey), above.Sign(c.RootKey), c.Root.Sign(c.RootKey)} {
		one, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, one)
	}
	o := &Options{}
	for _, id := range wanted {
		arcs := make([]uint64, len(id))
		for i, n := range id {
			arcs[i] = uint64(n)
		}
		o.Policies = append(o.Policies, oid(arcs...))
	}
	return &path{chain: certs, o: o}
}

func TestPolicies(t *testing.T) {
	for _, tc := range policyCases {
		p := policyPath(t, tc.upper, tc.lower, tc.leaf, tc.wanted)
		if breach := checkPolicies(p, p.chain[0]); (breach == "") != tc.good {
			t.Errorf("%s: %q, want good %v", tc.name, breach, tc.good)
		}
	}
}

// crypto/x509 has the graph of RFC 9618, and thinks the same of policies at random.
func TestPoliciesAsCryptoX509(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	ids := []asn1.ObjectIdentifier{policyA, policyB, {1, 2, 3, 3}, anyID}
	some := func(authority bool) (extensions []forge.Ext) {
		var named []asn1.ObjectIdentifier
		for _, id := range ids {
			if random.IntN(3) > 0 {
				named = append(named, id)
			}
		}
		if len(named) > 0 && random.IntN(8) > 0 {
			extensions = append(extensions, forge.Policies(named...))
		}
		if authority && random.IntN(2) == 0 {
			var pairs [][2]asn1.ObjectIdentifier
			for range 1 + random.IntN(3) {
				pairs = append(pairs, [2]asn1.ObjectIdentifier{ids[random.IntN(3)], ids[random.IntN(3)]})
			}
			extensions = append(extensions, mapping(pairs...))
		}
		if explicit, inhibit := random.IntN(5)-2, random.IntN(5)-2; authority && (explicit >= 0 || inhibit >= 0) {
			extensions = append(extensions, constrained(explicit, inhibit))
		}
		if authority && random.IntN(3) == 0 {
			extensions = append(extensions, inhibitAny(random.IntN(3)))
		}
		return extensions
	}
	good := 0
	const n = 600
	for i := range n {
		upper, lower, leaf := some(true), some(true), some(false)
		var wanted []asn1.ObjectIdentifier
		if random.IntN(3) == 0 {
			wanted = []asn1.ObjectIdentifier{ids[random.IntN(3)]}
		}
		if wanted != nil { // which for crypto/x509 counts only where an authority demands a policy
			upper = append(upper, constrained(0, -1))
		}
		p := policyPath(t, upper, lower, leaf, wanted)
		roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
		roots.AddCert(p.chain[3])
		intermediates.AddCert(p.chain[1])
		intermediates.AddCert(p.chain[2])
		o := x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: now, CertificatePolicies: p.o.Policies}
		_, std := p.chain[0].Verify(o)
		if std != nil && !strings.Contains(fmt.Sprint(std), "policies") {
			t.Fatal(std)
		}
		ours := checkPolicies(p, p.chain[0])
		if (ours == "") != (std == nil) {
			t.Errorf("chain %d: %q, and crypto/x509: %v\n%v\n%v\n%v wanted %v", i, ours, std, upper, lower, leaf, wanted)
		}
		if ours == "" {
			good++
		}
	}
	if good < n/10 || good > n*9/10 {
		t.Errorf("%d of %d are good: that compares little", good, n)
	}
}
