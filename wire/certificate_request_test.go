package wire

import (
	"bytes"
	"slices"
	"testing"
)

func FuzzCertificateRequest(f *testing.F) { fuzzMessage(f, TypeCertificateRequest) }

func TestCertificateRequestFields(t *testing.T) {
	const name13 = "openssl-tls13"
	for name, want := range map[string]struct{ types, schemes, authorities int }{
		"openssl-tls10":        {3, 0, 1}, // no signature schemes before TLS 1.2
		"openssl-tls12-ecdsa":  {3, 20, 1},
		"nss-ssl30-auth":       {3, 0, 1},
		"gnutls-tls12-dhe-dss": {3, 17, 0},
		name13:                 {0, 16, 1}, // in extensions
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

// After the handshake the request has a context, which the answer repeats.
// RFC 8446 §4.6.2.
func TestPostHandshakeContext(t *testing.T) {
	context := bytes.Repeat([]byte{7}, 255)
	c := Context{Version: TLS13}
	request := decode[*CertificateRequest](t, "CertificateRequest", "openssl-tls13")
	request.RequestContext = context
	answer := decode[*Certificate](t, "Certificate", "openssl-tls13-client")
	answer.RequestContext = context
	for _, m := range []Message{request, answer} {
		again, err := checkLaws(t, AppendMessage(nil, m, c), c)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		switch again := again.(type) {
		case *CertificateRequest:
			got = again.RequestContext
		case *Certificate:
			got = again.RequestContext
		}
		if !bytes.Equal(got, context) {
			t.Errorf("%v: context %x", m.Type(), got)
		}
	}
}
