package certcheck

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// made reads a certificate that OpenSSL has made.
func made(t *testing.T, name string) *party {
	t.Helper()
	text, err := os.ReadFile("../internal/otherkeys/testdata/" + name + ".pem")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	return reparsed(t, block.Bytes)
}

// Signatures that crypto/x509 does not verify: by keys of RSASSA-PSS and Ed448, and over SHA-224.
func TestOtherSignatures(t *testing.T) {
	for _, tc := range []struct {
		leaf, root string
		web        bool // the baseline requirements allow the signature
	}{{"by-pss", "pss-ca", true}, {"by-ed448", "ed448-ca", false}, {"by-rsa224", "rsa-ca", false}, {"by-ecdsa224", "ca", false}} {
		leaf, root := made(t, tc.leaf), made(t, tc.root)
		o := Options{Roots: trust(root), Time: leaf.NotBefore.Add(day), Name: "example.test",
			Schemes: []wire.SignatureScheme{wire.RSAPSSPSSSHA256, wire.Ed448, wire.RSAPKCS1SHA224, wire.ECDSASHA224}}
		if _, err := Verify(t.Context(), chain(leaf), o); err != nil {
			t.Errorf("%s: %v", tc.leaf, err)
		}
		v := Judge(t.Context(), chain(leaf), o)
		_, warnings := v.Paths[0].Breaches(Interoperable)
		for _, w := range warnings {
			if w.Rule.Name == "web-signature" && tc.web {
				t.Errorf("%s: %s", tc.leaf, w.Breach)
			}
		}
		for _, at := range []int{len(leaf.Raw) - 1, len(leaf.Raw) - 20} { // of the signature
			der := append([]byte(nil), leaf.Raw...)
			der[at] ^= 1
			if c, err := x509.ParseCertificate(der); err == nil {
				if _, err := Verify(t.Context(), []*x509.Certificate{c}, o); err == nil {
					t.Errorf("%s: a wrong signature is taken", tc.leaf)
				}
			}
		}
		for _, other := range []string{"pss-ca", "ed448-ca", "rsa-ca", "ca"} {
			if err := checkSignature(leaf.Certificate, made(t, other).Certificate); (err == nil) != (other == tc.root) {
				t.Errorf("%s by the key of %s: %v", tc.leaf, other, err)
			}
		}
	}
}
