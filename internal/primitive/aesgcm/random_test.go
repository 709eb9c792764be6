package aesgcm

import (
	"flag"
	"testing"
)

// cases is how many random cases there are for each path. Ten million have been run
// once on each: it takes minutes.
var cases = flag.Int("cases", 10_000, "random cases beside crypto/cipher, for each path")

// Random keys, lengths, alignments and additional data, in place and apart, and a
// random bit that is wrong.
func TestRandom(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		src := newSource(uint64(*cases))
		for done := 0; done < *cases; {
			key := src.bytes(keyLens[src.IntN(len(keyLens))])
			want, got := reference(t, key), ours(t, key)
			for range 50 {
				n := src.IntN(601)
				switch src.IntN(500) {
				case 0:
					n = 16384 + src.IntN(600) - 300
				case 1:
					n = src.IntN(5000)
				}
				m := message{src.bytes(nonceSize), src.bytes(src.IntN(2 << src.IntN(7))), src.bytes(n), src.IntN(64), src.IntN(2) == 0}
				if d := differs(want, got, m); d != "" {
					t.Fatalf("key %x, nonce %x, data %x, plaintext %x: %s", key, m.nonce, m.data, m.plaintext, d)
				}
				sealed := got.Seal(nil, m.nonce, m.plaintext, m.data)
				sealed[src.IntN(len(sealed))] ^= 1 << src.IntN(8)
				if _, err := got.Open(nil, m.nonce, sealed, m.data); err == nil {
					t.Fatalf("key %x, nonce %x, data %x: what is wrong opens: %x", key, m.nonce, m.data, sealed)
				}
				done++
			}
		}
	})
}

// What is sealed is what crypto/cipher seals, whatever the bytes are.
func FuzzSeal(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), []byte("nonce of 12."), []byte("data"), []byte("a message"), uint8(3))
	f.Add(make([]byte, 32), make([]byte, nonceSize), make([]byte, 13), make([]byte, 300), uint8(0))
	f.Fuzz(func(t *testing.T, key, nonce, data, plaintext []byte, align uint8) {
		if len(key) != 16 && len(key) != 32 || len(nonce) != nonceSize {
			t.Skip("an error, or a panic, that other tests look at")
		}
		m := message{nonce, data, plaintext, int(align % 64), align >= 128}
		for _, way := range forced[:2] {
			if d := differs(reference(t, key), way.cipher(t, key), m); d != "" {
				t.Errorf("%s: %s", way.name, d)
			}
		}
	})
}

// What opens, and as what, is what opens with crypto/cipher.
func FuzzOpen(f *testing.F) {
	key, nonce := make([]byte, 16), make([]byte, nonceSize)
	f.Add(key, nonce, []byte("data"), reference(f, key).Seal(nil, nonce, []byte("a message"), []byte("data")))
	f.Fuzz(func(t *testing.T, key, nonce, data, sealed []byte) {
		if len(key) != 16 && len(key) != 32 || len(nonce) != nonceSize {
			t.Skip("an error, or a panic, that other tests look at")
		}
		want, wantErr := reference(t, key).Open(nil, nonce, sealed, data)
		for _, way := range forced[:2] {
			got, err := way.cipher(t, key).Open(nil, nonce, sealed, data)
			if (err == nil) != (wantErr == nil) || string(got) != string(want) {
				t.Errorf("%s: opened %x (%v), want %x (%v)", way.name, got, err, want, wantErr)
			}
		}
	})
}
