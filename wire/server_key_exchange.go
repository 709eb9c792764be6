package wire

// curveNamed is the one ECCurveType that RFC 8422 §5.4 leaves.
const curveNamed = 3

// ServerKeyExchange is the server's ephemeral public key, signed. Until TLS 1.2.
//
// ECDHE, RFC 8422 §5.4:
//
//	struct {
//	    ECCurveType curve_type;                 // named_curve (3)
//	    NamedCurve namedcurve;
//	    opaque point<1..2^8-1>;
//	    SignatureAndHashAlgorithm algorithm;    // TLS 1.2
//	    opaque signature<0..2^16-1>;
//	} ServerKeyExchange;
type ServerKeyExchange struct {
	Group     NamedGroup
	Share     []byte
	Scheme    SignatureScheme
	Signature []byte
	Raw       []byte // the body of a key exchange without a grammar here
}

func (m *ServerKeyExchange) Type() HandshakeType { return TypeServerKeyExchange }

// AppendParams appends what is signed: the curve and the public key.
func (m *ServerKeyExchange) AppendParams(b []byte) []byte {
	b = AppendU16(append(b, curveNamed), m.Group)
	return appendOpaque(b, 1, m.Share)
}

func (m *ServerKeyExchange) Parse(r *Reader, c Context) {
	*m = ServerKeyExchange{}
	if c.KeyExchange != KeyExchangeECDHE {
		m.Raw = r.Rest("params")
		return
	}
	g := r.Group("params")
	if t := U8[uint8](r, "curve_type"); t != curveNamed {
		r.Fail("curve_type", "only named_curve (3) is allowed")
	}
	m.Group = U16[NamedGroup](r, "namedcurve")
	m.Share = r.Opaque("point", 1, 1, 255)
	r.Close("params", g)
	if c.Version >= TLS12 {
		m.Scheme = U16[SignatureScheme](r, "algorithm")
	}
	m.Signature = r.Opaque("signature", 2, 0, 0xffff)
}

func (m *ServerKeyExchange) Append(b []byte, c Context) []byte {
	if c.KeyExchange != KeyExchangeECDHE {
		return append(b, m.Raw...)
	}
	b = m.AppendParams(b)
	if c.Version >= TLS12 {
		b = AppendU16(b, m.Scheme)
	}
	return appendOpaque(b, 2, m.Signature)
}
