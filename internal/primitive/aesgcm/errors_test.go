package aesgcm

import (
	"bytes"
	"crypto/aes"
	"errors"
	"testing"
)

// A bit that is wrong anywhere (the ciphertext, the tag, the nonce, the additional
// data) fails, and leaves zeros where the plaintext would be.
func TestWrongBits(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		for _, keyLen := range keyLens {
			for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 33, 63, 64, 65, 128, 255, 256, 257, 300, 520} {
				src := newSource(uint64(n))
				a := ours(t, src.bytes(keyLen))
				nonce, data, plaintext := src.bytes(nonceSize), src.bytes(13), src.bytes(n)
				sealed := a.Seal(nil, nonce, plaintext, data)
				for what, where := range map[string][]byte{"message": sealed, "nonce": nonce, "data": data} {
					for i := range where {
						where[i] ^= 1 << (i % 8)
						out := append(bytes.Repeat([]byte{0xff}, 40), plaintext...)
						if p, err := a.Open(out[:40], nonce, sealed, data); err == nil || p != nil {
							t.Fatalf("%d bytes: byte %d of the %s is wrong, and it opens", n, i, what)
						}
						if !bytes.Equal(out[:40], bytes.Repeat([]byte{0xff}, 40)) || !bytes.Equal(out[40:], make([]byte, n)) {
							t.Fatalf("%d bytes, byte %d of the %s wrong: %x is left", n, i, what, out)
						}
						where[i] ^= 1 << (i % 8)
					}
				}
				if p, err := a.Open(sealed[:0], nonce, sealed, data); err != nil || !bytes.Equal(p, plaintext) {
					t.Fatalf("%d bytes: what is right does not open any more: %v", n, err)
				}
			}
		}
	})
}

// What is too short for a tag, and a data that is longer or shorter, fails.
func TestWrongLengths(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		a, nonce := ours(t, make([]byte, 16)), make([]byte, nonceSize)
		sealed := a.Seal(nil, nonce, make([]byte, 100), make([]byte, 20))
		for n := range sealed {
			if _, err := a.Open(nil, nonce, sealed[:n], make([]byte, 20)); err == nil {
				t.Errorf("the first %d bytes open", n)
			}
		}
		for n := range 40 {
			if _, err := a.Open(nil, nonce, sealed, make([]byte, n)); (err == nil) != (n == 20) {
				t.Errorf("with %d bytes of data, not 20: %v", n, err)
			}
		}
	})
}

// The caller's mistakes panic where crypto/cipher panics, and nowhere else.
func TestMisuse(t *testing.T) {
	buf := make([]byte, 200)
	nonce := buf[180:192]
	for what, c := range map[string]struct{ dst, nonce, in, data []byte }{
		"a short nonce":                        {nil, nonce[:11], buf[:40], nil},
		"a long nonce":                         {nil, buf[160:176], buf[:40], nil},
		"no nonce":                             {nil, nil, buf[:40], nil},
		"a short nonce, and nothing to open":   {nil, nonce[:11], nil, nil},
		"in place":                             {buf[:0], nonce, buf[:40], nil},
		"in place, with what is before":        {buf[:5], nonce, buf[5:45], buf[:5]},
		"apart":                                {buf[60:60], nonce, buf[:40], nil},
		"right behind":                         {buf[40:40], nonce, buf[:40], nil},
		"output ahead of input":                {buf[:0], nonce, buf[1:41], nil},
		"output behind the beginning":          {buf[1:1], nonce, buf[:40], nil},
		"the tag on the input":                 {buf[:0], nonce, buf[45:85], nil},
		"no capacity":                          {buf[:0:0], nonce, buf[1:41], nil},
		"data in the output":                   {buf[:0], nonce, buf[60:100], buf[10:15]},
		"data in the tag's place":              {buf[:0], nonce, buf[60:100], buf[50:55]},
		"data right behind the output":         {buf[:0], nonce, buf[60:100], buf[56:60]},
		"data that is the input":               {buf[100:100], nonce, buf[:40], buf[:40]},
		"data in the output, of which is none": {buf[:0], nonce, buf[60:60], buf[0:5]},
	} {
		key := make([]byte, 16)
		want := panicked(func() { reference(t, key).Seal(c.dst, c.nonce, c.in, c.data) })
		wantOpen := panicked(func() { reference(t, key).Open(c.dst, c.nonce, c.in, c.data) })
		onEachPath(t, func(t *testing.T) {
			if got := panicked(func() { ours(t, key).Seal(c.dst, c.nonce, c.in, c.data) }); got != want {
				t.Errorf("%s: Seal panics: %v, crypto/cipher: %v", what, got, want)
			}
			if got := panicked(func() { ours(t, key).Open(c.dst, c.nonce, c.in, c.data) }); got != wantOpen {
				t.Errorf("%s: Open panics: %v, crypto/cipher: %v", what, got, wantOpen)
			}
		})
	}
}

