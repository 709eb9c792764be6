package explain

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// transcript is the handshake's messages as they were on the wire, in order:
// what the key schedule hashes. RFC 8446 §4.4.1, RFC 5246 §7.4.9.
type transcript struct {
	msgs []*Message
	// taken is how many of them are those of the handshake before.
	taken int
}

// take starts t with the messages of the handshake that is the first part of
// before, which may be the authentication of a client too.
func (t *transcript) take(before *transcript) {
	n := before.taken
	if n == 0 {
		n = len(before.msgs)
	}
	t.msgs, t.taken = before.msgs[:n:n], n
}

// complete reports that both Finished were seen.
func (t *transcript) complete() bool {
	return t.find(wire.TypeFinished, wire.Client) >= 0 && t.find(wire.TypeFinished, wire.Server) >= 0
}

// hash is the transcript hash of the first n messages. After a
// HelloRetryRequest the first ClientHello counts only by its own hash, so that
// a server need not remember it. RFC 8446 §4.4.1.
func (t *transcript) hash(h *suite.Hash, n int) []byte {
	d := h.New()
	msgs := t.msgs[:n]
	if n > 1 && isRetry(msgs[1]) {
		d.Write(t.messageHash(h))
		msgs = msgs[1:]
	}
	for _, m := range msgs {
		d.Write(m.Raw)
	}
	return d.Sum(nil)
}

// bytes are the first n messages.
func (t *transcript) bytes(n int) (all []byte) {
	for _, m := range t.msgs[:n] {
		all = append(all, m.Raw...)
	}
	return all
}

// messageHash is the synthetic message in the place of the first ClientHello.
func (t *transcript) messageHash(h *suite.Hash) []byte {
	d := h.New()
	d.Write(t.msgs[0].Raw)
	return d.Sum([]byte{byte(wire.TypeMessageHash), 0, 0, byte(h.Size)})
}

func isRetry(m *Message) bool {
	sh, ok := m.parsed.(*wire.ServerHello)
	return ok && sh.IsRetry()
}

// find is the index of the last message of that type and side among its own, or
// -1. A HelloRetryRequest does not count as ServerHello.
func (t *transcript) find(typ wire.HandshakeType, from wire.Role) int {
	for i := len(t.msgs) - 1; i >= t.taken; i-- {
		if m := t.msgs[i]; m.typ == typ && m.from == from && !isRetry(m) {
			return i
		}
	}
	return -1
}

// match is how many messages hash to sum, or -1 if no number of them does.
func (t *transcript) match(h *suite.Hash, sum []byte) int {
	for n := range len(t.msgs) + 1 {
		if bytes.Equal(t.hash(h, n), sum) {
			return n
		}
	}
	return -1
}

// name says which messages the first n are: "ClientHello..server Finished".
func (t *transcript) name(n int) string {
	switch {
	case n == 0:
		return `""`
	case n == 1:
		return t.msgs[0].Name
	}
	last := t.msgs[n-1]
	name := last.Name
	switch last.typ {
	case wire.TypeCertificate, wire.TypeCertificateVerify, wire.TypeFinished: // of both sides
		name = last.From + " " + name
	}
	return t.msgs[0].Name + ".." + name
}

// A boundary says how many messages a value covers; ok is false where the
// message that bounds it was not seen.
type boundary func(*transcript) (n int, ok bool)

// through covers everything up to a message, and the message.
func through(typ wire.HandshakeType, from wire.Role) boundary {
	return func(t *transcript) (int, bool) {
		i := t.find(typ, from)
		return i + 1, i >= 0
	}
}

// before covers everything up to a message, without it.
func before(typ wire.HandshakeType, from wire.Role) boundary {
	return func(t *transcript) (int, bool) {
		i := t.find(typ, from)
		return max(i, 0), i >= 0
	}
}
