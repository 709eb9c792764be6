package certcheck

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

var (
	idSubjectKey         = asn1.ObjectIdentifier{2, 5, 29, 14}
	idKeyUsage           = asn1.ObjectIdentifier{2, 5, 29, 15}
	idSAN                = asn1.ObjectIdentifier{2, 5, 29, 17}
	idBasicConstraints   = asn1.ObjectIdentifier{2, 5, 29, 19}
	idNameConstraints    = asn1.ObjectIdentifier{2, 5, 29, 30}
	idPolicyMappings     = asn1.ObjectIdentifier{2, 5, 29, 33}
	idAuthorityKey       = asn1.ObjectIdentifier{2, 5, 29, 35}
	idPolicyConstraints  = asn1.ObjectIdentifier{2, 5, 29, 36}
	idFreshestCRL        = asn1.ObjectIdentifier{2, 5, 29, 46}
	idInhibitAnyPolicy   = asn1.ObjectIdentifier{2, 5, 29, 54}
	idAuthorityInfo      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 1}
	idSubjectInfo        = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 11}
	idPrecertificatePois = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 3}
	idTLSFeature         = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 24}
)

// flag is whether an extension has to be critical.
type flag struct {
	id       asn1.ObjectIdentifier
	name     string
	critical bool
	only     func(*x509.Certificate) bool // nil for every certificate
	source   string
}

func isAuthority(c *x509.Certificate) bool { return c.IsCA }

// flags are the extensions for which RFC 5280 leaves no choice.
var flags = []flag{
	{idAuthorityKey, "authorityKeyIdentifier", false, nil, "§4.2.1.1"},
	{idSubjectKey, "subjectKeyIdentifier", false, nil, "§4.2.1.2"},
	{idBasicConstraints, "basicConstraints", true, isAuthority, "§4.2.1.9"},
	{idNameConstraints, "nameConstraints", true, nil, "§4.2.1.10"},
	{idPolicyConstraints, "policyConstraints", true, nil, "§4.2.1.11"},
	{idInhibitAnyPolicy, "inhibitAnyPolicy", true, nil, "§4.2.1.14"},
	{idFreshestCRL, "freshestCRL", false, nil, "§4.2.1.15"},
	{idAuthorityInfo, "authorityInfoAccess", false, nil, "§4.2.2.1"},
	{idSubjectInfo, "subjectInfoAccess", false, nil, "§4.2.2.2"},
}

// forAuthorities are extensions that have a meaning in an authority's certificate only.
var forAuthorities = map[string]string{
	idNameConstraints.String():   "nameConstraints",
	idPolicyMappings.String():    "policyMappings",
	idPolicyConstraints.String(): "policyConstraints",
	idInhibitAnyPolicy.String():  "inhibitAnyPolicy",
}

