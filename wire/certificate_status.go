package wire

// The CertificateStatusTypes: one OCSP response, or several. RFC 6066 §8, RFC 6961 §2.2.
const (
	StatusOCSP      = 1
	StatusOCSPMulti = 2
)

// CertificateStatus carries stapled OCSP responses: as a message of its own up to TLS
// 1.2, and, one alone, in an extension of the certificate in TLS 1.3. RFC 6066 §8,
// RFC 6961 §2.2.
//
//	struct {
//	    CertificateStatusType status_type;
//	    select (status_type) {
//	        case ocsp:       opaque OCSPResponse<1..2^24-1>;
//	        case ocsp_multi: OCSPResponse ocsp_response_list<1..2^24-1>;
//	    } response;
//	} CertificateStatus;
//
//	opaque OCSPResponse<0..2^24-1>;    /* in the list */
type CertificateStatus struct {
	Response []byte // DER
	// Responses are those for the certificates of the chain, in their order; an empty one
	// for a certificate without. Where there are any, the message has no Response.
	Responses [][]byte
}

func (m *CertificateStatus) Type() HandshakeType { return TypeCertificateStatus }

func (m *CertificateStatus) Parse(r *Reader, c Context) {
	*m = CertificateStatus{}
	switch t := U8[uint8](r, "status_type"); {
	case t == StatusOCSPMulti && c.Version < TLS13:
		list := r.Open("ocsp_response_list", 3, 1, 1<<24-1)
		for r.More() {
			m.Responses = append(m.Responses, r.Opaque("ocsp_response", 3, 0, 1<<24-1))
		}
		r.Close("ocsp_response_list", list)
		return
	case t != StatusOCSP:
		r.Illegal("status_type", "only ocsp (1) was asked for, or ocsp_multi (2) up to TLS 1.2")
	}
	m.Response = r.Opaque("ocsp_response", 3, 1, 1<<24-1)
}

func (m *CertificateStatus) Append(b []byte, _ Context) []byte {
	if m.Responses == nil {
		return appendOpaque(append(b, StatusOCSP), 3, m.Response)
	}
	b, list := openVector(append(b, StatusOCSPMulti), 3)
	for _, der := range m.Responses {
		b = appendOpaque(b, 3, der)
	}
	return closeVector(b, list, 3)
}
