package rogue

import (
	"bytes"
	"fmt"
	"iter"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// Bits and bytes that are changed: under the keys, where only the handshake itself
// can notice, and on the wire.

// altered is a unit with another body in place of the n-th, which nothing mends.
func altered(n int, change func(body []byte) []byte) func() editor {
	return replacing(func(i int, u Unit) []piece {
		if i != n {
			return []piece{u.piece()}
		}
		p := u.piece()
		p.body = change(slices.Clone(p.body))
		p.odd = !bytes.Equal(p.body, u.Body)
		return []piece{p}
	})
}

// messageBits flips each bit of each unit.
func messageBits(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "bit flipped", want: lawful}, func(units []Unit, add adder) {
		for i, u := range units {
			for bit := range 8 * len(u.Body) {
				add(fmt.Sprintf("%d of %d %v", bit, i, u), altered(i, func(b []byte) []byte {
					if bit/8 < len(b) { // a signature's length varies
						b[bit/8] ^= 0x80 >> (bit % 8)
					}
					return b
				}))
			}
		}
	})
}

// proofs flips bits of what the peer has to prove, with all that follows mended: it
// is the proof itself that must be looked at. Each bit of a signature and of a binder,
// and one of each byte of a certificate.
func proofs(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "proof", Mend: true, want: never}, func(units []Unit, add adder) {
		for i, u := range units {
			for _, field := range p.fields(u) {
				bits := map[string]int{"signature": 8, "binder": 8, "cert_data": 1}[field.Name]
				if field.Name == "cert_data" && suite.ByID(p.flow.Suite).Auth == suite.AuthDSS {
					continue // which crypto/x509 cannot verify
				}
				for n := range bits * field.Length {
					at, bit := field.Offset+n/max(bits, 1), byte(1)<<(n%8)
					add(fmt.Sprintf("bit %02x of byte %d of %d %v", bit, at, i, u), altered(i, func(b []byte) []byte {
						if at < len(b) {
							b[at] ^= bit
						}
						return b
					}))
				}
			}
		}
	})
}

// messageBytes leaves out each byte of each unit, and sends each twice; with the
// length in the message's header as it was, and with that which fits.
func messageBytes(p *plan) iter.Seq[Deviation] {
	return p.each(Deviation{Kind: "byte", want: lawful}, func(units []Unit, add adder) {
		for i, u := range units {
			for at := range u.Body {
				for _, times := range []int{0, 2} {
					for _, fits := range []bool{false, true} {
						add(fmt.Sprintf("%d of %d %v sent %d times, header fits: %v", at, i, u, times, fits), altered(i, func(b []byte) []byte {
							if at >= len(b) {
								return b
							}
							b = slices.Concat(b[:at], bytes.Repeat(b[at:at+1], times), b[at+1:])
							if fits && u.Type == wire.ContentHandshake && len(b) >= 4 {
								setLength(b[1:4], len(b)-4)
							}
							return b
						}))
					}
				}
			}
		}
	})
}

func setLength(field []byte, n int) {
	for i := range field {
		field[len(field)-1-i] = byte(n >> (8 * i))
	}
}

// lengths changes each length field of each message, by one and to its extremes,
// with the messages after it mended and not.
func lengths(p *plan) iter.Seq[Deviation] {
	return func(yield func(Deviation) bool) {
		for _, mend := range []bool{false, true} {
			for d := range p.each(Deviation{Kind: "length", Mend: mend, want: never}, p.lengthsOf) {
				if !yield(d) {
					return
				}
			}
		}
	}
}

func (p *plan) lengthsOf(units []Unit, add adder) {
	for i, u := range units {
		for _, field := range p.fields(u) {
			if field.Name != "length" {
				continue
			}
			most := 1<<(8*field.Length) - 1
			for name, change := range map[string]func(int) int{
				"one less": func(n int) int { return max(0, n-1) }, "one more": func(n int) int { return min(n+1, most) },
				"zero": func(int) int { return 0 }, "the most": func(int) int { return most },
			} {
				add(fmt.Sprintf("at %d of %d %v: %s", field.Offset, i, u, name), altered(i, func(b []byte) []byte {
					if field.Offset+field.Length <= len(b) {
						at := b[field.Offset:][:field.Length]
						setLength(at, change(length(at)))
					}
					return b
				}))
			}
		}
	}
}

func length(field []byte) (n int) {
	for _, b := range field {
		n = n<<8 | int(b)
	}
	return n
}

// fields are those of a message as its grammar has them.
func (p *plan) fields(u Unit) []wire.Span {
	if u.Type != wire.ContentHandshake {
		return nil
	}
	var rec wire.Recorder
	c := wire.Context{Version: p.flow.Version, KeyExchange: suite.ByID(p.flow.Suite).KeyExchange, From: p.sender(u)}
	if _, err := wire.DecodeMessage(u.Body, c, &rec); err != nil {
		return nil
	}
	return slices.DeleteFunc(rec.Spans, func(s wire.Span) bool { return s.Group })
}

// sender is the role that sends u in an honest run.
func (p *plan) sender(u Unit) wire.Role {
	for _, x := range p.honest.Units[wire.Client] {
		if bytes.Equal(x.Body, u.Body) {
			return wire.Client
		}
	}
	return wire.Server
}

// wireBits flips each bit of all that is sent.
func wireBits(p *plan) iter.Seq[Deviation] {
	return p.wire("bit flipped on the wire", 8, func(n int) func(at int, b []byte) []byte {
		return func(at int, b []byte) []byte {
			if i := n/8 - at; 0 <= i && i < len(b) {
				b[i] ^= 0x80 >> (n % 8)
			}
			return b
		}
	})
}

// wireBytes leaves out each byte of all that is sent.
func wireBytes(p *plan) iter.Seq[Deviation] {
	return p.wire("byte left out on the wire", 1, func(n int) func(at int, b []byte) []byte {
		return func(at int, b []byte) []byte {
			if i := n - at; 0 <= i && i < len(b) {
				return slices.Delete(b, i, i+1)
			}
			return b
		}
	})
}

// ends ends the stream at each byte.
func ends(p *plan) iter.Seq[Deviation] {
	return p.wire("stream that ends", 1, func(n int) func(at int, b []byte) []byte {
		return func(at int, b []byte) []byte { return b[:max(0, min(len(b), n-at))] }
	})
}

// wire yields times deviations for each byte that either side sends.
func (p *plan) wire(kind string, times int, change func(n int) func(at int, b []byte) []byte) iter.Seq[Deviation] {
	return func(yield func(Deviation) bool) {
		for _, victim := range roles {
			for n := range times * p.honest.Bytes[victim.Peer()] {
				if !yield(Deviation{Kind: kind, Name: fmt.Sprintf("at %d", n), Victim: victim, wire: change(n)}) {
					return
				}
			}
		}
	}
}
