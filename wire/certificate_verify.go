package wire

// CertificateVerify proves that the sender holds its certificate's key.
//
// RFC 8446 §4.4.3, RFC 5246 §7.4.8 (before TLS 1.2 without algorithm):
//
//	struct {
//	    SignatureScheme algorithm;
//	    opaque signature<0..2^16-1>;
//	} CertificateVerify;
type CertificateVerify struct {
	Scheme    SignatureScheme
	Signature []byte
}

func (m *CertificateVerify) Type() HandshakeType { return TypeCertificateVerify }

func (m *CertificateVerify) Parse(r *Reader, c Context) {
	m.Scheme = 0
	if c.Version >= TLS12 {
		m.Scheme = U16[SignatureScheme](r, "algorithm")
	}
	m.Signature = r.Opaque("signature", 2, 0, 0xffff)
}

func (m *CertificateVerify) Append(b []byte, c Context) []byte {
	if c.Version >= TLS12 {
		b = AppendU16(b, m.Scheme)
	}
	return appendOpaque(b, 2, m.Signature)
}
