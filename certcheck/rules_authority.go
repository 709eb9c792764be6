package certcheck

import (
	"bytes"
	"crypto/x509"
	"fmt"

	"github.com/vitrine-tls/vitrine/wire"
)

const reissueAuthority = "have the authority's certificate issued again"

// authorityRules are about the right to certify others.
var authorityRules = []Rule{
	{
		Name: "ca-flag", Demands: "each intermediate says that it is an authority (cA in basicConstraints)",
		Source: "RFC 5280 §6.1.4 (k)", Alert: wire.AlertBadCertificate,
		Hint: "somebody may be forging certificates with an ordinary one; else have the authority's certificate issued again",
		on:   onIntermediate,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(!c.BasicConstraintsValid || !c.IsCA, "%s issued a certificate and is not an authority", c)
		},
		account: invalidFor(x509.NotAuthorizedToSign),
	},
	{
		// A leaf that is trusted as it is must not make its holder an authority.
		Name: "root-ca-flag", Demands: "a root of version 3 says that it is an authority",
		Source: "RFC 5280 §4.2.1.9", Alert: wire.AlertBadCertificate, Hint: "trust the certificate of an authority, or each server's own",
		on: onRoot,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(c.Version == 3 && (!c.BasicConstraintsValid || !c.IsCA), "the root %s does not say that it is an authority", c)
		},
		account: invalidFor(x509.NotAuthorizedToSign),
	},
	{
		Name: "root-version", Demands: "the root is of version 3, in which it can say that it is an authority", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1.9", Alert: wire.AlertBadCertificate, Hint: "use a root of version 3",
		on: onRoot,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(c.Version != 3, "the root %s cannot say that it is an authority", c)
		},
	},
	{
		Name: "cert-sign", Demands: "an authority's key usage, where it has one, allows signing certificates",
		Source: "RFC 5280 §6.1.4 (n)", Alert: wire.AlertBadCertificate, Hint: reissueAuthority + " with keyCertSign",
		on: onAuthority,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(has(c, idKeyUsage) && c.KeyUsage&x509.KeyUsageCertSign == 0, "the key of the authority %s is not for signing certificates", c)
		},
	},
	{
		Name: "authority-key-usage", Demands: "an authority has a key usage", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1.3", Alert: wire.AlertBadCertificate, Hint: reissueAuthority + " with keyCertSign",
		on: onAuthority,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(!has(c, idKeyUsage), "the authority %s has no key usage", c)
		},
	},
	{
		Name: "path-length", Demands: "no more authorities are below one than its pathLenConstraint allows; those issued to themselves do not count",
		Source: "RFC 5280 §6.1.4 (l), (m)", Alert: wire.AlertBadCertificate, Hint: "have it issued by an authority that may have others below it",
		on: onAuthority, check: checkPathLength, account: invalidFor(x509.TooManyIntermediates),
	},
	{
		Name: "path-length-place", Demands: "pathLenConstraint stands only where cA and keyCertSign are", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1.9", Alert: wire.AlertBadCertificate, Hint: "have it issued again without",
		on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			limited := c.MaxPathLen > 0 || c.MaxPathLenZero
			return broken(limited && (!c.IsCA || c.KeyUsage&x509.KeyUsageCertSign == 0), "%s has a path length and may not sign certificates", c)
		},
	},
	{
		Name: "leaf-cert-sign", Demands: "a certificate that is not an authority's is not for signing certificates", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1.3", Alert: wire.AlertBadCertificate, Hint: "have it issued again without keyCertSign",
		on: onLeaf,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(!c.IsCA && c.KeyUsage&x509.KeyUsageCertSign != 0, "the key usage of %s has keyCertSign, and it is not an authority", c)
		},
	},
	{
		Name: "leaf-is-authority", Demands: "a server's certificate is not that of an authority", Profile: WebPKI,
		Source: "CA/Browser Forum BR §7.1.2.7", Alert: wire.AlertBadCertificate, Hint: "issue a certificate of its own to the server",
		on: onLeaf,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(c.IsCA, "%s is an authority", c)
		},
	},
	{
		Name: "root-condition", Demands: "the path is one that was allowed for the root (x509.CertPool.AddCertWithConstraint)",
		Source: "crypto/x509", Alert: wire.AlertBadCertificate, Hint: "have it issued by an authority that this machine trusts for it",
		on: onPath, whole: true,
		check: func(p *path, _ *x509.Certificate) string {
			below := len(p.chain) - 1
			if p.condition == nil || below == 0 {
				return ""
			}
			if err := p.condition(p.chain[:below]); err != nil {
				return fmt.Sprintf("what is demanded of the root %s refuses the path: %s", subject(p.chain[below]), quote(err.Error()))
			}
			return ""
		},
	},
	{
		Name: "authority-names", Demands: "an authority's name has a country, an organization and a common name", Profile: WebPKI,
		Source: "CA/Browser Forum BR §7.1.2.10.2", Alert: wire.AlertBadCertificate, Hint: reissueAuthority,
		on: onAuthority,
		check: func(_ *path, c *x509.Certificate) string {
			n := c.Subject
			return broken(len(n.Country) == 0 || len(n.Organization) == 0 || n.CommonName == "", "the authority %s lacks a country, an organization or a common name", c)
		},
	},
}

// checkPathLength counts the authorities between c and the leaf.
func checkPathLength(p *path, c *x509.Certificate) string {
	if c.MaxPathLen < 0 || c.MaxPathLen == 0 && !c.MaxPathLenZero {
		return ""
	}
	below := 0
	for _, other := range p.chain[1:] {
		if other == c {
			break
		}
		if !bytes.Equal(other.RawSubject, other.RawIssuer) {
			below++
		}
	}
	if below <= c.MaxPathLen {
		return ""
	}
	return fmt.Sprintf("the authority %s may have at most %d authorities below it, and has %d", subject(c), c.MaxPathLen, below)
}

// invalidFor gives the error of crypto/x509 for a breach.
func invalidFor(reason x509.InvalidReason) func(*path, *x509.Certificate) (string, error) {
	return func(_ *path, c *x509.Certificate) (string, error) {
		return "", x509.CertificateInvalidError{Cert: c, Reason: reason}
	}
}

// broken is the clause of a breach about c, or "".
func broken(is bool, format string, c *x509.Certificate) string {
	if !is {
		return ""
	}
	return fmt.Sprintf(format, subject(c))
}
