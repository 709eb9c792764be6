package devca

import (
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

// Revoke writes down that the certificate with a serial number (in hexadecimal
// digits) is revoked, for a reason of RFC 5280 §5.3.1.
func (ca *CA) Revoke(serial string, reason int) (Issued, error) {
	serial = strings.TrimLeft(strings.ToLower(strings.ReplaceAll(serial, ":", "")), "0")
	var revoked Issued
	err := ca.change(func(r *Record) error {
		e := r.find(ca.issuerName(), serial)
		if e == nil {
			e = r.find(rootIssued, serial)
		}
		if e == nil {
			return fmt.Errorf("this authority has issued no certificate with the serial number %q: %s lists them", serial, ca.recordPath())
		}
		if !e.RevokedAt.IsZero() {
			return fmt.Errorf("the certificate %s for %s is revoked already, since %s", serial, e.Subject, e.RevokedAt.Format(time.DateTime))
		}
		e.RevokedAt, e.Reason = time.Now().UTC().Truncate(time.Second), reason
		revoked = *e
		return nil
	})
	return revoked, err
}

// CRL returns the CRL of the certificate that issues leaves, or of the root, in DER;
// the next one is due after life.
func (ca *CA) CRL(ofRoot bool, life time.Duration) ([]byte, error) {
	by, name := ca.issuer(), ca.issuerName()
	if ofRoot {
		by, name = ca.root(), rootIssued
	}
	r, err := ca.Record()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	list := &x509.RevocationList{
		Number:     listNumber(now),
		ThisUpdate: now.Add(-time.Minute), // for a slow clock
		NextUpdate: now.Add(life),
	}
	for _, e := range r.Issued {
		if e.Issuer != name || e.RevokedAt.IsZero() {
			continue
		}
		serial, ok := parseSerial(e.Serial)
		if !ok {
			return nil, fmt.Errorf("%s is damaged: %q is not a serial number", ca.recordPath(), e.Serial)
		}
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: serial, RevocationTime: e.RevokedAt, ReasonCode: e.Reason,
		})
	}
	return signList(list, by)
}

// signList is x509.CreateRevocationList for any key: another stands in for one of ML-DSA.
func signList(list *x509.RevocationList, by *issuer) ([]byte, error) {
	if _, ok := by.key.(*otherkeys.MLDSAPrivateKey); !ok {
		return x509.CreateRevocationList(rand.Reader, list, by.cert, by.key)
	}
	standIn, err := newKey[ECDSA]()
	if err != nil {
		return nil, err
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, unkeyed(by.cert), standIn)
	if err != nil {
		return nil, err
	}
	return resign(der, by.key, func(field []byte) []byte { return field })
}
