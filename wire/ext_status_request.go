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

// ReadStatusRequestV2 reads a client's wish for the OCSP responses of a chain, or of its
// leaf alone: whether it takes a list of them (multi), and
// whether it takes a single one. RFC 6961 §2.2.
//
//	struct {
//	    CertificateStatusType status_type;
//	    uint16 request_length;
//	    select (status_type) {
//	        case ocsp:       OCSPStatusRequest;
//	        case ocsp_multi: OCSPStatusRequest;     // as in status_request
//	    } request;
//	} CertificateStatusRequestItemV2;
//
//	struct {
//	    CertificateStatusRequestItemV2 certificate_status_req_list<1..2^16-1>;
//	} CertificateStatusRequestListV2;
func ReadStatusRequestV2(r *Reader) (multi, single bool) {
	list := r.Open("certificate_status_req_list", 2, 1, 0xffff)
	for r.More() {
		item := r.Group("certificate_status_req")
		t := U8[uint8](r, "status_type")
		request := r.Open("request", 2, 0, 0xffff)
		switch multi, single = multi || t == StatusOCSPMulti, single || t == StatusOCSP; t {
		case StatusOCSP, StatusOCSPMulti:
			r.Opaque("responder_id_list", 2, 0, 0xffff)
			r.Opaque("request_extensions", 2, 0, 0xffff)
		default:
			r.Rest("unknown")
		}
		r.Close("request", request)
		r.Close("certificate_status_req", item)
	}
	r.Close("certificate_status_req_list", list)
	return multi, single
}

// AppendStatusRequestV2 appends a request for the responses of the whole chain or, second
// best, of the leaf, without preferences.
func AppendStatusRequestV2(b []byte) []byte {
	return append(b, 0, 14, StatusOCSPMulti, 0, 4, 0, 0, 0, 0, StatusOCSP, 0, 4, 0, 0, 0, 0)
}
