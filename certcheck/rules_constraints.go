package certcheck

import (
	"crypto/x509"

	"github.com/vitrine-tls/vitrine/wire"
)

// constraintRules are about the names for which an authority may issue certificates.
var constraintRules = []Rule{
	{
		Name: "name-constraints", Demands: "the leaf's names, and those of authorities below, are among those that each authority may certify",
		Source: "RFC 5280 §4.2.1.10, §6.1.3 (b), (c)", Alert: wire.AlertBadCertificate,
		Hint: "have it issued by an authority whose name constraints allow the name", on: onAuthority, check: checkConstraints,
	},
	{
		Name: "name-constraints-form", Demands: "name constraints can be read, and have no minimum or maximum",
		Source: "RFC 5280 §4.2.1.10", Alert: wire.AlertBadCertificate, Hint: reissueAuthority, on: onAuthority,
		check: func(_ *path, c *x509.Certificate) string {
			_, err := constraintsOf(c)
			return broken(err != nil, "the name constraints of the authority %s are malformed", c)
		},
	},
}
