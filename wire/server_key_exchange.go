package wire

// curveNamed is the one ECCurveType that RFC 8422 §5.4 leaves.
const curveNamed = 3

// ServerKeyExchange is the server's ephemeral public key, signed if it has a
// certificate to sign with, or its hint on which pre-shared key to use. Until
// TLS 1.2. RFC 5246 §7.4.3, RFC 8422 §5.4, RFC 4279 §2 to §4, RFC 5489 §2;
// RFC 6101 §5.6.3 has the same form.
//
//	struct {
//	    opaque dh_p<1..2^16-1>;
//	    opaque dh_g<1..2^16-1>;
//	    opaque dh_Ys<1..2^16-1>;
//	} ServerDHParams;
//
//	struct {
//	    ECCurveType curve_type;                 // named_curve (3)
//	    NamedCurve namedcurve;
//	    opaque point<1..2^8-1>;
//	} ServerECDHParams;
//
//	struct {
//	    SignatureAndHashAlgorithm algorithm;    // TLS 1.2
//	    opaque signature<0..2^16-1>;
//	} Signature;
//
//	struct {
//	    select (KeyExchangeAlgorithm) {
//	        case dhe:           ServerDHParams params;   Signature signed_params;
//	        case ecdhe:         ServerECDHParams params; Signature signed_params;
//	        case dh_anon:       ServerDHParams params;
//	        case ecdh_anon:     ServerECDHParams params;
//	        case psk, rsa_psk:  opaque psk_identity_hint<0..2^16-1>;
//	        case dhe_psk:       opaque psk_identity_hint<0..2^16-1>; ServerDHParams params;
//	        case ecdhe_psk:     opaque psk_identity_hint<0..2^16-1>; ServerECDHParams params;
//	    };
//	} ServerKeyExchange;
type ServerKeyExchange struct {
	Hint      []byte     // psk_identity_hint
	Group     NamedGroup // the curve; 0 for a finite field, which is sent whole
	P, G      []byte     // the finite field's prime and generator, big-endian
	Share     []byte     // the server's public key in it: a point, or dh_Ys
	Scheme    SignatureScheme
	Signature []byte
	Raw       []byte // the body where the key exchange has no such message
}

func (m *ServerKeyExchange) Type() HandshakeType { return TypeServerKeyExchange }

// AppendParams appends all that stands before the signature: where there is one,
// what it signs after the two randoms.
func (m *ServerKeyExchange) AppendParams(b []byte, c Context) []byte {
	if c.KeyExchange.PSK() {
		b = appendOpaque(b, 2, m.Hint)
	}
	switch c.KeyExchange.Share() {
	case ShareDH:
		b = appendOpaque(appendOpaque(b, 2, m.P), 2, m.G)
		b = appendOpaque(b, 2, m.Share)
	case ShareEC:
		b = AppendU16(append(b, curveNamed), m.Group)
		b = appendOpaque(b, 1, m.Share)
	}
	return b
}

func (m *ServerKeyExchange) Parse(r *Reader, c Context) {
	*m = ServerKeyExchange{}
	if !c.hasServerKeyExchange() {
		m.Raw = r.Rest("params")
		return
	}
	if c.KeyExchange.PSK() {
		m.Hint = r.Opaque("psk_identity_hint", 2, 0, 0xffff)
	}
	switch c.KeyExchange.Share() {
	case ShareDH:
		m.readDH(r)
	case ShareEC:
		m.readEC(r)
	}
	if !c.KeyExchange.Signed() {
		return
	}
	if c.Version >= TLS12 {
		m.Scheme = U16[SignatureScheme](r, "algorithm")
	}
	m.Signature = r.Opaque("signature", 2, 0, 0xffff)
}

func (m *ServerKeyExchange) readDH(r *Reader) {
	g := r.Group("params")
	m.P = r.Opaque("dh_p", 2, 1, 0xffff)
	m.G = r.Opaque("dh_g", 2, 1, 0xffff)
	m.Share = r.Opaque("dh_Ys", 2, 1, 0xffff)
	r.Close("params", g)
}

func (m *ServerKeyExchange) readEC(r *Reader) {
	g := r.Group("params")
	if t := U8[uint8](r, "curve_type"); t != curveNamed {
		r.Illegal("curve_type", "only named_curve (3) is allowed")
	}
	m.Group = U16[NamedGroup](r, "namedcurve")
	m.Share = r.Opaque("point", 1, 1, 255)
	r.Close("params", g)
}

func (m *ServerKeyExchange) Append(b []byte, c Context) []byte {
	if !c.hasServerKeyExchange() {
		return append(b, m.Raw...)
	}
	b = m.AppendParams(b, c)
	if !c.KeyExchange.Signed() {
		return b
	}
	if c.Version >= TLS12 {
		b = AppendU16(b, m.Scheme)
	}
	return appendOpaque(b, 2, m.Signature)
}

func (c Context) hasServerKeyExchange() bool {
	return c.KeyExchange.PSK() || c.KeyExchange.Share() != ShareNone
}
