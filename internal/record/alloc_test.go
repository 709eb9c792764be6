//go:build !race && !purego

// The race detector turns off an optimization of the compiler (appending a made
// slice without making it) on which the standard library's hashes rely here. With
// the tag purego, golang.org/x/crypto's ChaCha20 allocates.

package record

import (
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

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
