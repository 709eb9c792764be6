//go:build !vitrine_std && !race

// The race detector changes what is inlined and allocated.

package kex

import (
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// The collector is what stops handshakes from scaling over cores, so every
// allocation of a common group is counted.
func TestAllocations(t *testing.T) {
	for _, c := range []struct {
		id                        wire.NamedGroup
		generate, respond, finish float64
	}{
		{wire.GroupX25519, 3, 1, 1},
		{wire.GroupX25519MLKEM768, 7, 2, 1},
	} {
		p := generate(t, c.id)
		share, _, err := Respond(c.id, p.Share())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []struct {
			name string
			most float64
			run  func()
		}{
			{"Generate", c.generate, func() { Generate(c.id) }},
			{"Respond", c.respond, func() { Respond(c.id, p.Share()) }},
			{"Finish", c.finish, func() { p.Finish(share) }},
		} {
			if n := testing.AllocsPerRun(20, f.run); n > f.most {
				t.Errorf("%v: %s allocates %v times, at most %v wanted", c.id, f.name, n, f.most)
			}
		}
	}
}
