package devca

import (
	"bytes"
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 what DHE_DSS suites are signed with
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"math/big"
	"testing"
)

// A certificate for a DSA key is for the key that comes with it, and what that
// signs is verified by crypto/dsa.
func TestDSA(t *testing.T) {
	ca, err := New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(Leaf{Names: []string{"localhost"}, Key: DSA})
	if err != nil {
		t.Fatal(err)
	}
	pub, ok := cert.Leaf.PublicKey.(*dsa.PublicKey)
	if !ok || pub.P.BitLen() != 2048 || pub.Q.BitLen() != 256 || !pub.P.ProbablyPrime(20) || !pub.Q.ProbablyPrime(20) {
		t.Fatalf("the certificate's key is %#v", cert.Leaf.PublicKey)
	}
	digest := sha256.Sum256([]byte("signed"))
	der, err := cert.PrivateKey.(crypto.Signer).Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	var sig struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &sig); err != nil || len(rest) != 0 || !dsa.Verify(pub, digest[:], sig.R, sig.S) {
		t.Errorf("the signature %x does not verify: %v", der, err)
	}
}

// PKCS8 holds the private number and the group, as RFC 5208 and RFC 3279 say.
func TestDSAKeyFile(t *testing.T) {
	key, err := NewDSAKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := key.PKCS8()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Version   int
		Algorithm struct {
			OID   asn1.ObjectIdentifier
			Group dsa.Parameters
		}
		Key []byte
	}
	if rest, err := asn1.Unmarshal(der, &file); err != nil || len(rest) != 0 {
		t.Fatal(err)
	}
	x, err := asn1.Marshal(key.X)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(file.Key, x) || file.Algorithm.Group.G.Cmp(key.G) != 0 || !file.Algorithm.OID.Equal(oidDSA) {
		t.Errorf("the file holds %+v", file)
	}
}

func TestDSANeedsAP256Issuer(t *testing.T) {
	ca, err := New()
	if err != nil {
		t.Fatal(err)
	}
	key, err := NewDSAKey()
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Certify(ca.Cert, ca.Cert, key, other); err == nil {
		t.Error("certified with a key of P-384, whose hash is another")
	}
}
