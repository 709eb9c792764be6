package wire

// ClientKeyExchange is the client's half of the key exchange. Up to TLS 1.2.
// RFC 5246 §7.4.7, RFC 8422 §5.7, RFC 4279 §2 to §4, RFC 5489 §2.
//
//	struct {
//	    select (KeyExchangeAlgorithm) {
//	        case rsa:              opaque encrypted_pre_master_secret<0..2^16-1>;
//	        case dhe, dh_anon:     opaque dh_Yc<1..2^16-1>;
//	        case ecdhe, ecdh_anon: opaque point<1..2^8-1>;
//	        case psk:              opaque psk_identity<0..2^16-1>;
//	        case dhe_psk:          opaque psk_identity<0..2^16-1>; opaque dh_Yc<1..2^16-1>;
//	        case ecdhe_psk:        opaque psk_identity<0..2^16-1>; opaque point<1..2^8-1>;
//	        case rsa_psk:          opaque psk_identity<0..2^16-1>;
//	                               opaque encrypted_pre_master_secret<0..2^16-1>;
//	    } exchange_keys;
//	} ClientKeyExchange;
//
// In SSL 3.0 the encrypted premaster stands there without a length: RFC 6101
// §5.6.7.1, and what was deployed, which RFC 5246 §7.4.7.1 describes.
type ClientKeyExchange struct {
	Identity []byte // psk_identity
	Exchange []byte // the encrypted premaster, or the client's public key
}

func (m *ClientKeyExchange) Type() HandshakeType { return TypeClientKeyExchange }

// exchangeField is how Exchange stands in the message: with a length of so many
// bytes, at least min. Without a length it takes what is left.
func (c Context) exchangeField() (name string, lenBytes, min int) {
	switch k := c.KeyExchange; {
	case k.Encrypted() && c.Version == SSL30:
		return "encrypted_pre_master_secret", 0, 0
	case k.Encrypted():
		return "encrypted_pre_master_secret", 2, 0
	case k.Share() == ShareDH:
		return "dh_Yc", 2, 1
	case k.Share() == ShareEC:
		return "point", 1, 1
	case k.PSK():
		return "", 0, 0
	}
	return "exchange_keys", 0, 0
}

func (m *ClientKeyExchange) Parse(r *Reader, c Context) {
	*m = ClientKeyExchange{}
	if c.KeyExchange.PSK() {
		m.Identity = r.Opaque("psk_identity", 2, 0, 0xffff)
	}
	switch name, lenBytes, min := c.exchangeField(); {
	case name == "":
	case lenBytes == 0:
		m.Exchange = r.Rest(name)
	default:
		m.Exchange = r.Opaque(name, lenBytes, min, 1<<(8*lenBytes)-1)
	}
}

func (m *ClientKeyExchange) Append(b []byte, c Context) []byte {
	if c.KeyExchange.PSK() {
		b = appendOpaque(b, 2, m.Identity)
	}
	if _, lenBytes, _ := c.exchangeField(); lenBytes > 0 {
		return appendOpaque(b, lenBytes, m.Exchange)
	}
	return append(b, m.Exchange...)
}
