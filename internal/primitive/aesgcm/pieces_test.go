package aesgcm

import (
	"bytes"
	"testing"
)

// A plaintext in two pieces is sealed as one is, and the first piece does not change.
func TestSealWith(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		for _, keyLen := range []int{16, 32} {
			src := newSource(uint64(keyLen))
			g, ok := ours(t, src.bytes(keyLen)).(*gcm)
			if !ok {
				t.Skip("crypto/cipher offers no such thing")
			}
			for n := range 1200 {
				for _, more := range []int{0, 1, 2, 17, 130, 300} {
					nonce, data, plaintext, suffix := src.bytes(nonceSize), src.bytes(5), src.bytes(n), src.bytes(more)
					before := bytes.Clone(plaintext)
					want := g.Seal(nil, nonce, append(bytes.Clone(plaintext), suffix...), data)
					if got := g.SealWith([]byte("head"), nonce, plaintext, suffix, data); !bytes.Equal(got[4:], want) || string(got[:4]) != "head" {
						t.Fatalf("%d and %d bytes: sealed %x, want %x", n, more, got, want)
					}
					if !bytes.Equal(plaintext, before) {
						t.Fatalf("%d and %d bytes: the plaintext has changed", n, more)
					}
					if got := g.SealWith(append(make([]byte, 0, n+more+tagSize), plaintext...)[:0], nonce, plaintext, suffix, data); !bytes.Equal(got, want) {
						t.Fatalf("%d and %d bytes, into room: sealed %x, want %x", n, more, got, want)
					}
					room := append(make([]byte, 0, n+more+tagSize), plaintext...)
					if got := g.SealWith(room[:0], nonce, room, suffix, data); !bytes.Equal(got, want) {
						t.Fatalf("%d and %d bytes, in place: sealed %x, want %x", n, more, got, want)
					}
				}
			}
			buf := make([]byte, 100)
			for what, f := range map[string]func(){
				"output ahead of input": func() { g.SealWith(buf[:0], buf[80:92], buf[1:20], nil, nil) },
				"suffix in the output":  func() { g.SealWith(buf[:0], buf[80:92], buf[50:60], buf[10:11], nil) },
				"suffix in the tag":     func() { g.SealWith(buf[:0], buf[80:92], buf[50:60], buf[20:21], nil) },
				"data in the output":    func() { g.SealWith(buf[:0], buf[80:92], buf[50:60], nil, buf[10:11]) },
				"a short nonce":         func() { g.SealWith(buf[:0], buf[80:91], buf[50:60], nil, nil) },
			} {
				if !panicked(f) {
					t.Errorf("%s does not panic", what)
				}
			}
		}
	})
}
