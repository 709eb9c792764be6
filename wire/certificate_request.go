package wire

// ClientCertificateType of RFC 5246 §7.4.4, RFC 8422 §5.5, RFC 6101 §5.6.4.
type ClientCertificateType uint8

const (
	CertTypeRSASign        ClientCertificateType = 1
	CertTypeDSSSign        ClientCertificateType = 2
	CertTypeRSAFixedDH     ClientCertificateType = 3
	CertTypeDSSFixedDH     ClientCertificateType = 4
	CertTypeECDSASign      ClientCertificateType = 64
	CertTypeRSAFixedECDH   ClientCertificateType = 65
	CertTypeECDSAFixedECDH ClientCertificateType = 66
)

func (t ClientCertificateType) String() string {
	return named(map[ClientCertificateType]string{
		CertTypeRSASign: "rsa_sign", CertTypeDSSSign: "dss_sign",
		CertTypeRSAFixedDH: "rsa_fixed_dh", CertTypeDSSFixedDH: "dss_fixed_dh",
		5: "rsa_ephemeral_dh", 6: "dss_ephemeral_dh", 20: "fortezza_dms",
		CertTypeECDSASign: "ecdsa_sign", CertTypeRSAFixedECDH: "rsa_fixed_ecdh", CertTypeECDSAFixedECDH: "ecdsa_fixed_ecdh",
	}, t, "certificate_type")
}

// CertificateRequest asks the client for a certificate.
//
// RFC 8446 §4.3.2:
//
//	struct {
//	    opaque certificate_request_context<0..2^8-1>;
//	    Extension extensions<2..2^16-1>;
//	} CertificateRequest;
//
// RFC 5246 §7.4.4 and RFC 6101 §5.6.4 (supported_signature_algorithms is new in
// TLS 1.2; an empty list of authorities is read in every version, as is usual):
//
//	struct {
//	    ClientCertificateType certificate_types<1..2^8-1>;
//	    SignatureAndHashAlgorithm supported_signature_algorithms<2..2^16-2>;
//	    DistinguishedName certificate_authorities<0..2^16-1>;
//	} CertificateRequest;
type CertificateRequest struct {
	RequestContext   []byte // TLS 1.3
	Extensions       Extensions
	CertificateTypes []ClientCertificateType // up to TLS 1.2
	SignatureSchemes []SignatureScheme       // TLS 1.2
	Authorities      [][]byte                // up to TLS 1.2; DER of the names
}

func (m *CertificateRequest) Type() HandshakeType { return TypeCertificateRequest }

func (m *CertificateRequest) Parse(r *Reader, c Context) {
	*m = CertificateRequest{
		Extensions: m.Extensions[:0], CertificateTypes: m.CertificateTypes[:0],
		SignatureSchemes: m.SignatureSchemes[:0], Authorities: m.Authorities[:0],
	}
	if c.Version >= TLS13 {
		m.RequestContext = r.Opaque("certificate_request_context", 1, 0, 255)
		m.Extensions = readExtensions(r, inCertificateRequest, m.Extensions)
		return
	}
	m.CertificateTypes = ReadU8List(r, "certificate_types", "certificate_type", m.CertificateTypes)
	if c.Version >= TLS12 {
		m.SignatureSchemes = ReadU16List(r, "supported_signature_algorithms", "signature_scheme", m.SignatureSchemes)
	}
	m.Authorities = ReadAuthorities(r, 0, m.Authorities)
}

func (m *CertificateRequest) Append(b []byte, c Context) []byte {
	if c.Version >= TLS13 {
		return appendExtensions(appendOpaque(b, 1, m.RequestContext), m.Extensions)
	}
	b = AppendU8List(b, m.CertificateTypes)
	if c.Version >= TLS12 {
		b = AppendU16List(b, m.SignatureSchemes)
	}
	return AppendAuthorities(b, m.Authorities)
}
