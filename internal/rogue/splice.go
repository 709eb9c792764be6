package rogue

import (
	"fmt"
	"iter"

	"github.com/vitrine-tls/vitrine/wire"
)

// spliced puts messages of another connection of the same flow in the place of
// those that are due: each alone, all from one on, and all up to one.
func spliced(p *plan) iter.Seq[Deviation] {
	return func(yield func(Deviation) bool) {
		for _, victim := range roles {
			other := p.other.Units[victim.Peer()]
			for i, u := range other {
				if u.Type != wire.ContentHandshake {
					continue
				}
				for name, takes := range map[string]func(n int) bool{
					"alone": func(n int) bool { return n == i }, "and what follows": func(n int) bool { return n >= i }, "and what came before": func(n int) bool { return n <= i },
				} {
					d := Deviation{Kind: "of another connection", Name: fmt.Sprintf("%d %v %s", i, u, name), Victim: victim}
					d.edit = replacing(func(n int, u Unit) []piece {
						if !takes(n) || n >= len(other) {
							return []piece{u.piece()}
						}
						p := other[n].piece()
						p.odd = true
						return []piece{p}
					})
					if !yield(d) {
						return
					}
				}
			}
		}
	}
}
