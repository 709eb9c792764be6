package certcheck

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// nameRules are about the names that a certificate is for.
var nameRules = []Rule{
	{
		Name: "name", Demands: "the certificate is for the name, or the address, that was asked for",
		Source: "RFC 9525 §6", Alert: wire.AlertBadCertificate, Hint: "connect by a name that the certificate has, or have it issued for this one", on: onLeaf,
		alone: true,
		check: func(p *path, c *x509.Certificate) string {
			if p.o.Name == "" || matchesHost(c, p.o.Name) {
				return ""
			}
			reason, _ := wrongName(c, p.o.Name)
			return reason
		},
		account: func(p *path, c *x509.Certificate) (string, error) {
			_, hint := wrongName(c, p.o.Name)
			return hint, x509.HostnameError{Certificate: c, Host: p.o.Name}
		},
	},
	{
		Name: "san-empty", Demands: "a subjectAltName has at least one name", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1.6", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			for _, e := range c.Extensions {
				if e.Id.Equal(idSAN) && len(e.Value) <= 2 {
					return broken(true, "the subjectAltName of %s is empty", c)
				}
			}
			return ""
		},
	},
	{
		Name: "dns-syntax", Demands: "the DNS names are names as they may stand in the DNS, with a star for the whole first label at most", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1.6, RFC 9525 §6.3", Alert: wire.AlertBadCertificate, Hint: reissue, on: onLeaf,
		check: func(_ *path, c *x509.Certificate) string {
			for _, name := range c.DNSNames {
				fault := nameFault(name)
				if fault == "" && strings.Contains(name, "_") {
					fault = "has an underscore"
				}
				if fault != "" {
					return fmt.Sprintf("the name %s %s", quote(name), fault)
				}
			}
			return ""
		},
	},
	{
		Name: "public-suffix", Demands: "a star does not stand directly below a domain in which everybody can register names",
		Source: "CA/Browser Forum BR §3.2.2.6", Alert: wire.AlertBadCertificate, Hint: "have it issued for one domain", on: onLeaf,
		check: func(p *path, c *x509.Certificate) string {
			for _, name := range c.DNSNames {
				rest, wild := strings.CutPrefix(name, "*.")
				if wild && (!strings.Contains(rest, ".") || p.o.PublicSuffix != nil && p.o.PublicSuffix(strings.ToLower(rest))) {
					return fmt.Sprintf("the name %s would be for the domains of everybody", quote(name))
				}
			}
			return ""
		},
	},
	{
		Name: "web-names", Demands: "a server's certificate has DNS names and addresses alone", Profile: WebPKI,
		Source: "CA/Browser Forum BR §7.1.2.7.12", Alert: wire.AlertBadCertificate, Hint: reissue, on: onLeaf,
		check: func(_ *path, c *x509.Certificate) string {
			names, _ := alternatives(c)
			other := slices.ContainsFunc(names, func(n general) bool { return n.kind != dnsName && n.kind != addressName })
			if other || len(names) == 0 {
				return broken(true, "%s has no DNS name or address, or a name of another kind", c)
			}
			return ""
		},
	},
}
