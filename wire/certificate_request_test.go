package wire

import (
	"slices"
	"testing"
)

func FuzzCertificateRequest(f *testing.F) { fuzzMessage(f, TypeCertificateRequest) }

func TestCertificateRequestFields(t *testing.T) {
	const name13 = "openssl-tls13"
	for name, want := range map[string]struct{ types, schemes, authorities int }{
		"openssl-tls10":       {3, 0, 1}, // no signature schemes before TLS 1.2
		"openssl-tls12-ecdsa": {3, 20, 1},
		name13:                {0, 16, 1}, // in extensions
	} {
		m := decode[*CertificateRequest](t, "CertificateRequest", name)
		schemes, authorities := m.SignatureSchemes, m.Authorities
		if name == name13 {
			for ext, read := range map[ExtensionType]func(*Reader){
				ExtSignatureAlgorithms:    func(r *Reader) { schemes = ReadSignatureAlgorithms(r, nil) },
				ExtCertificateAuthorities: func(r *Reader) { authorities = ReadAuthorities(r, 3, nil) },
			} {
				if found, err := m.Extensions.Read(ext, read); !found || err != nil {
					t.Error(name, ext, found, err)
				}
			}
		}
		if len(m.CertificateTypes) != want.types || len(schemes) != want.schemes || len(authorities) != want.authorities {
			t.Errorf("%s: types %v, schemes %v, %d authorities", name, m.CertificateTypes, schemes, len(authorities))
		}
		if want.types > 0 && !slices.Contains(m.CertificateTypes, CertTypeECDSASign) {
			t.Errorf("%s: no ecdsa_sign in %v", name, m.CertificateTypes)
		}
	}
}
