package keys

import (
	"bytes"
	"crypto/hmac"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// random returns reproducible bytes.
func random(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func forEachHash(t *testing.T, test func(t *testing.T, h *suite.Hash, r *rand.Rand)) {
	for _, h := range suite.Hashes {
		t.Run(h.Name, func(t *testing.T) { test(t, h, rand.New(rand.NewPCG(1, 2))) })
	}
}

func stdHMAC(h *suite.Hash, key []byte, data ...[]byte) []byte {
	m := hmac.New(h.New, key)
	for _, d := range data {
		m.Write(d)
	}
	return m.Sum(nil)
}

// Lengths around the block, the gathering buffer and the padding of the hash.
func TestHMACEqualsStd(t *testing.T) {
	forEachHash(t, func(t *testing.T, h *suite.Hash, r *rand.Rand) {
		for n := range 600 {
			key, data := random(r, n), random(r, (n*7)%1111)
			cut := r.IntN(len(data) + 1)
			want := stdHMAC(h, key, data)
			if got := HMAC(h, nil, key, data[:cut], nil, data[cut:]); !bytes.Equal(got, want) {
				t.Fatalf("key of %d, data of %d+%d bytes: got %x, want %x", n, cut, len(data)-cut, got, want)
			}
		}
	})
}

func TestHMACAppendsAndMayOverlap(t *testing.T) {
	key, data := []byte("key"), []byte("some data of more than a few bytes, enough for any hash")
	want := append([]byte("prefix"), stdHMAC(suite.SHA256, key, data)...)
	if got := HMAC(suite.SHA256, []byte("prefix"), key, data); !bytes.Equal(got, want) {
		t.Errorf("appending gave %x, want %x", got, want)
	}
	if got := HMAC(suite.SHA256, data[:0], key, data); !bytes.Equal(got, want[len("prefix"):]) {
		t.Errorf("over its own input gave %x, want %x", got, want[len("prefix"):])
	}
}

// One keyed mac serves many HMACs; from the second on it starts from saved states.
func TestMACReusesKey(t *testing.T) {
	forEachHash(t, func(t *testing.T, h *suite.Hash, r *rand.Rand) {
		key := random(r, 48)
		m := newMAC(h, key)
		defer m.release()
		for n := range 50 {
			data := random(r, n*13)
			if n > 0 {
				m.start()
			}
			m.write(data)
			if got, want := m.finish(), stdHMAC(h, key, data); !bytes.Equal(got, want) {
				t.Fatalf("HMAC %d under one key: got %x, want %x", n, got, want)
			}
		}
		if m.inner == nil {
			t.Error("the key is absorbed anew for each HMAC")
		}
	})
}

// A released mac holds nothing of the key, of the input or of the result.
func TestReleaseWipes(t *testing.T) {
	forEachHash(t, func(t *testing.T, h *suite.Hash, r *rand.Rand) {
		m := newMAC(h, random(r, 40))
		for range 3 {
			m.write(random(r, 100))
			m.finish()
			m.start()
		}
		m.write(random(r, 100))
		m.release()
		// Nothing else in this package's tests runs now, so m is still ours to look at.
		var zero mac
		if m.pad != zero.pad || m.buf != zero.buf || m.sum != zero.sum || m.saved != zero.saved || m.inner != nil || m.outer != nil || m.n != 0 || m.used {
			t.Errorf("after release: %+v", m)
		}
		state, err := m.hash.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(state, m.fresh) {
			t.Errorf("the hash is left in state %x", state)
		}
	})
}

func TestEmptyHash(t *testing.T) {
	forEachHash(t, func(t *testing.T, h *suite.Hash, _ *rand.Rand) {
		if got, want := EmptyHash(h), h.New().Sum(nil); !bytes.Equal(got, want) {
			t.Errorf("got %x, want %x", got, want)
		}
	})
}

func TestHMACConcurrently(t *testing.T) {
	key, data := []byte("key"), []byte("data")
	want := stdHMAC(suite.SHA256, key, data)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 500 {
				if got := HMAC(suite.SHA256, nil, key, data); !bytes.Equal(got, want) {
					t.Errorf("got %x, want %x", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}
