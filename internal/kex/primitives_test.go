package kex

import (
	"bytes"
	"crypto/mlkem"
	"crypto/rand"
	"encoding/hex"
	"testing"

	circl1024 "github.com/cloudflare/circl/kem/mlkem/mlkem1024"
	circl768 "github.com/cloudflare/circl/kem/mlkem/mlkem768"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// lowOrder are the points that give the all-zero secret: those of small order,
// canonical and not, and with the ignored highest bit set.
var lowOrder = []string{
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

// circl and the standard library make the same key from one seed, open each
// other's ciphertexts, and reject the same broken ones with the same secret.
func TestMLKEMAgrees(t *testing.T) {
	for range 20 {
		seed := make([]byte, 64)
		rand.Read(seed)
		{
			public, key := circl768.NewKeyFromSeed(seed)
			std, err := mlkem.NewDecapsulationKey768(seed)
			if err != nil {
				t.Fatal(err)
			}
			packed, c1, s1 := make([]byte, circl768.PublicKeySize), make([]byte, circl768.CiphertextSize), make([]byte, 32)
			public.Pack(packed)
			public.EncapsulateTo(c1, s1, nil)
			s2, c2 := std.EncapsulationKey().Encapsulate()
			compareKEM(t, "ML-KEM-768", packed, std.EncapsulationKey().Bytes(), c1, s1, c2, s2, key.DecapsulateTo, std.Decapsulate)
		}
		{
			public, key := circl1024.NewKeyFromSeed(seed)
			std, err := mlkem.NewDecapsulationKey1024(seed)
			if err != nil {
				t.Fatal(err)
			}
			packed, c1, s1 := make([]byte, circl1024.PublicKeySize), make([]byte, circl1024.CiphertextSize), make([]byte, 32)
			public.Pack(packed)
			public.EncapsulateTo(c1, s1, nil)
			s2, c2 := std.EncapsulationKey().Encapsulate()
			compareKEM(t, "ML-KEM-1024", packed, std.EncapsulationKey().Bytes(), c1, s1, c2, s2, key.DecapsulateTo, std.Decapsulate)
		}
	}
}

func compareKEM(t *testing.T, name string, ek1, ek2, c1, s1, c2, s2 []byte, circlOpen func(ss, ct []byte), stdOpen func([]byte) ([]byte, error)) {
	if !bytes.Equal(ek1, ek2) {
		t.Errorf("%s: encapsulation keys differ", name)
	}
	got, err := stdOpen(c1)
	if err != nil || !bytes.Equal(got, s1) {
		t.Errorf("%s: the standard library opens circl's ciphertext to %x, want %x (%v)", name, got, s1, err)
	}
	got = make([]byte, 32)
	if circlOpen(got, c2); !bytes.Equal(got, s2) {
		t.Errorf("%s: circl opens the standard library's ciphertext to %x, want %x", name, got, s2)
	}
	c1[17] ^= 4
	circlOpen(got, c1)
	want, err := stdOpen(c1)
	if err != nil || !bytes.Equal(got, want) || bytes.Equal(got, s1) {
		t.Errorf("%s: a broken ciphertext gives %x and %x (%v)", name, got, want, err)
	}
}
