package devca

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 what DHE_DSS suites are signed with
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What cannot be certified is refused, and says why where it is the caller's
// mistake.
func TestWhatCannotBeCertified(t *testing.T) {
	ca, err := New()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Issue(Leaf{}); err == nil || !strings.Contains(err.Error(), "at least one name") {
		t.Errorf("no names: %v", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (&CA{Cert: ca.Cert, key: key}).Issue(Leaf{Names: []string{"localhost"}, Key: DSA}); err == nil || !strings.Contains(err.Error(), "P-256") {
		t.Errorf("a DSA key by an authority with P-384: %v", err)
	}
	whole, err := NewDSAKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range map[string]crypto.Signer{"ECDSA": ca.key, "DSA": whole} {
		if _, err := Certify(&x509.Certificate{SerialNumber: big.NewInt(-1)}, ca.Cert, key, ca.key); err == nil {
			t.Errorf("%s: a negative serial number", name)
		}
	}
	for name, key := range incomplete(whole) {
		if _, err := Certify(ca.Cert, ca.Cert, key, ca.key); (err == nil) != (name == "without X") { // which is not certified
			t.Errorf("a DSA key %s: %v", name, err)
		}
	}
}

// incomplete are DSA keys that lack a number.
func incomplete(whole *DSAKey) map[string]*DSAKey {
	public := dsa.PublicKey{Parameters: whole.Parameters}
	return map[string]*DSAKey{
		"without parameters": {},
		"without Y":          {PrivateKey: dsa.PrivateKey{PublicKey: public}},
		"without X":          {PrivateKey: dsa.PrivateKey{PublicKey: whole.PublicKey}},
	}
}

// A DSA key that lacks a number is not written, and one whose group is none does
// not sign.
func TestDSAKeysThatAreNone(t *testing.T) {
	whole, err := NewDSAKey()
	if err != nil {
		t.Fatal(err)
	}
	for name, key := range incomplete(whole) {
		if der, err := key.PKCS8(); err == nil {
			t.Errorf("%s: %x", name, der)
		}
	}
	odd := &DSAKey{PrivateKey: whole.PrivateKey}
	odd.Q = big.NewInt(101)
	if sig, err := odd.Sign(rand.Reader, make([]byte, 32), crypto.SHA256); err == nil {
		t.Errorf("with Q of 7 bits: %x", sig)
	}
}

// What keeps the folder from being used is reported, and nothing is left in it.
func TestFoldersThatCannotBeUsed(t *testing.T) {
	under := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(under, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(filepath.Join(under, "vitrine")); err == nil {
		t.Error("a folder below a file")
	}

	open := func() *CA {
		ca, _, err := Open(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return ca
	}
	occupy := func(ca *CA, name string) {
		os.Remove(filepath.Join(ca.dir, name))
		if err := os.MkdirAll(filepath.Join(ca.dir, name, "full"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	ca := open()
	occupy(ca, caFile)
	if _, _, err := Open(ca.dir); err == nil {
		t.Error("a folder in the place of the authority's certificate")
	}
	if files, _ := filepath.Glob(filepath.Join(ca.dir, "new-*")); len(files) != 0 {
		t.Errorf("it left %v behind", files)
	}

	ca = open()
	occupy(ca, leafFile)
	if _, err := ca.ServerCertificate("localhost"); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a folder in the place of the server's certificate: %v", err)
	}

	ca = open()
	if _, err := ca.ServerCertificate("public.example"); err == nil {
		t.Error("no name that the authority permits")
	}
	if _, err := writePair(ca.dir, ca.Cert, &DSAKey{}); err == nil {
		t.Error("a key that crypto/x509 cannot write")
	}
	if err := os.RemoveAll(ca.dir); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.ServerCertificate("localhost"); err == nil {
		t.Error("a folder that is gone")
	}
	if err := ca.publish(); err == nil {
		t.Error("publishing in a folder that is gone")
	}
}

func TestDNSNames(t *testing.T) {
	long := strings.Repeat("a", 63)
	for name, want := range map[string]bool{
		"localhost": true, "A-1.example": true, long: true,
		"": false, "a..b": false, ".a": false, "a.": false, "-a": false, "a-": false, "a_b": false, "ä": false, "a b": false,
		long + "a":                              false,
		strings.Repeat(long+".", 3) + long[:61]: true,
		strings.Repeat(long+".", 3) + long[:62]: false,
	} {
		if got := isDNSName(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
