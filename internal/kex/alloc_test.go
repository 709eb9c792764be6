//go:build !vitrine_std && !race

// The race detector changes what is inlined and allocated.

package kex

import (
	"slices"
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
		{wire.GroupX25519, 3, 0, 1},
		{wire.GroupX25519MLKEM768, 7, 1, 1},
	} {
		p := generate(t, c.id)
		share, secret, err := Respond(c.id, p.Share())
		if err != nil {
			t.Fatal(err)
		}
		answer := slices.Clone(share)
		for _, f := range []struct {
			name string
			most float64
			run  func()
		}{
			{"Generate", c.generate, func() { Generate(c.id) }},
			{"AppendResponse", c.respond, func() { AppendResponse(share[:0], secret[:0], c.id, p.Share()) }},
			{"Finish", c.finish, func() { p.Finish(answer) }},
		} {
			if n := testing.AllocsPerRun(20, f.run); n > f.most {
				t.Errorf("%v: %s allocates %v times, at most %v wanted", c.id, f.name, n, f.most)
			}
		}
	}
}
