package handshake

import "github.com/vitrine-tls/vitrine/wire"

// ticket_request, RFC 9149: a client says how many tickets it would like, and the server how
// many it will send.

func offerTicketRequest(s *State, b []byte) ([]byte, bool) {
	q := s.Config.TicketRequest
	if q == nil || !s.offers13() {
		return b, false
	}
	return wire.AppendTicketRequest(b, *q), true
}

func readTicketRequest(o *Offer, r *wire.Reader) { o.TicketRequest = wire.ReadTicketRequest(r) }

// answerTicketRequest: over QUIC the application sends the tickets, and we cannot foresee how
// many.
func answerTicketRequest(s *State, b []byte) ([]byte, bool) {
	if !s.Config.Tickets || s.Config.TicketsMost == 0 || s.Config.QUIC != nil {
		return b, false
	}
	n := 0
	if s.WantsTickets() {
		n = s.ticketsDue()
	}
	s.Result.TicketsExpected = uint8(n)
	s.choseTickets(s.Offer.TicketRequest)
	return wire.AppendTicketHint(b, uint8(n)), true
}

func acceptTicketHint(s *State, r *wire.Reader) error {
	if s.Result.TicketsExpected = wire.ReadTicketHint(r); r.Err() == nil {
		s.choseTickets(*s.Config.TicketRequest)
	}
	return nil
}

// ticketsDue is how many tickets the handshake ends with: what the client asks for, up to a
// bound, or else what the Config says. A client that asks for none gets none. RFC 9149 §3.
func (s *State) ticketsDue() int {
	if s.Config.TicketsMost == 0 || !s.asked(wire.ExtTicketRequest) {
		return max(1, s.Config.TicketCount)
	}
	q := s.Offer.TicketRequest
	n := q.NewSession
	if s.resumed != nil {
		n = q.Resumption
	}
	return min(int(n), s.Config.TicketsMost)
}
