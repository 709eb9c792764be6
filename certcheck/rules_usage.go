package certcheck

import (
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/wire"
)

// usageRules are about what a certificate is for: extended key usage.
var usageRules = []Rule{
	{
		Name: "purpose", Demands: "the leaf, and each authority that limits it, allow the use at hand",
		Source: "RFC 5280 §4.2.1.12", Alert: wire.AlertUnsupportedCertificate,
		Hint: "servers need one issued for server authentication, clients one for client authentication", on: onPath,
		check: checkPurpose, account: invalidFor(x509.IncompatibleUsage),
	},
	{
		Name: "mldsa-usage", Demands: "an ML-DSA key, where its usage is limited, signs, and neither encrypts nor agrees on keys", Profile: RFC5280,
		Source: "RFC 9881 §5", Alert: wire.AlertUnsupportedCertificate, Hint: "have it issued with digitalSignature alone", on: onEach,
		check: func(_ *path, c *x509.Certificate) string { return mldsaUsage(c) },
	},
	{
		Name: "purpose-named", Demands: "a server's certificate and the authorities that issue such say that they are for servers", Profile: WebPKI,
		Source: "CA/Browser Forum BR §7.1.2.7.10, §7.1.2.10.6", Alert: wire.AlertUnsupportedCertificate, Hint: reissue, on: onIssued,
		check: func(p *path, c *x509.Certificate) string {
			if !slices.Contains(p.o.Usages, x509.ExtKeyUsageServerAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
				return ""
			}
			return broken(true, "%s does not say that it is for servers (extended key usage)", c)
		},
	},
	{
		Name: "purpose-any", Demands: "no certificate is for any purpose", Profile: WebPKI,
		Source: "CA/Browser Forum BR §7.1.2.7.10", Alert: wire.AlertUnsupportedCertificate, Hint: reissue, on: onIssued,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny), "%s is for any purpose", c)
		},
	},
}

// mldsaUsage says what an ML-DSA key is allowed that it cannot do.
func mldsaUsage(c *x509.Certificate) string {
	const never = x509.KeyUsageKeyEncipherment | x509.KeyUsageDataEncipherment | x509.KeyUsageKeyAgreement | x509.KeyUsageEncipherOnly | x509.KeyUsageDecipherOnly
	_, mldsa := otherkeys.Of(c).(otherkeys.MLDSAPublicKey)
	return broken(mldsa && c.KeyUsage&never != 0, "the key of %s, of ML-DSA, is said to be for more than signing", c)
}

// checkPurpose looks for one of the wanted usages that the whole path allows. A
// certificate without the extension allows all.
func checkPurpose(p *path, _ *x509.Certificate) string {
	var blame *x509.Certificate
	for _, usage := range p.o.Usages {
		against := slices.IndexFunc(p.chain, func(c *x509.Certificate) bool { return !allows(c, usage) })
		if against < 0 {
			return ""
		}
		if blame == nil {
			blame = p.chain[against]
		}
	}
	return fmt.Sprintf("%s is not meant for this use (extended key usage)", subject(blame))
}

func allows(c *x509.Certificate, usage x509.ExtKeyUsage) bool {
	if usage == x509.ExtKeyUsageAny || len(c.ExtKeyUsage) == 0 && len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	return slices.Contains(c.ExtKeyUsage, usage) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}
