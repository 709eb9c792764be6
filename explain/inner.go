package explain

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Messages with another inside: a ClientHello of Encrypted Client Hello (RFC 9849), and a
// CompressedCertificate (RFC 8879).

// hides gives the inner message to the last one of its direction that may have it.
func (c *Connection) hides(x trace.Inner) {
	for i := len(c.Events) - 1; i >= 0; i-- {
		m := c.Events[i].Message
		if m == nil || m.from != c.from(x.Dir) || m.typ != wire.TypeClientHello && m.typ != wire.TypeCompressedCertificate || len(x.Raw) == 0 || wire.MessageLen(x.Raw) != len(x.Raw) {
			continue
		}
		m.Inner = &Message{From: m.From, Raw: x.Raw, PostHandshake: m.PostHandshake, from: m.from, typ: wire.HandshakeType(x.Raw[0]), ctx: m.ctx, Pieces: []Piece{}, Fields: []Field{}}
		return
	}
}

// noteInner sees which hello the server has taken.
func (c *Connection) noteInner() {
	taken := false
	for _, e := range c.Events {
		taken = taken || e.Choice != nil && e.Choice.What == "encrypted_client_hello" && e.Choice.Picked == "ClientHelloInner"
	}
	for _, e := range c.Events {
		if m := e.Message; m != nil && m.Inner != nil && m.typ == wire.TypeClientHello {
			m.InnerCounts = taken
		}
	}
}

// nameInner decodes the message inside, and says what it is.
func (m *Message) nameInner() {
	in := m.Inner
	in.hs = m.hs
	in.decode(m.hs.context())
	if m.typ == wire.TypeCompressedCertificate {
		return
	}
	m.Name, in.Name, in.Ref = "ClientHelloOuter", "ClientHelloInner", "RFC 9849 §5.1"
	in.Meaning = "What the client means: the server has no key for it, and goes by the outer hello, which everybody sees."
	if m.InnerCounts {
		in.Meaning = "What the client means, and nobody but the server reads: the name it asks for. It takes the place of the outer hello in all that follows."
	}
}

// counting is the message that stands in the transcript: m, or the one inside.
func (m *Message) counting() *Message {
	if m.InnerCounts {
		return m.Inner
	}
	return m
}

// inflation compares what a CompressedCertificate has with what it is said to have inside.
func (m *Message) inflation(p *wire.CompressedCertificate) (c Check, ok bool) {
	if m.Inner == nil {
		return Check{Given, "inside: nobody has inflated it here"}, true
	}
	inside := m.Inner.Raw[wire.HeaderLen:]
	again, known := recompute.Inflate(p.Algorithm, p.Compressed, int(p.Length))
	switch {
	case len(inside) != int(p.Length):
		return differ("inside: it has %d bytes, and should have %d", len(inside), p.Length), true
	case !known:
		return Check{Given, "inside: what " + p.Algorithm.String() + " has made of it is not inflated again here"}, true
	case !bytes.Equal(again, inside):
		return differ("inside: inflated again, it is something else"), true
	}
	return agree("inside: inflated again, the same %s bytes", words.Thousands(len(inside))), true
}

// confirmed is the hash that a server's confirmation covers: the messages up to its hello,
// in which the confirmation's own bytes are zero. RFC 9849 §7.2, §7.2.1.
func (hs *handshake) confirmed(s *Secret, h *suite.Hash) (in material) {
	in.name = "H(ClientHelloInner..ServerHello, without the confirmation)"
	for n, m := range hs.transcript.msgs {
		if m.typ != wire.TypeServerHello {
			continue
		}
		t := recompute.Transcript{Messages: append(hs.meant(n), recompute.Message{Type: m.typ, From: m.from, Raw: unconfirmed(m)})}
		if in.bytes = t.Hash(h, n+1); bytes.Equal(in.bytes, s.Input) {
			return in
		}
	}
	in.bad, in.absent = "no ServerHello on the wire has this transcript hash", true
	return in
}

// meant are the first n messages as the client means them: with its inner hello, though the
// server may not have taken that, by which it finds out.
func (hs *handshake) meant(n int) []recompute.Message {
	all := slices.Clone(hs.transcript.Messages[:n])
	for i, m := range hs.transcript.msgs[:n] {
		if m.typ == wire.TypeClientHello && m.Inner != nil {
			all[i].Raw = m.Inner.Raw
		}
	}
	return all
}

// unconfirmed is a ServerHello with zeros in the place of the confirmation.
func unconfirmed(m *Message) []byte {
	raw := bytes.Clone(m.Raw)
	if !isRetry(m) {
		const random = wire.HeaderLen + 2
		if len(raw) >= random+32 {
			clear(raw[random+24 : random+32])
		}
		return raw
	}
	if data, ok := m.parsed.(*wire.ServerHello).Extensions.Find(wire.ExtEncryptedClientHello); ok && len(data) > 0 {
		if at := bytes.Index(raw, data); at >= 0 {
			clear(raw[at : at+len(data)])
		}
	}
	return raw
}
