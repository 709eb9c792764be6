package wire

// ReadStatusRequest reads a client's wish for a stapled OCSP response. What it
// says of responders and extensions is not used by anyone. RFC 6066 §8.
//
//	struct {
//	    CertificateStatusType status_type;     // ocsp (1)
//	    ResponderID responder_id_list<0..2^16-1>;
//	    Extensions  request_extensions<0..2^16-1>;
//	} CertificateStatusRequest;
func ReadStatusRequest(r *Reader) {
	if U8[uint8](r, "status_type") != StatusOCSP {
		r.Rest("request")
		return
	}
	r.Opaque("responder_id_list", 2, 0, 0xffff)
	r.Opaque("request_extensions", 2, 0, 0xffff)
}

// AppendStatusRequest appends a request for OCSP without preferences.
func AppendStatusRequest(b []byte) []byte { return append(b, StatusOCSP, 0, 0, 0, 0) }
