package certcheck

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// policyRules are about certificate policies, which count only where an authority of the
// path, or the one who asks, demands that there be one.
var policyRules = []Rule{
	{
		Name: "policies", Demands: "where an authority of the path or Options.Policies demands a policy, one holds from the root to the leaf",
		Source: "RFC 5280 §6.1, RFC 9618", Alert: wire.AlertBadCertificate, Hint: "have it issued under a policy that every authority of the path names",
		on: onPath, whole: true, check: checkPolicies, account: invalidFor(x509.NoValidChains),
	},
	{
		Name: "policy-mapping-any", Demands: "no policy is mapped to anyPolicy, or from it",
		Source: "RFC 5280 §6.1.4 (a)", Alert: wire.AlertBadCertificate, Hint: reissueAuthority, on: onIntermediate,
		check: func(_ *path, c *x509.Certificate) string {
			mapped := slices.ContainsFunc(c.PolicyMappings, func(m x509.PolicyMapping) bool {
				return m.IssuerDomainPolicy.Equal(anyPolicy) || m.SubjectDomainPolicy.Equal(anyPolicy)
			})
			return broken(mapped, "the authority %s maps a policy to anyPolicy, or from it", c)
		},
	},
}

var anyPolicy = oid(2, 5, 29, 32, 0)

// oid is for what stands in this source.
func oid(arcs ...uint64) x509.OID {
	id, _ := x509.OIDFromInts(arcs)
	return id
}

// maxPolicies is how many policies, and how many mappings, of one certificate are read where
// they count.
const maxPolicies = 256

// policies are those under which a path may go on, from the root downward. Other than the
// tree of RFC 5280 §6.1, and as the graph of RFC 9618, they never grow beyond what one
// certificate has.
type policies struct {
	// expected has the policies that the next certificate may name, and of each whether it
	// comes from one, in the root's words, that was asked for.
	expected map[string]bool
	any      bool // anyPolicy is among them
	ok       func(x509.OID) bool

	// How many more certificates may go by, those issued to themselves not counted, before
	// there must be a policy, none may be mapped, and anyPolicy counts no longer.
	explicit, mapping, anyLeft int
}

// checkPolicies walks from the root to the leaf. RFC 5280 §6.1.2 to §6.1.5.
func checkPolicies(p *path, leaf *x509.Certificate) string {
	n := len(p.chain) - 1
	if n == 0 || !policyDemanded(p) {
		return ""
	}
	s := policies{expected: map[string]bool{}, any: true, ok: p.o.wantsPolicy, explicit: n + 1, mapping: n + 1, anyLeft: n + 1}
	if p.o.Policies != nil {
		s.explicit = 0
	}
	for i := n - 1; i >= 0; i-- {
		c := p.chain[i]
		if len(c.Policies) > maxPolicies || len(c.PolicyMappings) > maxPolicies {
			return fmt.Sprintf("%s has more than %d policies", subject(c), maxPolicies)
		}
		own := bytes.Equal(c.RawIssuer, c.RawSubject)
		s.name(c, s.anyLeft > 0 || i > 0 && own)
		if i > 0 {
			s.mapped(c)
			s.count(c, own)
		}
	}
	if leaf.RequireExplicitPolicyZero || s.explicit <= 1 {
		if !s.hold() {
			return fmt.Sprintf("there is no certificate policy under which %s was issued all the way from the root, and one is demanded", subject(leaf))
		}
	}
	return ""
}

// policyDemanded reports whether anything can come of policies at all.
func policyDemanded(p *path) bool {
	return p.o.Policies != nil || slices.ContainsFunc(p.chain[:len(p.chain)-1], func(c *x509.Certificate) bool {
		return c.RequireExplicitPolicy > 0 || c.RequireExplicitPolicyZero
	})
}

func (o *Options) wantsPolicy(id x509.OID) bool {
	return o.Policies == nil || slices.ContainsFunc(o.Policies, func(p x509.OID) bool { return p.Equal(id) || p.Equal(anyPolicy) })
}

// name goes through the policies that c names. RFC 9618 §5.1.
func (s *policies) name(c *x509.Certificate, anyCounts bool) {
	before, wasAny := s.expected, s.any
	s.expected, s.any = map[string]bool{}, false
	for _, id := range c.Policies {
		if id.Equal(anyPolicy) {
			s.any = wasAny && anyCounts
			continue
		}
		key := id.String()
		if good, ok := before[key]; ok {
			s.expected[key] = good
		} else if wasAny {
			s.expected[key] = s.ok(id)
		}
	}
	if anyCounts && slices.ContainsFunc(c.Policies, anyPolicy.Equal) {
		for key, good := range before {
			if _, named := s.expected[key]; !named {
				s.expected[key] = good
			}
		}
	}
}

// mapped puts the policies of c's subject in the place of its issuer's. RFC 5280 §6.1.4 (b).
func (s *policies) mapped(c *x509.Certificate) {
	next := map[string]bool{}
	gone := map[string]bool{}
	for _, m := range c.PolicyMappings {
		from := m.IssuerDomainPolicy.String()
		gone[from] = true
		good, ok := s.expected[from]
		if !ok && s.any {
			good, ok = s.ok(m.IssuerDomainPolicy), true
		}
		if ok && s.mapping > 0 {
			to := m.SubjectDomainPolicy.String()
			next[to] = next[to] || good
		}
	}
	for key, good := range s.expected {
		if !gone[key] {
			next[key] = next[key] || good
		}
	}
	s.expected = next
}

// count has one certificate gone by. RFC 5280 §6.1.4 (h) to (j).
func (s *policies) count(c *x509.Certificate, own bool) {
	for _, n := range []*int{&s.explicit, &s.mapping, &s.anyLeft} {
		if !own && *n > 0 {
			*n--
		}
	}
	lower := func(n *int, to int, zero bool) {
		if to > 0 || zero {
			*n = min(*n, to)
		}
	}
	lower(&s.explicit, c.RequireExplicitPolicy, c.RequireExplicitPolicyZero)
	lower(&s.mapping, c.InhibitPolicyMapping, c.InhibitPolicyMappingZero)
	lower(&s.anyLeft, c.InhibitAnyPolicy, c.InhibitAnyPolicyZero)
}

// hold reports whether there is a policy that was asked for. RFC 5280 §6.1.5 (g).
func (s *policies) hold() bool {
	if s.any {
		return true
	}
	for _, good := range s.expected {
		if good {
			return true
		}
	}
	return false
}
