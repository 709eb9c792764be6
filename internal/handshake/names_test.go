package handshake

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"strings"
	"testing"
)

// What a peer offers reaches errors and logs, so it is shown up to a bound.
func TestLongListsAreCut(t *testing.T) {
	offer := make([][]byte, 20000)
	for i := range offer {
		offer[i] = []byte("x")
	}
	err := disagree(0, "application protocol", "", []string{"h2"}, offer, "").Error()
	if len(err) > 1000 || !strings.Contains(err, "and 19968 more") {
		t.Errorf("%d bytes: %.200s", len(err), err)
	}
	offer = [][]byte{[]byte(strings.Repeat("\x00", 255)), []byte("h2\n")}
	err = disagree(0, "application protocol", "", []string{"h2"}, offer, "").Error()
	if len(err) > 500 || !strings.Contains(err, `\x00"... (255 bytes), "h2\n"`) {
		t.Errorf("%d bytes: %s", len(err), err)
	}
}

func TestKeyNames(t *testing.T) {
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		key  crypto.PublicKey
		want string
	}{
		{&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 3}, "RSA-2048"},
		{&ecdsa.PublicKey{Curve: elliptic.P384()}, "ECDSA P-384"},
		{ed25519.PublicKey{}, "Ed25519"},
		{&dsa.PublicKey{Parameters: dsa.Parameters{P: big.NewInt(23)}}, "DSA-5"},
		{x25519.PublicKey(), "*ecdh.PublicKey"},
		{nil, "unknown"}, // of an algorithm that crypto/x509 does not know
	} {
		if got := keyName(test.key); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
	}
}
