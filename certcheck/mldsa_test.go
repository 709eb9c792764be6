package certcheck

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/wire"
)

var mldsaTime = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// Chains of ML-DSA throughout, and in part: each signature of an authority needs the name of
// its own set, and the key of the leaf alone needs none.
func TestMLDSAChains(t *testing.T) {
	all := []wire.SignatureScheme{wire.MLDSA44, wire.MLDSA65, wire.MLDSA87}
	for _, v := range []struct {
		root string
		sent []string
		need wire.SignatureScheme
	}{
		{"ca", []string{"mldsa44"}, 0},
		{"mldsa-ca", []string{"by-mldsa"}, wire.MLDSA65},
		{"mldsa-ca", []string{"mldsa-by-mldsa"}, wire.MLDSA65},
		{"ca", []string{"mldsa-mixed", "mldsa-below"}, wire.MLDSA87},
	} {
		var sent []*x509.Certificate
		for _, name := range v.sent {
			sent = append(sent, otherCert(t, name))
		}
		for i := range 4 {
			schemes := all
			if i < 3 {
				schemes = all[i : i+1]
			}
			o := Options{Roots: x509.NewCertPool(), Name: "example.test", Time: mldsaTime, Schemes: schemes, Anew: i%2 == 0}
			o.Roots.AddCert(otherCert(t, v.root))
			chains, err := Verify(t.Context(), sent, o)
			good := i == 3 || v.need == 0 || schemes[0] == v.need
			if good != (err == nil) || good && len(chains[0]) != len(sent)+1 {
				t.Errorf("%v with %v: %v", v.sent, schemes, err)
			} else if !good && !strings.Contains(err.Error(), "signed by "+v.need.String()+", which is off unless it is named") {
				t.Errorf("%v with %v is refused for another reason: %v", v.sent, schemes, err)
			}
			if o.Profile = WebPKI; i == 3 {
				if _, err := Verify(t.Context(), sent, o); err == nil {
					t.Errorf("%v is good for the web", v.sent)
				}
			}
		}
	}
}

// A signature that was remembered is not verified again, and one that is wrong never counts.
func TestMLDSASignaturesThatAreWrong(t *testing.T) {
	leaf, root := otherCert(t, "mldsa-by-mldsa"), otherCert(t, "mldsa-ca")
	o := Options{Roots: x509.NewCertPool(), Name: "example.test", Time: mldsaTime, Schemes: []wire.SignatureScheme{wire.MLDSA65}}
	o.Roots.AddCert(root)
	if _, err := Verify(t.Context(), []*x509.Certificate{leaf}, o); err != nil {
		t.Fatal(err)
	}
	if _, ok := proofs.has(link{leaf, root}); !ok {
		t.Error("the signature is not remembered")
	}
	for _, at := range []int{len(leaf.Raw) - 1, len(leaf.Raw) - 3309, len(leaf.Raw) - 1000} {
		der := bytes.Clone(leaf.Raw)
		der[at] ^= 1
		changed, err := Parse([][]byte{der})
		if err != nil {
			continue
		}
		if _, err := Verify(t.Context(), changed, o); err == nil {
			t.Errorf("a signature with the byte %d changed is taken", at)
		}
	}
	for _, other := range []string{"mldsa-below", "mldsa65", "ca", "ed448-ca", "rsa-ca"} {
		if err := checkSignature(leaf, otherCert(t, other)); err == nil {
			t.Errorf("it is one by the key of %s", other)
		}
	}
	named := otherCert(t, "mldsa44") // parameters that RFC 9881 does not have
	der := bytes.ReplaceAll(otherCert(t, "by-mldsa").Raw, []byte{0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18}, []byte{0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 17})
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := checkSignature(c, named); err == nil || NamedScheme(c) != wire.MLDSA44 {
		t.Errorf("a signature under another set's name: %v, %v", err, NamedScheme(c))
	}
}

// Keys and signatures of SLH-DSA have their names in the verdict, and are of no use.
func TestSLHDSAIsShown(t *testing.T) {
	o := Options{Roots: x509.NewCertPool(), Name: "example.test", Time: mldsaTime}
	o.Roots.AddCert(otherCert(t, "ca"))
	if _, err := Verify(t.Context(), []*x509.Certificate{otherCert(t, "slhdsa")}, o); err == nil || !strings.Contains(err.Error(), "SLH-DSA-SHA2-128s, is of a kind that is shown and not used") {
		t.Errorf("a key: %v", err)
	}
	der := bytes.ReplaceAll(otherCert(t, "by-mldsa").Raw, []byte{0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18}, []byte{0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 26})
	chain, err := Parse([][]byte{der, otherCert(t, "mldsa-ca").Raw})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(t.Context(), chain, o); err == nil || !strings.Contains(err.Error(), "is signed with SLH-DSA-SHAKE-128s, which is shown and not used") {
		t.Errorf("a signature: %v", err)
	}
}

// The rule of RFC 9881 §5: such a key signs, and opens nothing.
func TestMLDSAKeyUsage(t *testing.T) {
	for usage, good := range map[x509.KeyUsage]bool{
		x509.KeyUsageDigitalSignature: true, x509.KeyUsageCertSign | x509.KeyUsageCRLSign: true, 0: true,
		x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment:  false,
		x509.KeyUsageDigitalSignature | x509.KeyUsageDataEncipherment: false,
		x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement:     false,
	} {
		for _, name := range []string{"mldsa44", "rsa"} {
			c := *otherCert(t, name)
			c.KeyUsage = usage
			if got := mldsaUsage(&c) == ""; got != (good || name == "rsa") {
				t.Errorf("%s with the usage %b: %v", name, usage, got)
			}
		}
	}
	if err := EncryptionKeyUsage(otherCert(t, "mldsa44")); err == nil || !strings.Contains(err.Error(), "is ML-DSA-44") {
		t.Errorf("it opens a premaster secret: %v", err)
	}
}

// A list that an authority with such a key has signed says which certificates are revoked; one that was
// changed says nothing.
func TestMLDSAList(t *testing.T) {
	text, err := os.ReadFile("../internal/otherkeys/testdata/mldsa-ca.crl")
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	authority := otherCert(t, "mldsa-ca")
	for name, want := range map[string]revocation.Status{"by-mldsa": revocation.Revoked, "mldsa-by-mldsa": revocation.Good} {
		list, err := revocation.ParseCRL(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := list.About(otherCert(t, name), authority, nil, mldsaTime, 0); err != nil || answer.Status != want {
			t.Errorf("%s: %v, %v", name, answer, err)
		}
	}
	for _, at := range []int{len(block.Bytes) - 40, len(block.Bytes) - 3309, 60} {
		der := bytes.Clone(block.Bytes)
		der[at] ^= 1
		if list, err := revocation.ParseCRL(der); err == nil {
			if answer, err := list.About(otherCert(t, "by-mldsa"), authority, nil, mldsaTime, 0); err == nil {
				t.Errorf("the list with its byte %d changed says %v", at, answer)
			}
		}
	}
}
