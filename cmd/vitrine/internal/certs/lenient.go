package certs

import (
	"time"

	zx509 "github.com/zmap/zcrypto/x509"
)

// lenient describes a certificate that crypto/x509 does not read for the reason why.
func lenient(der []byte, why error, now time.Time) Certificate {
	c, err := zx509.ParseCertificate(der)
	if err != nil {
		o, err := readOutline(der)
		if err != nil {
			return Certificate{Subject: "(it cannot be read at all)", SHA256: digest(der), Unreadable: why.Error()}
		}
		return o.describe(der, why, now)
	}
	d := Certificate{
		Subject: nameOr(c.Subject.String(), "(no subject)"), Issuer: nameOr(c.Issuer.String(), "(no issuer)"),
		Key: KeyName(c.PublicKey, unknownKey(c.RawSubjectPublicKeyInfo)), SignedWith: c.SignatureAlgorithm.String(),
		Serial:    Serial(c.SerialNumber),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, DaysLeft: DaysLeft(c.NotAfter, now),
		Authority: c.BasicConstraintsValid && c.IsCA, SelfIssued: string(c.RawSubject) == string(c.RawIssuer),
		OCSP: c.OCSPServer, CRL: c.CRLDistributionPoints, IssuerAt: c.IssuingCertificateURL,
		SHA256: digest(c.Raw), Pin: digest(c.RawSubjectPublicKeyInfo), Unreadable: why.Error(),
	}
	d.Names = NamesOf(c.DNSNames, c.IPAddresses, c.EmailAddresses, nil)
	for i, name := range usageNames {
		if c.KeyUsage&(1<<i) != 0 {
			d.KeyUsage = append(d.KeyUsage, name)
		}
	}
	return d
}
