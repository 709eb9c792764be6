package certcheck

import (
	"bytes"
	"crypto/x509"
	"fmt"

	"github.com/vitrine-tls/vitrine/wire"
)

const reissue = "have the certificate issued again"

const (
	maxSerial = 20 // octets
	webSerial = 8  // octets of a serial number that has 64 bits of randomness
)

// identityRules are about serial numbers, names and key identifiers: which certificate
// this is, and from which authority.
var identityRules = []Rule{
	{
		Name: "serial-positive", Demands: "the serial number is above zero", Profile: RFC5280,
		Source: "RFC 5280 §4.1.2.2", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(c.SerialNumber.Sign() <= 0, "the serial number of %s is not positive", c)
		},
	},
	{
		Name: "serial-length", Demands: "the serial number has at most 20 octets", Profile: RFC5280,
		Source: "RFC 5280 §4.1.2.2", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			octets := c.SerialNumber.BitLen()/8 + 1
			if octets <= maxSerial {
				return ""
			}
			return fmt.Sprintf("the serial number of %s has %d octets", subject(c), octets)
		},
	},
	{
		Name: "serial-random", Demands: "the serial number has room for 64 random bits", Profile: WebPKI,
		Source: "CA/Browser Forum BR §7.1", Alert: wire.AlertBadCertificate, Hint: reissue, on: onIssued,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(len(c.SerialNumber.Bytes()) < webSerial, "the serial number of %s is too short to be random", c)
		},
	},
	{
		Name: "issuer-name", Demands: "the issuer has a name", Profile: RFC5280,
		Source: "RFC 5280 §4.1.2.4", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(emptyName(c.RawIssuer), "the issuer of %s has no name", c)
		},
	},
	{
		Name: "subject-name", Demands: "an authority has a name; a certificate without one has a critical subjectAltName", Profile: RFC5280,
		Source: "RFC 5280 §4.1.2.6", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach,
		check: func(p *path, c *x509.Certificate) string {
			if !emptyName(c.RawSubject) {
				return ""
			}
			if c != p.chain[0] {
				return "an authority has no name"
			}
			return broken(!critical(c, idSAN), "the certificate has no subject, and its subjectAltName is not critical", c)
		},
	},
	{
		Name: "subject-key-id", Demands: "an authority has a subject key identifier", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1.2", Alert: wire.AlertBadCertificate, Hint: reissueAuthority, on: onAuthority,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(len(c.SubjectKeyId) == 0, "the authority %s has no subject key identifier", c)
		},
	},
	{
		Name: "authority-key-id", Demands: "a certificate that another key signed says which, by the authority key identifier", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1.1", Alert: wire.AlertBadCertificate, Hint: reissue, on: onIssued,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(len(c.AuthorityKeyId) == 0 && !bytes.Equal(c.RawIssuer, c.RawSubject), "%s has no authority key identifier", c)
		},
	},
	{
		Name: "key-ids-agree", Demands: "the authority key identifier is the issuer's subject key identifier", Profile: RFC5280,
		Source: "RFC 5280 §4.2.1.1", Alert: wire.AlertBadCertificate, Hint: reissue, on: onIssued, whole: true,
		check: func(p *path, c *x509.Certificate) string {
			issuer := p.issuerOf(c)
			differ := issuer != nil && len(c.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(c.AuthorityKeyId, issuer.SubjectKeyId)
			if !differ && issuer != nil && !namesIssuer(c, issuer) {
				return broken(true, "%s names another certificate of its issuer than the one above it", c)
			}
			return broken(differ, "%s names another key of its issuer than the one that signed it", c)
		},
	},
	{
		// crypto/x509 does not read the extensions of another, so what they forbid would be allowed.
		Name: "version", Demands: "a certificate with extensions is of version 3",
		Source: "RFC 5280 §4.1.2.1", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach, fixed: true,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(c.Version != 3 && scan(c).extensions, "%s has extensions and is not of version 3", c)
		},
	},
	{
		Name: "version-3", Demands: "every certificate is of version 3", Profile: WebPKI,
		Source: "CA/Browser Forum BR §7.1.1", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(c.Version != 3, "%s is not of version 3", c)
		},
	},
	{
		Name: "unique-ids", Demands: "there are no unique identifiers of issuer and subject", Profile: RFC5280,
		Source: "RFC 5280 §4.1.2.8", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach, fixed: true,
		check: func(_ *path, c *x509.Certificate) string {
			return broken(scan(c).uniqueIDs, "%s has a unique identifier", c)
		},
	},
}

// issuerOf returns the certificate above c in the path, or nil.
func (p *path) issuerOf(c *x509.Certificate) *x509.Certificate {
	for i, other := range p.chain[:len(p.chain)-1] {
		if other == c {
			return p.chain[i+1]
		}
	}
	return nil
}

func emptyName(der []byte) bool { return bytes.Equal(der, []byte{0x30, 0}) }
