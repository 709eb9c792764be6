package certcheck

import (
	"bytes"
	"crypto/x509"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// constraintRules are about the names for which an authority may issue certificates.
var constraintRules = []Rule{
	{
		Name: "name-constraints", Demands: "the leaf's names, and those of authorities below, are among those that each authority may certify",
		Source: "RFC 5280 §4.2.1.10, §6.1.3 (b), (c)", Alert: wire.AlertBadCertificate,
		Hint: "have it issued by an authority whose name constraints allow the name", on: onAuthority, check: checkConstraints,
		account: invalidFor(x509.CANotAuthorizedForThisName),
	},
	{
		Name: "name-constraints-form", Demands: "name constraints can be read, and have no minimum or maximum",
		Source: "RFC 5280 §4.2.1.10", Alert: wire.AlertBadCertificate, Hint: reissueAuthority, on: onAuthority,
		check: func(_ *path, c *x509.Certificate) string {
			_, err := constraintsOf(c)
			return broken(err != nil, "the name constraints of the authority %s are malformed", c)
		},
	},
	{
		// Many write it, and mean the names below that domain alone; so it is read.
		Name: "name-constraints-dot", Demands: "the DNS names of name constraints begin with no dot", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1.10", Alert: wire.AlertBadCertificate, Hint: reissueAuthority, on: onAuthority,
		check: func(_ *path, c *x509.Certificate) string {
			limits, _ := constraintsOf(c)
			dotted := slices.ContainsFunc(slices.Concat(limits.permitted, limits.excluded), func(g general) bool {
				return g.kind == dnsName && bytes.HasPrefix(g.value, []byte("."))
			})
			return broken(dotted, "a DNS name in the name constraints of the authority %s begins with a dot", c)
		},
	},
}
