package wire

// ClientKeyExchange is the client's half of the key exchange. Until TLS 1.2.
//
//	struct {
//	    select (KeyExchangeAlgorithm) {
//	        case rsa:   opaque encrypted_pre_master_secret<0..2^16-1>;  // RFC 5246 §7.4.7.1
//	        case ecdhe: opaque point<1..2^8-1>;                         // RFC 8422 §5.7
//	    } exchange_keys;
//	} ClientKeyExchange;
type ClientKeyExchange struct {
	Exchange []byte // the encrypted premaster, or the client's public key
}

func (m *ClientKeyExchange) Type() HandshakeType { return TypeClientKeyExchange }

func (m *ClientKeyExchange) Parse(r *Reader, c Context) {
	switch c.KeyExchange {
	case KeyExchangeRSA:
		m.Exchange = r.Opaque("encrypted_pre_master_secret", 2, 0, 0xffff)
	case KeyExchangeECDHE:
		m.Exchange = r.Opaque("point", 1, 1, 255)
	default:
		m.Exchange = r.Rest("exchange_keys")
	}
}

func (m *ClientKeyExchange) Append(b []byte, c Context) []byte {
	switch c.KeyExchange {
	case KeyExchangeRSA:
		return appendOpaque(b, 2, m.Exchange)
	case KeyExchangeECDHE:
		return appendOpaque(b, 1, m.Exchange)
	}
	return append(b, m.Exchange...)
}
