package rogue

import (
	"fmt"
	"iter"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// What is wrong with the order of messages: one or two are left out, sent twice,
// exchanged, moved or put in. All fits together but for that.

// editor is what a Deviation's edit returns.
type editor = func(n int, u Unit) []piece

// replacing has f say what becomes of each unit; it is told of all in their order.
func replacing(f editor) func() editor { return func() editor { return f } }

func (p piece) asOdd() piece {
	p.odd, p.mend = true, true
	return p
}

var nothing = piece{odd: true, lost: true}

// leftOut leaves out one unit, or two.
func leftOut(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "left out", Mend: true, want: fails}, func(units []Unit, add adder) {
		for i := range units {
			for j := i; j < len(units); j++ {
				add(fmt.Sprint(names(units, i, j)), replacing(func(n int, u Unit) []piece {
					if n == i || n == j {
						return []piece{nothing}
					}
					return []piece{u.piece()}
				}))
			}
		}
	})
}

// repeated sends one unit twice, or two.
func repeated(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "sent twice", Mend: true, want: fails}, func(units []Unit, add adder) {
		for i := range units {
			for j := i; j < len(units); j++ {
				add(fmt.Sprint(names(units, i, j)), replacing(func(n int, u Unit) []piece {
					if n == i || n == j {
						return []piece{u.piece(), u.piece().asOdd()}
					}
					return []piece{u.piece()}
				}))
			}
		}
	})
}

// exchanged has two units change places.
func exchanged(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "exchanged", Mend: true, want: fails}, func(units []Unit, add adder) {
		for i := range units {
			for j := i + 1; j < len(units); j++ {
				add(fmt.Sprint(names(units, i, j)), holding(i, j, func(held []piece, last piece) []piece {
					return append(append([]piece{last.asOdd()}, held[1:]...), held[0].asOdd())
				}))
			}
		}
	})
}

// moved sends a unit earlier, or later, than it is due.
func moved(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "moved", Mend: true, want: fails}, func(units []Unit, add adder) {
		for i := range units {
			for j := i + 2; j < len(units); j++ { // to the next place is an exchange
				add(fmt.Sprintf("%v %v later", names(units, i, i), j-i), holding(i, j, func(held []piece, last piece) []piece {
					return append(append(slices.Clone(held[1:]), last), held[0].asOdd())
				}))
				add(fmt.Sprintf("%v %v earlier", names(units, j, j), j-i), holding(i, j, func(held []piece, last piece) []piece {
					return append([]piece{last.asOdd()}, held...)
				}))
			}
		}
	})
}

// holding holds the units from the i-th on until the j-th, which is last, comes; then
// put says in what order they are sent.
func holding(i, j int, put func(held []piece, last piece) []piece) func() editor {
	return func() editor {
		var held []piece
		return func(n int, u Unit) []piece {
			switch {
			case n < i || n > j:
				return []piece{u.piece()}
			case n < j:
				held = append(held, u.piece())
				return nil
			}
			return put(held, u.piece())
		}
	}
}

// inserted puts in one message, or two, of any type.
func inserted(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "put in", Mend: true, want: fails}, func(units []Unit, add adder) {
		for i, due := range units {
			for _, x := range p.alphabet {
				for k, y := range append([]Unit{{}}, p.alphabet...) {
					put, name := []piece{x.piece().asOdd()}, x.String()
					if k > 0 {
						put, name = append(put, y.piece().asOdd()), name+" and "+y.String()
					}
					add(fmt.Sprintf("%s before %d %v", name, i, due), replacing(func(n int, u Unit) []piece {
						if n == i {
							return append(slices.Clone(put), u.piece())
						}
						return []piece{u.piece()}
					}))
				}
			}
		}
	})
}

func names(units []Unit, i, j int) string {
	s := fmt.Sprintf("%d %v", i, units[i])
	if j != i {
		s += fmt.Sprintf(" and %d %v", j, units[j])
	}
	return s
}

// strangers are messages that are put in though no flow has them: of types that are
// unknown, that only the inside of this library uses, or that are not for this
// version.
func strangers(v wire.Version) []Unit {
	units := []Unit{
		{Type: wire.ContentApplicationData, Body: []byte("early data")},
		{Type: wire.ContentChangeCipherSpec, Body: []byte{1}},
	}
	for _, typ := range []wire.HandshakeType{
		wire.TypeHelloRequest, wire.TypeServerHelloDone, wire.TypeFinished, wire.TypeEndOfEarlyData, wire.TypeKeyUpdate, wire.TypeMessageHash, 99, 252, 253, 255,
	} {
		body := []byte{}
		if typ == wire.TypeKeyUpdate {
			body = []byte{0}
		}
		units = append(units, Unit{Type: wire.ContentHandshake, Body: withBody(typ, body)})
	}
	if v == wire.TLS13 { // a recording has none, for they follow the handshake
		ticket := wire.NewSessionTicket{Lifetime: 3600, Nonce: []byte{0}, Ticket: []byte("a ticket")}
		units = append(units, Unit{Type: wire.ContentHandshake, Body: wire.AppendMessage(nil, &ticket, wire.Context{Version: v, From: wire.Server})})
	}
	return units
}
