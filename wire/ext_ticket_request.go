package wire

// TicketRequest is how many tickets a client would like: after a full handshake, and after
// one that resumes. RFC 9149 §3.
//
//	struct {
//	    uint8 new_session_count;
//	    uint8 resumption_count;
//	} ClientTicketRequest;
type TicketRequest struct{ NewSession, Resumption uint8 }

// ReadTicketRequest reads a client's ticket_request.
func ReadTicketRequest(r *Reader) TicketRequest {
	return TicketRequest{U8[uint8](r, "new_session_count"), U8[uint8](r, "resumption_count")}
}

// AppendTicketRequest appends the body of a client's ticket_request.
func AppendTicketRequest(b []byte, q TicketRequest) []byte {
	return append(b, q.NewSession, q.Resumption)
}

// ReadTicketHint reads a server's answer: how many tickets it expects to send. RFC 9149 §3.
//
//	struct {
//	    uint8 expected_count;
//	} ServerTicketRequestHint;
func ReadTicketHint(r *Reader) uint8 { return U8[uint8](r, "expected_count") }

// AppendTicketHint appends the body of a server's answer.
func AppendTicketHint(b []byte, expected uint8) []byte { return append(b, expected) }