// extensionRules are about which extensions there are, and how they are marked.
var extensionRules = []Rule{
	{
		Name: "precertificate", Demands: "a certificate is not a precertificate",
		Source: "RFC 6962 §3.1", Alert: wire.AlertBadCertificate, Hint: "give the server the certificate, and not what was logged before it", on: onIssued,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(has(c, idPrecertificatePois), "%s is a precertificate, which was made for logs", c)
		},
	},
	{
		Name: "critical-known", Demands: "every critical extension is one that is known here",
		Source: "RFC 5280 §4.2", Alert: wire.AlertUnsupportedCertificate, Hint: "have it issued without, or with the extension not critical", on: onEach,
		alone: true,
		check: func(_ *path, c *x509.Certificate) string {
			for _, id := range c.UnhandledCriticalExtensions {
				if !id.Equal(idNameConstraints) && !id.Equal(idPrecertificatePois) { // other rules know these
					return fmt.Sprintf("%s has a critical extension that is not known here (%v)", subject(c), id)
				}
			}
			return ""
		},
		account: func(*path, *x509.Certificate) (string, error) { return "", x509.UnhandledCriticalExtension{} },
	},
	{
		Name: "critical-flags", Demands: "extensions are critical, or not, as RFC 5280 says of each", Profile: RFC5280,
		Source: "RFC 5280 §4.2", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach, check: checkFlags,
	},
	{
		Name: "authority-extensions", Demands: "constraints on paths stand in an authority's certificate only", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1", Alert: wire.AlertBadCertificate, Hint: reissue, on: onLeaf,
		check: func(_ *path, c *x509.Certificate) string {
			for _, e := range c.Extensions {
				if name := forAuthorities[e.Id.String()]; name != "" && !c.IsCA {
					return fmt.Sprintf("%s has %s and is not an authority", subject(c), name)
				}
			}
			return ""
		},
	},
	{
		Name: "key-usage-empty", Demands: "a key usage has at least one use", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1.3", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(has(c, idKeyUsage) && c.KeyUsage == 0, "the key of %s is for no use at all", c)
		},
	},
	{
		Name: "features-inherited", Demands: "what an authority issues has the TLS features that its own certificate has, as must-staple is",
		Source: "RFC 7633 §4.2.2", Alert: wire.AlertBadCertificate, Hint: "have it issued again with the features of its authority", on: onAuthority, check: checkFeatures,
	},
	{
		Name: "key-usage-critical", Demands: "the key usage is critical", Profile: WebPKI,
		Source: "CA/Browser Forum BR §7.1.2", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(has(c, idKeyUsage) && !critical(c, idKeyUsage), "the key usage of %s is not critical", c)
		},
	},
	{
		Name: "revocation-source", Demands: "a certificate says where to ask whether it is revoked, unless it lasts ten days or less", Profile: WebPKI,
		Source: "CA/Browser Forum BR §7.1.2.11.2", Alert: wire.AlertBadCertificate, Hint: reissue, on: onIssued,
		check: func(_ *path, c *x509.Certificate) string {
			none := len(c.CRLDistributionPoints) == 0 && len(c.OCSPServer) == 0
			return broken(none && c.NotAfter.Sub(c.NotBefore).Hours() > 10*24, "%s does not say where to ask whether it is revoked", c)
		},
	},
	{
		Name: "policy-present", Demands: "a server's certificate names one policy of the CA/Browser Forum", Profile: WebPKI,
		Source: "CA/Browser Forum BR §7.1.6.1", Alert: wire.AlertBadCertificate, Hint: reissue, on: onLeaf,
		check: func(_ *path, c *x509.Certificate) string {
			for _, id := range c.PolicyIdentifiers {
				if len(id) == 6 && id[:5].Equal(asn1.ObjectIdentifier{2, 23, 140, 1, 2}) {
					return ""
				}
			}
			return broken(true, "%s names no policy of the CA/Browser Forum", c)
		},
	},
}

// checkFeatures holds the TLS features of an authority against what it has issued in the path.
func checkFeatures(p *path, c *x509.Certificate) string {
	below := p.chain[max(1, slices.Index(p.chain, c))-1]
	has := featuresOf(below)
	for _, f := range featuresOf(c) {
		if !slices.Contains(has, f) {
			return fmt.Sprintf("%s lacks the TLS feature %d, which its authority %s has", subject(below), f, subject(c))
		}
	}
	return ""
}

// featuresOf lists the extensions of TLS that c promises. What cannot be read is none.
func featuresOf(c *x509.Certificate) (features []int) {
	for _, e := range c.Extensions {
		if e.Id.Equal(idTLSFeature) {
			var list []int
			asn1.Unmarshal(e.Value, &list)
			features = append(features, list...)
		}
	}
	return features
}

func checkFlags(_ *path, c *x509.Certificate) string {
	for _, e := range c.Extensions {
		for _, f := range flags {
			if !e.Id.Equal(f.id) || e.Critical == f.critical || f.only != nil && !f.only(c) {
				continue
			}
			is := "is not critical, and has to be"
			if e.Critical {
				is = "is critical, and must not be"
			}
			return fmt.Sprintf("%s of %s %s (%s)", f.name, subject(c), is, f.source)
		}
	}
	return ""
}

func has(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return true
		}
	}
	return false
}

func critical(c *x509.Certificate, id asn1.ObjectIdentifier) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(id) {
			return e.Critical
		}
	}
	return false
}
