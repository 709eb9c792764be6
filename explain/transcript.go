package explain

import (
	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/wire"
)

// transcript is the handshake's messages as they were on the wire, in order.
type transcript struct {
	recompute.Transcript
	msgs []*Message // the same as Messages
}

func (t *transcript) add(m *Message) {
	t.msgs = append(t.msgs, m)
	t.Messages = append(t.Messages, recompute.Message{Type: m.typ, From: m.from, Raw: m.counting().Raw})
}

// take starts t with the messages of the handshake that is the first part of
// before.
func (t *transcript) take(before *transcript) {
	t.Take(&before.Transcript)
	t.msgs = before.msgs[:t.Taken:t.Taken]
}

// last is what the last message of that type and side among its own says, nil if
// there is none.
func (t *transcript) last(typ wire.HandshakeType, from wire.Role) wire.Message {
	if i := t.Find(typ, from); i >= 0 {
		return t.msgs[i].parsed
	}
	return nil
}

func isRetry(m *Message) bool {
	sh, ok := m.parsed.(*wire.ServerHello)
	return ok && sh.IsRetry()
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
	case wire.TypeCertificate, wire.TypeCompressedCertificate, wire.TypeCertificateVerify, wire.TypeFinished: // of both sides
		name = last.From + " " + name
	}
	return t.msgs[0].Name + ".." + name
}
