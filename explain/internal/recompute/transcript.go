package recompute

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// A Message is one handshake message as it was on the wire, header included.
type Message struct {
	Type wire.HandshakeType
	From wire.Role
	Raw  []byte
}

// retries reports that m is a HelloRetryRequest: a ServerHello with a certain
// random, after its header and version. RFC 8446 §4.1.3.
func (m Message) retries() bool {
	const at = wire.HeaderLen + 2
	return m.Type == wire.TypeServerHello && len(m.Raw) >= at && bytes.HasPrefix(m.Raw[at:], wire.HelloRetryRandom[:])
}

// A Transcript is the messages of one handshake, in order: what the key schedule
// hashes. RFC 8446 §4.4.1, RFC 5246 §7.4.9.
type Transcript struct {
	Messages []Message
	// Taken is how many of them are those of the handshake before.
	Taken int
}

// Take starts t with the messages of the handshake that is the first part of
// before, which may be the authentication of a client too.
func (t *Transcript) Take(before *Transcript) {
	n := before.Taken
	if n == 0 {
		n = len(before.Messages)
	}
	t.Messages, t.Taken = before.Messages[:n:n], n
}

// Complete reports that both Finished were seen.
func (t *Transcript) Complete() bool {
	return t.Find(wire.TypeFinished, wire.Client) >= 0 && t.Find(wire.TypeFinished, wire.Server) >= 0
}

// Hash is the transcript hash of the first n messages. After a
// HelloRetryRequest the first ClientHello counts only by its own hash, so that
// a server need not remember it. RFC 8446 §4.4.1.
func (t *Transcript) Hash(h *suite.Hash, n int) []byte {
	d := h.New()
	msgs := t.Messages[:n]
	if n > 1 && msgs[1].retries() {
		d.Write(t.messageHash(h))
		msgs = msgs[1:]
	}
	for _, m := range msgs {
		d.Write(m.Raw)
	}
	return d.Sum(nil)
}

// Bytes are the first n messages.
func (t *Transcript) Bytes(n int) (all []byte) {
	for _, m := range t.Messages[:n] {
		all = append(all, m.Raw...)
	}
	return all
}

// messageHash is the synthetic message in the place of the first ClientHello.
func (t *Transcript) messageHash(h *suite.Hash) []byte {
	d := h.New()
	d.Write(t.Messages[0].Raw)
	return d.Sum([]byte{byte(wire.TypeMessageHash), 0, 0, byte(h.Size)})
}

// Find is the index of the last message of that type and side among its own, or
// -1. A HelloRetryRequest does not count as ServerHello.
func (t *Transcript) Find(typ wire.HandshakeType, from wire.Role) int {
	for i := len(t.Messages) - 1; i >= t.Taken; i-- {
		if m := t.Messages[i]; m.Type == typ && m.From == from && !m.retries() {
			return i
		}
	}
	return -1
}

// Match is how many messages hash to sum, or -1 if no number of them does.
func (t *Transcript) Match(h *suite.Hash, sum []byte) int {
	for n := range len(t.Messages) + 1 {
		if bytes.Equal(t.Hash(h, n), sum) {
			return n
		}
	}
	return -1
}

// A Boundary says how much of a transcript a value covers: everything up to a
// message, and that message unless Before is set.
type Boundary struct {
	Type   wire.HandshakeType
	From   wire.Role
	Before bool
}

func through(typ wire.HandshakeType, from wire.Role) Boundary { return Boundary{Type: typ, From: from} }

func before(typ wire.HandshakeType, from wire.Role) Boundary {
	return Boundary{Type: typ, From: from, Before: true}
}

// Covers is how many messages a value with that boundary covers; ok is false
// where the message that bounds it was not seen.
func (t *Transcript) Covers(b Boundary) (n int, ok bool) {
	i := t.Find(b.Type, b.From)
	if i >= 0 && !b.Before {
		i++
	}
	return max(i, 0), i >= 0
}
