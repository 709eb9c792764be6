package wire

import "testing"

func FuzzCertificateVerify(f *testing.F) { fuzzMessage(f, TypeCertificateVerify) }

func TestCertificateVerifyFields(t *testing.T) {
	for name, want := range map[string]struct {
		scheme SignatureScheme
		size   int
	}{
		"rfc8448-3":                {RSAPSSRSAESHA256, 128},
		"openssl-tls13-hrr-server": {Ed25519, 64},
		"openssl-tls12-ecdsa":      {RSAPSSRSAESHA256, 256},
		"openssl-tls11":            {0, 256}, // fixed by the key before TLS 1.2
		"openssl-tls10-null-dss":   {0, 62},  // DSA
		"nss-ssl30-auth":           {0, 256},
	} {
		m := decode[*CertificateVerify](t, "CertificateVerify", name)
		if m.Scheme != want.scheme || len(m.Signature) != want.size {
			t.Errorf("%s: %v, %d bytes", name, m.Scheme, len(m.Signature))
		}
	}
}
