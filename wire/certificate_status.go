package wire

// StatusOCSP is the one CertificateStatusType. RFC 6066 §8.
const StatusOCSP = 1

// CertificateStatus carries a stapled OCSP response: as a message of its own
// up to TLS 1.2, in an extension of the certificate in TLS 1.3. RFC 6066 §8.
//
//	struct {
//	    CertificateStatusType status_type;
//	    select (status_type) {
//	        case ocsp: opaque OCSPResponse<1..2^24-1>;
//	    } response;
//	} CertificateStatus;
type CertificateStatus struct {
	Response []byte // DER
}

func (m *CertificateStatus) Type() HandshakeType { return TypeCertificateStatus }

func (m *CertificateStatus) Parse(r *Reader, _ Context) {
	if t := U8[uint8](r, "status_type"); t != StatusOCSP {
		r.Illegal("status_type", "only ocsp (1) was asked for")
	}
	m.Response = r.Opaque("ocsp_response", 3, 1, 1<<24-1)
}

func (m *CertificateStatus) Append(b []byte, _ Context) []byte {
	return appendOpaque(append(b, StatusOCSP), 3, m.Response)
}
