package rsa

import (
	"bytes"
	"crypto/rand"
	std "crypto/rsa"
	"math/big"
	"sync"
	"testing"
)

var fuzzedKey = sync.OnceValues(func() (*std.PrivateKey, error) { return std.GenerateKey(rand.Reader, 2048) })

// FuzzDecrypt encrypts any number that a client can encrypt, and asks what a simple reader
// of the padding says of it.
func FuzzDecrypt(f *testing.F) {
	good := append(append([]byte{0, 2}, bytes.Repeat([]byte{1}, 256-51)...), make([]byte, 49)...)
	for _, at := range []int{0, 1, 2, 9, 10, 206, 207, 208, 255} {
		changed := bytes.Clone(good)
		changed[at] ^= 1
		f.Add(changed, uint8(48))
	}
	f.Add(good, uint8(48))
	f.Add(append([]byte{0, 2}, bytes.Repeat([]byte{1}, 254)...), uint8(0))
	f.Fuzz(func(t *testing.T, padded []byte, n uint8) {
		need(t)
		k, err := fuzzedKey()
		if err != nil {
			t.Fatal(err)
		}
		number := new(big.Int).SetBytes(padded)
		if len(padded) != 256 || number.Cmp(k.N) >= 0 || int(n)+11 > 256 {
			return
		}
		c := number.Exp(number, big.NewInt(int64(k.E)), k.N).FillBytes(make([]byte, 256))
		got := decryptSessionKey(k, c, int(n))
		if len(got) != int(n) {
			t.Fatalf("%d bytes, want %d", len(got), n)
		}
		zero := bytes.IndexByte(padded[2:], 0) + 2
		isGood := padded[0] == 0 && padded[1] == 2 && zero == 256-int(n)-1
		if n >= 8 && bytes.Equal(got, padded[256-int(n):]) != isGood {
			t.Fatalf("%x opened to %x: padded well: %v", padded, got, isGood)
		}
	})
}
