package scan

import (
	"bytes"
	"time"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// A Session is what a server handed out to be resumed: an ID, or a ticket.
type Session struct {
	Version wire.Version
	Suite   wire.CipherSuite
	// ID is a session ID, Ticket a ticket; up to TLS 1.2 a ticket may come with an ID.
	ID, Ticket []byte
	// Lifetime is what the server says of a ticket; 0 where it says nothing.
	Lifetime time.Duration
	// EarlyData is how much 0-RTT data the ticket allows, in bytes.
	EarlyData uint32

	secret   []byte // the master secret, or the pre-shared key
	extended bool
	ageAdd   uint32
	got      time.Time
}

// takeTicket keeps a ticket.
func (c *conversation) takeTicket(m *wire.NewSessionTicket) {
	if len(m.Ticket) == 0 || len(c.a.Sessions) >= maxSessions || c.a.Version < wire.TLS13 && c.s12.master == nil {
		return
	}
	s := &Session{Ticket: bytes.Clone(m.Ticket), Lifetime: time.Duration(m.Lifetime) * time.Second, ageAdd: m.AgeAdd, got: time.Now()}
	if c.a.Version >= wire.TLS13 {
		if !c.a.Done {
			return
		}
		s.secret = keys.ResumptionPSK(c.suite.Hash, nil, c.s13.resumption, m.Nonce)
		m.Extensions.Read(wire.ExtEarlyData, func(r *wire.Reader) { s.EarlyData = r.U32("max_early_data_size") })
	} else {
		s.ID = chance(32) // what the server echoes where it takes the ticket: RFC 5077 §3.4
	}
	c.keep(s)
}

// maxSessions is how many are kept of one connection.
const maxSessions = 16

// appendPSK offers the session, with room for its binder.
func (s *Session) appendPSK(x wire.Extensions) wire.Extensions {
	hash := s.hash()
	if hash == nil {
		return x
	}
	age := uint32(time.Since(s.got).Milliseconds()) + s.ageAdd
	o := wire.OfferedPSKs{Identities: []wire.PSKIdentity{{Identity: s.Ticket, ObfuscatedTicketAge: age}}, Binders: [][]byte{make([]byte, hash.Size)}}
	return append(x, wire.Extension{Type: wire.ExtPreSharedKey, Data: o.Append(nil)})
}

func (s *Session) suite() *suite.Suite { return suite.ByID(s.Suite) }

func (s *Session) hash() *suite.Hash {
	if of := s.suite(); of != nil {
		return of.Hash
	}
	return nil
}

// bind puts the binder of a pre-shared key into the message, which follows the messages
// before. RFC 8446 §4.2.11.2.
func (h Hello) bind(b *built, before []byte) {
	s := h.Resume
	if s == nil || s.Version < wire.TLS13 || s.hash() == nil || h.Bare {
		return
	}
	hash := s.hash()
	early := keys.Extract(hash, nil, nil, s.secret)
	binder := len(b.message) - hash.Size
	x := hash.New()
	x.Write(before)
	x.Write(b.message[:binder-3]) // without the list's and the binder's length
	keys.Finished13(hash, b.message[:binder], keys.BinderKey(hash, nil, early, false), x.Sum(nil))
}
