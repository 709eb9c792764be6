package handshake

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"time"

	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// sendTicket12 seals the session for the client. If that fails, an empty ticket
// says that there is none. RFC 5077 §3.3.
func sendTicket12(s *State, _ context.Context) (wire.Message, error) {
	m := &s.msg.ticket
	c := s.fill(&s.sealing.Session, s.master[:])
	*m = wire.NewSessionTicket{Lifetime: s.lifetime(c)}
	if ticket, err := s.Config.SealTicket(s, c); err == nil {
		m.Ticket = ticket
	}
	return m, nil
}

func (s *State) lifetime(c *session.Session) uint32 {
	return uint32(max(0, c.Expiry().Sub(s.Config.Time())/time.Second))
}

// recvTicket12 keeps the ticket until the handshake is complete.
func recvTicket12(s *State, _ context.Context, msg wire.Message) error {
	m := msg.(*wire.NewSessionTicket)
	s.newTicket = &ClientSession{Ticket: bytes.Clone(m.Ticket)}
	s.newTicketLife = m.Lifetime
	return nil
}

// keepSession12 stores the session: the server under its ID, the client under
// its ticket or ID. That it cannot be stored costs a later full handshake.
func (s *State) keepSession12(ctx context.Context) {
	if !s.keepable() {
		return
	}
	if s.isServer() {
		if s.resumed == nil && len(s.newID) > 0 && s.Config.Store {
			_ = s.Config.PutSession(ctx, s.newID, s.fill(new(session.Session), bytes.Clone(s.master[:])))
		}
		return
	}
	if !s.Config.Sessions {
		return
	}
	c := s.newTicket
	if c == nil && s.resumed == nil && len(s.newID) > 0 {
		c = &ClientSession{ID: s.newID}
	}
	if c == nil || len(c.Ticket)+len(c.ID) == 0 {
		return
	}
	c.Session = s.fill(new(session.Session), bytes.Clone(s.master[:]))
	if s.newTicketLife > 0 { // it counts from now, the session's from its full handshake
		age := s.Config.Time().Sub(c.CreatedAt)
		c.Lifetime = min(age+time.Duration(s.newTicketLife)*time.Second, maxLifetime)
	}
	s.Config.SaveSession(s.Result, c)
}

// keepable: a session with compression would have to have it again (RFC 5246 §7.4.1.3), and
// a peer that compresses can spare a full handshake.
func (s *State) keepable() bool { return s.Result.Compression == wire.CompressionNull }

// maxLifetime is the longest that a client keeps a session. RFC 8446 §4.6.1.
const maxLifetime = 7 * 24 * time.Hour

// sendTicket13 gives the client a PSK for next time, if one can be sealed.
// RFC 8446 §4.6.1.
func sendTicket13(s *State, ctx context.Context) (wire.Message, error) {
	m := &s.msg.ticket
	var add [4]byte
	rand.Read(add[:])
	s.nonce[0] = byte(s.ticketsSent) // another for each, so that their PSKs differ
	h := s.Result.Suite.Hash
	psk := resumptionPSK(s.Result, s.Hooks, s.verify[:0], h.Size, s.nonce[:])
	c := s.fill(&s.sealing.Session, psk)
	c.AgeAdd, c.Extra = binary.BigEndian.Uint32(add[:]), s.ticketOptions.Extra
	if s.Config.Early.allows(s.Result.ALPN) && (s.Config.QUIC == nil || s.ticketOptions.Early) {
		c.MaxEarlyData = s.Config.Early.Max
	}
	ticket, err := s.Config.SealTicket(s, c)
	if err != nil || len(ticket) == 0 {
		return nil, nil // no ticket costs a later full handshake, never the connection
	}
	// The client's age counts from now, and ours from the session's full handshake: with
	// the difference added, its age less our AgeAdd is the session's.
	since := uint32(s.Config.Time().Sub(c.CreatedAt).Milliseconds())
	*m = wire.NewSessionTicket{Lifetime: s.lifetime(c), AgeAdd: c.AgeAdd + since, Nonce: s.nonce[:], Ticket: ticket}
	if s.permitEarly(ctx, c, ticket) {
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtEarlyData, Data: binary.BigEndian.AppendUint32(nil, c.MaxEarlyData)})
	}
	if s.Config.GREASE { // drawn from what is random and public
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtensionType(greaseValue(s.Result.Secrets.ServerRandom[0] & 0x0f))})
	}
	return m, nil
}

// TicketOptions are what the application adds to a ticket that it has sent.
type TicketOptions struct {
	Extra [][]byte // its own data, for the session
	Early bool     // it may bring early data, if the Config allows that
}

// SendTicket makes a State whose Run sends a ticket of a complete handshake, whose result r
// is. RFC 8446 §4.6.1.
func SendTicket(c *Config, hooks *trace.Hooks, records Records, r *Result, born *Born, o TicketOptions) *State {
	s := New(wire.Server, c, hooks, records, r)
	s.profile, s.flow, s.late = ProfileOf(r.Version), flowTicket, true
	if s.ticketOptions = o; born != nil {
		s.resumed = &session.Session{CreatedAt: born.At, Lifetime: born.For}
	}
	return s
}

var flowTicket = []Step{{wire.TypeNewSessionTicket, wire.Server, always, sendTicket13, nil, nil}}

// moreTickets13 stays at the row until the client has enough tickets.
func moreTickets13(s *State, _ context.Context) error {
	if s.ticketsSent++; s.ticketsSent < s.ticketsDue() {
		s.at--
	}
	return nil
}

// resumptionPSK appends the PSK of the ticket with that nonce to dst, which is empty.
func resumptionPSK(r *Result, hooks *trace.Hooks, dst []byte, size int, nonce []byte) []byte {
	psk := keys.ResumptionPSK(r.Suite.Hash, dst, r.Secrets.Resumption[:size], nonce)
	if hooks != nil && hooks.Secret != nil {
		hooks.Secret(trace.Secret{Name: "resumption_psk", How: "HKDF-Expand-Label", From: "resumption_master_secret", Label: keys.LabelResumption,
			Input: nonce, InputIs: "the ticket's nonce", Hash: r.Suite.Hash.Name, Value: psk, Ref: "RFC 8446 §4.6.1"})
	}
	return psk
}
