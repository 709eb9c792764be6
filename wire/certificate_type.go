package wire

// CertificateType says how a side shows its key: in a certificate, or bare. RFC 7250 §3.
type CertificateType uint8

const (
	CertificateTypeX509         CertificateType = 0
	CertificateTypeRawPublicKey CertificateType = 2
)

func (t CertificateType) String() string {
	return named(map[CertificateType]string{
		CertificateTypeX509: "X.509", 1: "OpenPGP", CertificateTypeRawPublicKey: "raw public key", 3: "1609Dot2",
	}, t, "certificate_type")
}

// ReadCertificateTypes reads a client's client_certificate_type or
// server_certificate_type, appending to dst. A list that is empty, or has X.509 alone,
// says what leaving the extension out says, and is not allowed. RFC 7250 §3, §4.1.
//
//	CertificateType certificate_types<1..2^8-1>;
func ReadCertificateTypes(r *Reader, dst []CertificateType) []CertificateType {
	m := r.Open("certificate_types", 1, 0, 255)
	for r.More() {
		dst = append(dst, U8[CertificateType](r, "certificate_type"))
	}
	r.Close("certificate_types", m)
	if len(dst) == 0 || len(dst) == 1 && dst[0] == CertificateTypeX509 {
		r.Illegal("certificate_types", "the list offers nothing but the default, X.509")
	}
	return dst
}

// ReadCertificateType reads a server's answer to either of the two. RFC 7250 §3.
//
//	CertificateType certificate_type;
func ReadCertificateType(r *Reader) CertificateType {
	return U8[CertificateType](r, "certificate_type")
}
