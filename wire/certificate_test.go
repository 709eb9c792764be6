package wire

import (
	"crypto/x509"
	"testing"
)

func FuzzCertificate(f *testing.F) { fuzzMessage(f, TypeCertificate) }

func TestCertificateFields(t *testing.T) {
	for name, want := range map[string]struct {
		entries, extensions int
		leaf                string
	}{
		"rfc8448-3":                  {1, 0, "rsa"},
		"openssl-tls13-server":       {2, 1, "localhost"}, // OCSP with the leaf alone
		"openssl-tls12-ecdsa-server": {2, 0, "localhost"},
		"openssl-tls12-ecdsa-client": {2, 0, "localhost"},
	} {
		m := decode[*Certificate](t, "Certificate", name)
		if len(m.Entries) != want.entries {
			t.Errorf("%s: %d certificates", name, len(m.Entries))
			continue
		}
		leaf, err := x509.ParseCertificate(m.Entries[0].DER)
		if err != nil || leaf.Subject.CommonName != want.leaf || len(m.Entries[0].Extensions) != want.extensions {
			t.Errorf("%s: leaf %v, %d extensions, %v", name, leaf.Subject, len(m.Entries[0].Extensions), err)
		}
	}
}

// The stapled response of TLS 1.3 is the same structure as the message of 1.2.
func TestStapleOfCertificateEntry(t *testing.T) {
	m := decode[*Certificate](t, "Certificate", "openssl-tls13-server")
	var status CertificateStatus
	found, err := m.Entries[0].Extensions.Read(ExtStatusRequest, func(r *Reader) { status.Parse(r, Context{}) })
	if !found || err != nil || len(status.Response) < 1000 {
		t.Errorf("found %v, %v, %d bytes", found, err, len(status.Response))
	}
}