func panicked(f func()) (p bool) {
	defer func() { p = recover() != nil }()
	f()
	return false
}

// What was wiped holds nothing, and does not pass plaintext on.
func TestWipe(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		a := ours(t, bytes.Repeat([]byte{0xa5}, 16))
		g, ok := a.(*gcm)
		if !ok {
			t.Skip("crypto/cipher offers no such thing")
		}
		sealed := a.Seal(nil, make([]byte, nonceSize), nil, nil)
		a.(interface{ Wipe() }).Wipe()
		if *g != (gcm{}) {
			t.Errorf("%+v is left", g)
		}
		if !panicked(func() { a.Seal(nil, make([]byte, nonceSize), nil, nil) }) {
			t.Error("it seals")
		}
		for n := range len(sealed) + 1 {
			if !panicked(func() { a.Open(nil, make([]byte, nonceSize), sealed[:n], nil) }) {
				t.Errorf("it opens, or refuses, %d bytes", n)
			}
		}
	})
}

// With another key, of either length, g is what New makes of that key.
func TestRekey(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		a, ok := ours(t, make([]byte, 16)).(*gcm)
		if !ok {
			t.Skip("crypto/cipher offers no such thing")
		}
		for i, n := range []int{16, 32, 16, 32, 32, 16} {
			key := bytes.Repeat([]byte{byte(i + 1)}, n)
			if !a.Rekey(key) {
				if pathFor(n) != portable {
					t.Errorf("no key of %d bytes", n)
				}
				continue
			}
			if want := ours(t, key).(*gcm); *a != *want {
				t.Errorf("with key %d it differs from a new one", i)
			}
			if i%2 == 0 {
				a.Wipe()
			}
		}
		for _, n := range []int{0, 24, 33} { // crypto/cipher's, or nobody's
			if a.Rekey(make([]byte, n)) || *a != (gcm{}) {
				t.Errorf("it takes a key of %d bytes, or keeps the last one", n)
			}
		}
	})
}

func TestKeySizes(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		for n := range 70 {
			a, err := New(make([]byte, n))
			wrong := aes.KeySizeError(n)
			if right := n == 16 || n == 24 || n == 32; right != (err == nil) || !right && !errors.Is(err, wrong) {
				t.Errorf("%d bytes: %v", n, err)
			}
			if err == nil && (a.NonceSize() != nonceSize || a.Overhead() != tagSize) {
				t.Errorf("%d bytes: nonces of %d, tags of %d", n, a.NonceSize(), a.Overhead())
			}
		}
	})
}

// The key is copied: what becomes of the caller's does not matter.
func TestKeyIsCopied(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		key := newSource(1).bytes(32)
		a, nonce := ours(t, key), make([]byte, nonceSize)
		before := a.Seal(nil, nonce, nil, nil)
		if clear(key); !bytes.Equal(a.Seal(nil, nonce, nil, nil), before) {
			t.Error("a change of the key's slice changes the cipher")
		}
	})
}
