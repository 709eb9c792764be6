package aesgcm

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/primitive/cpu"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// A way makes New take a path, where has says that this machine has it.
type way struct {
	name, without string
	has           func() bool
}

var forced = []way{
	{"512 bits", "", func() bool { return cpu.VAES512 }},
	{"256 bits", "avx512", func() bool { return cpu.VAES256 }},
	{"crypto/cipher", "off", func() bool { return true }},
}

// cipher is what New returns on that way.
func (w way) cipher(t testing.TB, key []byte) cipher.AEAD {
	defer cpu.Without(w.without)()
	return ours(t, key)
}

// onEachPath runs f with each path that this processor has. The others are skipped,
// visibly.
func onEachPath(t *testing.T, f func(t *testing.T)) {
	for _, way := range forced {
		t.Run(way.name, func(t *testing.T) {
			defer cpu.Without(way.without)()
			if !way.has() {
				t.Skip("this processor, or this build, has no such path")
			}
			f(t)
		})
	}
}

// reference is crypto/cipher's.
func reference(t testing.TB, key []byte) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func ours(t testing.TB, key []byte) cipher.AEAD {
	t.Helper()
	a, err := New(key)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// source draws reproducible bytes.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 14))} }

func (s source) bytes(n int) []byte {
	b := make([]byte, (n+7)/8*8)
	for i := 0; i < n; i += 8 {
		binary.LittleEndian.PutUint64(b[i:], s.Uint64())
	}
	return b[:n:n]
}

// message is one case: what is sealed, and where it lies.
type message struct {
	nonce, data, plaintext []byte
	align                  int // of input and output, in bytes
	apart                  bool
}

// differs says how our cipher differs from crypto/cipher's on m, in sealing and
// opening, in place or apart; empty if it does not.
func differs(want, got cipher.AEAD, m message) string {
	n := len(m.plaintext)
	sealed := want.Seal(nil, m.nonce, m.plaintext, m.data)
	room := make([]byte, 2*(n+tagSize+m.align)+128)
	in := room[m.align : m.align+n+tagSize]
	out := in[:0]
	if m.apart {
		at := m.align + n + tagSize + 32 + m.align%7
		out = room[at : at : at+n+tagSize]
	}
	copy(in, m.plaintext)
	s := got.Seal(out, m.nonce, in[:n], m.data)
	if !bytes.Equal(s, sealed) {
		return fmt.Sprintf("sealed %x, want %x", s, sealed)
	}
	if m.apart && !bytes.Equal(in[:n], m.plaintext) {
		return "the plaintext has changed"
	}
	copy(in, sealed)
	p, err := got.Open(out, m.nonce, in, m.data)
	if err != nil || !bytes.Equal(p, m.plaintext) {
		return fmt.Sprintf("opened %x (%v), want %x", p, err, m.plaintext)
	}
	for i, b := range room[:m.align] {
		if b != 0 {
			return fmt.Sprintf("byte %d before the message is written", m.align-i)
		}
	}
	for i, b := range room[len(room)-64:] {
		if b != 0 {
			return fmt.Sprintf("byte %d behind the message is written", i)
		}
	}
	return ""
}

var keyLens = []int{16, 24, 32}

// Every length from 0 to 600, and those around 16 KB, in place and apart.
func TestEveryLength(t *testing.T) {
	lengths := make([]int, 0, 700)
	for n := range 601 {
		lengths = append(lengths, n)
	}
	for n := 16384 - 40; n <= 16384+300; n += 5 {
		lengths = append(lengths, n)
	}
	onEachPath(t, func(t *testing.T) {
		for _, keyLen := range keyLens {
			src := newSource(uint64(keyLen))
			key := src.bytes(keyLen)
			want, got := reference(t, key), ours(t, key)
			for _, n := range lengths {
				for _, dataLen := range []int{0, 5, 13, n % 70} {
					m := message{src.bytes(nonceSize), src.bytes(dataLen), src.bytes(n), n % 64, n%2 == 0}
					if d := differs(want, got, m); d != "" {
						t.Fatalf("%d bits, %d bytes, %d of data: %s", 8*keyLen, n, dataLen, d)
					}
				}
			}
		}
	})
}

// Every alignment, with lengths that end in each part of the code.
func TestEveryAlignment(t *testing.T) {
	onEachPath(t, func(t *testing.T) {
		for _, keyLen := range keyLens {
			src := newSource(uint64(keyLen))
			key := src.bytes(keyLen)
			want, got := reference(t, key), ours(t, key)
			for align := range 64 {
				for _, n := range []int{1, 16, 31, 64, 100, 255, 256, 257, 600, 1025} {
					for _, apart := range []bool{false, true} {
						m := message{src.bytes(nonceSize), src.bytes(13), src.bytes(n), align, apart}
						if d := differs(want, got, m); d != "" {
							t.Fatalf("%d bits, %d bytes at %d: %s", 8*keyLen, n, align, d)
						}
					}
				}
			}
		}
	})
}
