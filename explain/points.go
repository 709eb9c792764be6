package explain

import (
	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/wire"
)

// points are the messages of a transcript with its hash at each, and the name of
// the hash. at are the places of messages among the events.
func (hs *handshake) points(at map[*Message]int) (all []Point, hash string) {
	for _, m := range hs.transcript.msgs {
		all = append(all, Point{Event: at[m], Name: m.Name})
	}
	if hs.answer == nil || hs.suite == nil {
		return all, ""
	}
	h := recompute.ScheduleHash(hs.version, hs.suite)
	if h == nil {
		return all, ""
	}
	for i := range all {
		all[i].Hash = hs.transcript.Hash(h, i+1)
	}
	return all, h.Name
}

// covers says what the proof in m is over.
func (hs *handshake) covers(m *Message, before int) string {
	switch p := m.parsed.(type) {
	case *wire.Finished, *wire.CertificateVerify:
		return hs.transcript.name(before)
	case *wire.ServerKeyExchange:
		if p.Signature != nil {
			return "client_random + server_random + params"
		}
	case *wire.ClientHello:
		switch {
		case !p.Extensions.Has(wire.ExtPreSharedKey):
		case before > 0:
			return hs.transcript.name(before) + ", and this hello up to its binders"
		default:
			return "this hello up to its binders"
		}
	}
	return ""
}

// place tells the events of which handshake they are part, and the messages what
// their proofs cover.
func (c *Connection) place() map[*Message]int {
	number, at := map[*handshake]int{}, map[*Message]int{}
	for i, hs := range c.handshakes {
		number[hs] = i + 1
		for before, m := range hs.transcript.msgs[hs.transcript.Taken:] {
			m.Covers = hs.covers(m, hs.transcript.Taken+before)
		}
	}
	for i := range c.Events {
		e := &c.Events[i]
		e.Handshake = number[e.hs]
		if e.Message != nil {
			at[e.Message] = i
		}
	}
	return at
}
