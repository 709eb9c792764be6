package wire

// NewSessionTicket hands the client a ticket for a later resumption.
//
// RFC 8446 §4.6.1:
//
//	struct {
//	    uint32 ticket_lifetime;      // seconds
//	    uint32 ticket_age_add;
//	    opaque ticket_nonce<0..255>;
//	    opaque ticket<1..2^16-1>;
//	    Extension extensions<0..2^16-2>;
//	} NewSessionTicket;
//
// RFC 5077 §3.3:
//
//	struct {
//	    uint32 ticket_lifetime_hint;  // seconds
//	    opaque ticket<0..2^16-1>;
//	} NewSessionTicket;
type NewSessionTicket struct {
	Lifetime   uint32
	AgeAdd     uint32
	Nonce      []byte
	Ticket     []byte
	Extensions Extensions
}

func (m *NewSessionTicket) Type() HandshakeType { return TypeNewSessionTicket }

func (m *NewSessionTicket) Parse(r *Reader, c Context) {
	*m = NewSessionTicket{Extensions: m.Extensions[:0]}
	if c.Version < TLS13 {
		m.Lifetime = r.U32("ticket_lifetime_hint")
		m.Ticket = r.Opaque("ticket", 2, 0, 0xffff)
		return
	}
	m.Lifetime = r.U32("ticket_lifetime")
	m.AgeAdd = r.U32("ticket_age_add")
	m.Nonce = r.Opaque("ticket_nonce", 1, 0, 255)
	m.Ticket = r.Opaque("ticket", 2, 1, 0xffff)
	m.Extensions = readExtensions(r, inNewSessionTicket, m.Extensions)
}

func (m *NewSessionTicket) Append(b []byte, c Context) []byte {
	b = appendU32(b, m.Lifetime)
	if c.Version < TLS13 {
		return appendOpaque(b, 2, m.Ticket)
	}
	b = appendU32(b, m.AgeAdd)
	b = appendOpaque(b, 1, m.Nonce)
	b = appendOpaque(b, 2, m.Ticket)
	return appendExtensions(b, m.Extensions)
}
