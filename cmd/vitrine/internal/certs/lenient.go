package certs

import (
	"fmt"
	"time"

	zx509 "github.com/zmap/zcrypto/x509"
)

// Lenient describes a certificate that crypto/x509 does not read for the reason why.
func Lenient(der []byte, why error, now time.Time) (Certificate, error) {
	c, err := zx509.ParseCertificate(der)
	if err != nil {
		return Certificate{}, fmt.Errorf("it cannot be read as a certificate: %w", why)
	}
	d := Certificate{
		Subject: nameOr(c.Subject.String(), "(no subject)"), Issuer: nameOr(c.Issuer.String(), "(no issuer)"),
		Key: KeyName(c.PublicKey, "key "+c.PublicKeyAlgorithmOID.String()), SignedWith: c.SignatureAlgorithm.String(),
		Serial:    serial(c.SerialNumber.Bytes(), c.SerialNumber.Sign() < 0),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, DaysLeft: DaysLeft(c.NotAfter, now),
		Authority: c.BasicConstraintsValid && c.IsCA, SelfIssued: string(c.RawSubject) == string(c.RawIssuer),
		OCSP: c.OCSPServer, CRL: c.CRLDistributionPoints, IssuerAt: c.IssuingCertificateURL,
		SHA256: digest(c.Raw), Pin: digest(c.RawSubjectPublicKeyInfo), Unreadable: why.Error(),
	}
	d.Names = append(d.Names, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		d.Names = append(d.Names, ip.String())
	}
	for i, name := range usageNames {
		if c.KeyUsage&(1<<i) != 0 {
			d.KeyUsage = append(d.KeyUsage, name)
		}
	}
	return d, nil
}
