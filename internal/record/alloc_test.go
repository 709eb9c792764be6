//go:build !race && !purego

// The race detector turns off an optimization of the compiler (appending a made
// slice without making it) on which the standard library's hashes rely here. With
// the tag purego, golang.org/x/crypto's ChaCha20 allocates.

package record

import (
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// The ciphers of our own primitives are built again without allocating, after an idle time
// and for other keys.
func TestBuildingAgainDoesNotAllocate(t *testing.T) {
	for _, c := range distinct() {
		h, content, buf := keyed(c.p), make([]byte, 10), make([]byte, 0, 1500)
		seal := func() {
			if _, err := h.Seal(buf, wire.ContentApplicationData, wire.TLS12, content, 0); err != nil {
				t.Fatal(err)
			}
		}
		if seal(); !again(h.ciphers) {
			continue
		}
		if n := testing.AllocsPerRun(100, func() { h.Idle(); seal(); h.SetKeys(c.p); seal() }); n != 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

func again(c ciphers) (ok bool) {
	switch c := c.(type) {
	case *aead12:
		_, ok = c.AEAD.(rekeyed)
	case *aead13:
		_, ok = c.AEAD.(rekeyed)
	}
	return ok
}

func TestNothingAllocated(t *testing.T) {
	for _, c := range append(distinct(), protectedCase{name: "clear"}) {
		out, in := new(Half), new(Half)
		if c.p.Suite != nil {
			out, in = keyed(c.p), keyed(c.p)
		}
		content, buf := make([]byte, 1000), make([]byte, 0, 1500)
		dst := make([]byte, 1500)
		if n := testing.AllocsPerRun(100, func() {
			rec, err := out.Seal(buf, wire.ContentApplicationData, wire.TLS12, content, 7)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, _, _, err = in.OpenInto(dst, rec); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations to seal and open into", c.name, n)
		}
		if n := testing.AllocsPerRun(100, func() {
			rec, _ := out.Seal(buf, wire.ContentApplicationData, wire.TLS12, content, 0)
			if _, _, _, err := in.Open(rec); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations to seal and open", c.name, n)
		}
	}
}
