package certcheck

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// fuzzed are the extensions that FuzzChain sets.
var fuzzed = []asn1.ObjectIdentifier{
	forge.IDSubjectKey, forge.IDKeyUsage, forge.IDSAN, forge.IDBasicConstraints, forge.IDNameConstraints, forge.IDPolicies, forge.IDPolicyMappings,
	forge.IDAuthorityKey, forge.IDPolicyConstraint, forge.IDExtKeyUsage, forge.IDInhibitAnyPolicy, forge.IDTLSFeature, {1, 2, 3, 4},
}

// FuzzChain signs chains of which one has an extension of any content. Verify and Judge are
// of one mind, a stricter profile accepts nothing that a laxer one does not, and every
// refusal is for people.
func FuzzChain(f *testing.F) {
	names := forge.NameConstraints([][]byte{forge.DNS("example.com"), forge.Net("192.0.2.0/24"), forge.Directory(forge.Name("x"))}, [][]byte{forge.Email("x"), forge.URI(".x")})
	f.Add(uint8(1), uint8(4), true, names.Value)
	f.Add(uint8(0), uint8(2), false, forge.SAN(forge.DNS("example.com"), forge.DNS("*.example.com"), forge.Email("a@b"), forge.URI("x://y")).Value)
	f.Add(uint8(1), uint8(3), true, forge.BasicConstraints(true, 0).Value)
	f.Add(uint8(0), uint8(1), true, forge.KeyUsage(0, 5).Value)
	f.Add(uint8(0), uint8(9), false, forge.ExtKeyUsage(forge.ServerAuth, forge.AnyUsage).Value)
	f.Add(uint8(1), uint8(8), true, []byte{0x30, 3, 0x80, 1, 0})
	f.Add(uint8(1), uint8(5), false, forge.Policies([]int{1, 2, 3}, []int{2, 5, 29, 32, 0}).Value)
	f.Add(uint8(0), uint8(7), false, forge.AuthorityKey([]byte("x")).Value)
	f.Add(uint8(2), uint8(11), false, forge.MustStaple().Value)
	f.Fuzz(func(t *testing.T, place, id uint8, critical bool, value []byte) {
		chain := forge.NewChain(now)
		cert := []*forge.Cert{&chain.Leaf, &chain.Intermediate, &chain.Root}[place%3]
		cert.Replace(forge.Ext{ID: fuzzed[int(id)%len(fuzzed)], Critical: critical, Value: value})
		leafDER, intermediateDER, rootDER := chain.DER()
		certs, err := Parse([][]byte{leafDER, intermediateDER})
		root, rootErr := x509.ParseCertificate(rootDER)
		if err != nil || rootErr != nil {
			return
		}
		pool := x509.NewCertPool()
		pool.AddCert(root)
		accepted := false
		for profile := WebPKI + 1; profile > Interoperable; {
			profile--
			o := Options{Roots: pool, Name: "example.com", Time: now, Profile: profile, Anew: true}
			_, err := Verify(context.Background(), certs, o)
			if v := Judge(context.Background(), certs, o); (v.Refused == nil) != (err == nil) {
				t.Errorf("under %v Verify says %v, and Judge %v", profile, err, v.Refused)
			}
			var e *Error
			if err != nil && (!errors.As(err, &e) || e.Reason == "" || strings.ContainsAny(err.Error(), "\n\r\x1b\x00")) {
				t.Errorf("not an error for people: %q", err)
			}
			if accepted && err != nil {
				t.Errorf("%v refuses what a stricter profile accepts: %v", profile, err)
			}
			accepted = accepted || err == nil
		}
	})
}

// FuzzConstraints holds any names against any constraints. What an excluded subtree holds
// is refused, and so is what is in no permitted one of its kind.
func FuzzConstraints(f *testing.F) {
	for _, tc := range constraintCases {
		f.Add(forge.NameConstraints([][]byte{tc.base}, nil).Value, forge.SAN(tc.name).Value)
		f.Add(forge.NameConstraints(nil, [][]byte{tc.base}).Value, forge.SAN(tc.name).Value)
	}
	f.Fuzz(func(t *testing.T, constraints, san []byte) {
		var c x509.Certificate
		c.Extensions = append(c.Extensions, pkix.Extension{Id: idNameConstraints, Value: constraints}, pkix.Extension{Id: idSAN, Value: san})
		limits, err := constraintsOf(&c)
		names, namesErr := alternatives(&c)
		if err != nil || namesErr != nil {
			return
		}
		for _, n := range names {
			excluded, limited, permitted := false, false, false
			for _, base := range limits.excluded {
				excluded = excluded || base.kind == n.kind && base.holds(n)
			}
			for _, base := range limits.permitted {
				limited = limited || base.kind == n.kind
				permitted = permitted || base.kind == n.kind && base.holds(n)
			}
			if why := limits.refuse(n); why == "" && (excluded || limited && !permitted) {
				t.Errorf("%v is allowed: excluded %v, limited %v, permitted %v", n, excluded, limited, permitted)
			}
			if strings.ContainsAny(n.String(), "\n\r\x1b\x00") {
				t.Errorf("not for people: %q", n)
			}
		}
	})
}
