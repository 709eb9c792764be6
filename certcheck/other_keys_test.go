package certcheck

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// otherCert reads a certificate of internal/otherkeys/testdata.
func otherCert(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	text, err := os.ReadFile("../internal/otherkeys/testdata/" + name + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	certs, err := Parse([][]byte{block.Bytes})
	if err != nil {
		t.Fatal(err)
	}
	return certs[0]
}

// Authorities with keys of RSASSA-PSS and Ed448, and signatures over SHA-224, are
// verified where their scheme is named, and a signature that is wrong never is.
func TestNamedSignatures(t *testing.T) {
	for leaf, v := range map[string]struct {
		root   string
		scheme wire.SignatureScheme
	}{
		"by-pss": {"pss-ca", wire.RSAPSSPSSSHA256}, "by-ed448": {"ed448-ca", wire.Ed448},
		"by-rsa224": {"rsa-ca", wire.RSAPKCS1SHA224}, "by-ecdsa224": {"ca", wire.ECDSASHA224},
		"pss": {"ca", 0}, "ed448": {"ca", 0},
	} {
		for _, schemes := range [][]wire.SignatureScheme{nil, {wire.RSAPSSPSSSHA384, wire.RSAPKCS1SHA1}, {wire.RSAPSSPSSSHA256, wire.Ed448, wire.RSAPKCS1SHA224, wire.ECDSASHA224}} {
			certs := []*x509.Certificate{otherCert(t, leaf)}
			o := Options{Roots: x509.NewCertPool(), Name: "example.test", Time: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Schemes: schemes, Anew: true}
			o.Roots.AddCert(otherCert(t, v.root))
			_, err := Verify(t.Context(), certs, o)
			if want := v.scheme == 0 || len(schemes) == 4; want != (err == nil) {
				t.Errorf("%s with %v: %v", leaf, schemes, err)
			} else if !want && !strings.Contains(err.Error(), "signed by "+v.scheme.String()+", which is off unless it is named") {
				t.Errorf("%s with %v is refused for another reason: %v", leaf, schemes, err)
			}
			o.Profile = WebPKI
			if _, err := Verify(t.Context(), certs, o); err == nil {
				t.Errorf("%s with %v is good for the web", leaf, schemes)
			}
			forged := *certs[0]
			forged.Signature = bytes.Clone(forged.Signature)
			forged.Signature[len(forged.Signature)/2] ^= 1
			o.Profile = Interoperable
			if _, err := Verify(t.Context(), []*x509.Certificate{&forged}, o); err == nil || strings.Contains(err.Error(), "off unless") {
				t.Errorf("%s with a changed signature: %v", leaf, err)
			}
		}
		if got := NamedScheme(otherCert(t, leaf)); leaf != "by-pss" && got != v.scheme { // which is the key's matter
			t.Errorf("%s is signed by %v", leaf, got)
		}
	}
}
