package suite

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
)

// NIST SP 800-38C, Appendix C, Example 3: the one with the nonce and a tag of TLS.
func TestCCMExample3(t *testing.T) {
	count := func(from, n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(from + i)
		}
		return b
	}
	a, err := newCCM8(count(0x40, 16))
	if err != nil {
		t.Fatal(err)
	}
	got := a.Seal(nil, count(0x10, 12), count(0x20, 24), count(0, 20))
	if want := "e3b201a9f5b71a7a9b1ceaeccd97e70b6176aad9a4428aa5484392fbc1b09951"; hex.EncodeToString(got) != want {
		t.Errorf("%x, want %s", got, want)
	}
}

// Made with OpenSSL from keys, nonces, plaintexts and data that labelled makes.
var ccmVectors = []struct {
	keyLen, tagLen, plaintext, data int
	sealed                          string
}{
	{16, 16, 0, 0, "9fd44321d57d6230e9d74211b5640872"},
	{16, 16, 1, 5, "f3b47f941f41d40c08b2ca42c21f8ad54e"},
	{16, 16, 16, 13, "f3648dee6c858307537852fa4fdd07935439acdcba52b9699423324b38d44074"},
	{16, 16, 31, 14, "f3648dee6c858307537852fa4fdd0793d148b7eab82c88fdfea1e05bc38b7e1a898b53922aaff739389ff72908555f"},
	{16, 16, 33, 15, "f3648dee6c858307537852fa4fdd0793d148b7eab82c88fdfea1e05bc38b7e697447c2bde3666826582af0c78463635052"},
	{16, 8, 0, 13, "9e8f4852cc12ae8b"},
	{16, 8, 64, 30, "f3648dee6c858307537852fa4fdd0793d148b7eab82c88fdfea1e05bc38b7e69741e941f3bf5ac005a33bc1315392aa7150facb1748df9af4c83c283fce948759005dab34c3edb03"},
	{32, 16, 16, 13, "a6bb4710691a9707613ec978050bc2014b64dfd3026e244cf411ee90f686ce5a"},
	{32, 16, 64, 30, "a6bb4710691a9707613ec978050bc2011231c4f2cd74ba5ea7af5c9778064952c06c213f5fa1d53c1767735a1604df087bb4da8cecb7592f64830efff28cd03539017d2cdb069d42f6b2cac343f6231b"},
	{32, 8, 100, 46, "a6bb4710691a9707613ec978050bc2011231c4f2cd74ba5ea7af5c9778064952c06c213f5fa1d53c1767735a1604df087bb4da8cecb7592f64830efff28cd03500ed75fe36ea1c94d674a5da9ef76543b63d8d662fb1dfe3634ffb3c0ff3244d91d5c0e8ffcbe1434c1e0759"},
}

// labelled is the first n bytes of SHA-256(label + "0") + SHA-256(label + "1") + ...
func labelled(label string, n int) []byte {
	var out []byte
	for i := 0; len(out) < n; i++ {
		sum := sha256.Sum256([]byte(fmt.Sprint(label, i)))
		out = append(out, sum[:]...)
	}
	return out[:n]
}

var ccms = map[int]func([]byte) (cipher.AEAD, error){16: newCCM, 8: newCCM8}

func mustCCM(t testing.TB, keyLen, tagLen int) cipher.AEAD {
	a, err := ccms[tagLen](labelled("key", keyLen))
	if err != nil || a.NonceSize() != 12 || a.Overhead() != tagLen {
		t.Fatal(a, err)
	}
	return a
}

func TestCCMVectors(t *testing.T) {
	nonce := labelled("nonce", 12)
	for _, v := range ccmVectors {
		a, plaintext, data := mustCCM(t, v.keyLen, v.tagLen), labelled("plaintext", v.plaintext), labelled("data", v.data)
		sealed := a.Seal([]byte("before"), nonce, plaintext, data)
		if want := "before" + unhexed(v.sealed); string(sealed) != want {
			t.Errorf("%+v: %x", v, sealed[6:])
		}
		got, err := a.Open([]byte("before"), nonce, sealed[6:], data)
		if err != nil || string(got) != "before"+string(plaintext) {
			t.Errorf("%+v: opened %x, %v", v, got, err)
		}
		for i := range 8 * (len(sealed) - 6) {
			bad := bytes.Clone(sealed[6:])
			bad[i/8] ^= 1 << (i % 8)
			if got, err := a.Open(bad[:0], nonce, bad, data); err == nil || got != nil || !wiped(bad[:v.plaintext]) {
				t.Fatalf("%+v: bit %d flipped: %x, %v; left behind %x", v, i, got, err, bad)
			}
		}
		for n := range len(sealed) - 6 {
			if _, err := a.Open(nil, nonce, sealed[6:][:n], data); err == nil {
				t.Fatalf("%+v: cut to %d bytes it opens", v, n)
			}
		}
		if _, err := a.Open(nil, nonce, sealed[6:], append(data, 0)); err == nil {
			t.Errorf("%+v opens with other data", v)
		}
	}
}

func unhexed(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func wiped(b []byte) bool { return bytes.Count(b, []byte{0}) == len(b) }

// In place, as the record layer uses it, it is the same and allocates nothing.
func TestCCMInPlace(t *testing.T) {
	nonce, data := labelled("nonce", 12), labelled("data", 13)
	for _, n := range []int{0, 1, 15, 16, 17, 1 << 14, 1<<14 + 1} {
		a, plaintext := mustCCM(t, 16, 16), labelled("plaintext", n)
		want := a.Seal(nil, nonce, plaintext, data)
		buf := append(make([]byte, 0, n+16), plaintext...)
		if allocs := testing.AllocsPerRun(5, func() {
			if !bytes.Equal(a.Seal(buf[:0], nonce, buf, data), want) {
				t.Fatalf("%d bytes: sealed in place they differ", n)
			}
			got, err := a.Open(buf[:0], nonce, buf[:n+16], data)
			if err != nil || !bytes.Equal(got, plaintext) {
				t.Fatalf("%d bytes do not open in place: %v", n, err)
			}
		}); allocs != 0 {
			t.Errorf("%d bytes: %v allocations", n, allocs)
		}
	}
}

// What CCM cannot take is a panic, as in the standard library, and never a wrong seal.
func TestCCMLengths(t *testing.T) {
	a := mustCCM(t, 16, 16)
	for name, f := range map[string]func(){
		"nonce":     func() { a.Seal(nil, make([]byte, 13), nil, nil) },
		"plaintext": func() { a.Seal(nil, make([]byte, 12), make([]byte, 1<<24), nil) },
		"data":      func() { a.Seal(nil, make([]byte, 12), nil, make([]byte, 0xff00)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a %s of a wrong length is taken", name)
				}
			}()
			f()
		}()
	}
	if _, err := a.Open(nil, make([]byte, 12), make([]byte, 1<<24+16), nil); err == nil {
		t.Error("a ciphertext that is too long opens")
	}
	for _, build := range ccms {
		if _, err := build(make([]byte, aes.BlockSize+1)); err == nil {
			t.Error("a key of 17 bytes is taken")
		}
	}
}

func BenchmarkCCM(b *testing.B) {
	a, nonce, data, buf := mustCCM(b, 16, 16), make([]byte, 12), make([]byte, 13), make([]byte, 1<<14, 1<<14+16)
	b.SetBytes(1 << 14)
	b.ReportAllocs()
	for b.Loop() {
		a.Seal(buf[:0], nonce, buf, data)
	}
}
