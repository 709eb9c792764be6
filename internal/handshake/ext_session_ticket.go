package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// session_ticket, RFC 5077 §3.2

func offerTicket(s *State, b []byte) ([]byte, bool) {
	if s.offered != nil && !s.offered.isPSK() {
		b = append(b, s.offered.Ticket...)
	}
	return b, s.offers12() && s.Config.Sessions && s.Config.Tickets
}

func readTicket(o *Offer, r *wire.Reader) { o.Ticket = r.Rest("ticket") }

func answerTicket(s *State, b []byte) ([]byte, bool) { return b, s.wantTicket }

func acceptTicket(s *State, _ *wire.Reader) error {
	s.wantTicket = true
	return nil
}
