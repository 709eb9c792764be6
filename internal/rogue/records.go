package rogue

import (
	"fmt"
	"iter"

	"github.com/vitrine-tls/vitrine/wire"
)

// What can be wrong with records, and what may look odd and is not.

// changes puts a change_cipher_spec before each unit: under the keys that are in
// use, in the clear, with other content, and twice.
func changes(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "change_cipher_spec", Mend: true, want: fails}, func(units []Unit, add adder) {
		for i, due := range units {
			for name, put := range map[string][]piece{
				"":                   {{typ: wire.ContentChangeCipherSpec, body: []byte{1}}},
				"in the clear":       {{typ: wire.ContentChangeCipherSpec, body: []byte{1}, open: true}},
				"of 0":               {{typ: wire.ContentChangeCipherSpec, body: []byte{0}}},
				"of two bytes":       {{typ: wire.ContentChangeCipherSpec, body: []byte{1, 1}}},
				"without content":    {{typ: wire.ContentChangeCipherSpec}},
				"and its Finished":   {{typ: wire.ContentChangeCipherSpec, body: []byte{1}}, finishedPiece},
				"behind a Finished":  {finishedPiece, {typ: wire.ContentChangeCipherSpec, body: []byte{1}}},
				"with data after it": {{typ: wire.ContentChangeCipherSpec, body: []byte{1}}, {typ: wire.ContentApplicationData, body: []byte("early")}},
			} {
				add(fmt.Sprintf("%s before %d %v", name, i, due), before(i, put...))
			}
		}
	})
}

var finishedPiece = piece{typ: wire.ContentHandshake, body: withBody(wire.TypeFinished, nil)}

// before puts pieces before the n-th unit.
func before(n int, put ...piece) func() editor {
	return replacing(func(i int, u Unit) []piece {
		if i != n {
			return []piece{u.piece()}
		}
		var all []piece
		for _, p := range put {
			all = append(all, p.asOdd())
		}
		return append(all, u.piece())
	})
}

// alerts puts one of each code and level before each unit, two in a record, and
// halves.
func alerts(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "alert", Mend: true, want: fails}, func(units []Unit, add adder) {
		for i, due := range units {
			put := func(body ...byte) {
				add(fmt.Sprintf("%x before %d %v", body, i, due), before(i, piece{typ: wire.ContentAlert, body: body}))
			}
			for code := range 256 {
				put(byte(wire.LevelWarning), byte(code))
				put(byte(wire.LevelFatal), byte(code))
			}
			put()
			put(byte(wire.LevelFatal))
			put(0, byte(wire.AlertInternalError))
			put(byte(wire.LevelWarning), byte(wire.AlertUserCanceled), byte(wire.LevelFatal), byte(wire.AlertInternalError))
		}
	})
}

// crossings sends the first bytes of a message in the record before, which is under
// the keys before, and all of it too early; and cuts a message in two with a
// change_cipher_spec in between.
func crossings(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "across a key change", Mend: true, want: fails}, func(units []Unit, add adder) {
		for i, u := range units {
			if u.Type != wire.ContentHandshake || !p.changesKeys(units, i) {
				continue
			}
			next := units[i+1:]
			for len(next) > 0 && next[0].Type != wire.ContentHandshake {
				next = next[1:]
			}
			if len(next) == 0 {
				continue
			}
			for n := 1; n <= len(next[0].Body); n++ {
				add(fmt.Sprintf("%d bytes of the message after %d %v", n, i, u), p.early(i, n))
			}
			for n := 1; n < len(u.Body); n++ {
				add(fmt.Sprintf("change_cipher_spec inside %d %v at %d", i, u, n), replacing(func(k int, u Unit) []piece {
					if k != i || n >= len(u.Body) {
						return []piece{u.piece()}
					}
					return []piece{
						{typ: u.Type, body: u.Body[:n], odd: true}, {typ: wire.ContentChangeCipherSpec, body: []byte{1}, odd: true},
						{typ: u.Type, body: u.Body[n:], odd: true},
					}
				}))
			}
		}
	})
}

// changesKeys reports whether the message after the n-th is under other keys.
func (p *plan) changesKeys(units []Unit, n int) bool {
	if n+1 < len(units) && units[n+1].Type == wire.ContentChangeCipherSpec {
		return true
	}
	return p.flow.Version == wire.TLS13 && units[n].String() == wire.TypeServerHello.String()
}

// early appends the first n bytes of the message after the i-th unit to its record.
func (p *plan) early(i, n int) func() editor {
	return func() editor {
		var first piece
		var between []piece
		return func(k int, u Unit) []piece {
			switch {
			case k < i || k > i && first.body == nil:
				return []piece{u.piece()}
			case k == i:
				first = u.piece()
				first.odd = true
				return nil
			case u.Type != wire.ContentHandshake:
				between = append(between, u.piece())
				return nil
			}
			n := min(n, len(u.Body))
			first.body = append(first.body, u.Body[:n]...)
			all := append([]piece{first}, between...)
			first.body = nil
			if n < len(u.Body) {
				all = append(all, piece{typ: u.Type, body: u.Body[n:], odd: true})
			}
			return all
		}
	}
}

// shapes cuts each message in two at every byte, and puts each into records of one
// byte: a receiver must not mind. RFC 8446 §5.1.
func shapes(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "records", want: completes}, func(units []Unit, add adder) {
		for i, u := range units {
			if u.Type != wire.ContentHandshake {
				continue
			}
			for n := 1; n < len(u.Body); n++ {
				add(fmt.Sprintf("%d %v cut at %d", i, u, n), cut(i, func(b []byte) [][]byte {
					if n >= len(b) {
						return [][]byte{b}
					}
					return [][]byte{b[:n], b[n:]}
				}))
			}
			add(fmt.Sprintf("%d %v byte by byte", i, u), cut(i, func(b []byte) (parts [][]byte) {
				for n := range b {
					parts = append(parts, b[n:n+1])
				}
				return parts
			}))
		}
	})
}

// cut sends the n-th unit in several records.
func cut(n int, parts func([]byte) [][]byte) func() editor {
	return replacing(func(i int, u Unit) []piece {
		if i != n {
			return []piece{u.piece()}
		}
		var all []piece
		for _, b := range parts(u.Body) {
			all = append(all, piece{typ: u.Type, body: b, odd: true})
		}
		return all
	})
}
