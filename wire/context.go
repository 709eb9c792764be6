package wire

// KeyExchange is the part of a cipher suite that selects the grammar of
// ServerKeyExchange and ClientKeyExchange. RFC 5246 §7.4.3, §7.4.7.
type KeyExchange uint8

const (
	KeyExchangeNone  KeyExchange = iota // not known, or TLS 1.3
	KeyExchangeRSA                      // RFC 5246 §7.4.7.1
	KeyExchangeECDHE                    // RFC 8422 §5.4
)

func (k KeyExchange) String() string {
	return named(map[KeyExchange]string{KeyExchangeNone: "none", KeyExchangeRSA: "RSA", KeyExchangeECDHE: "ECDHE"}, k, "key_exchange")
}

// Context is what selects a grammar and is not in the message's own bytes.
// The zero value parses ClientHello and ServerHello, which need nothing.
type Context struct {
	// Version is the negotiated version; 0 before it is known.
	Version Version
	// KeyExchange is the negotiated suite's, for the two key exchange messages.
	KeyExchange KeyExchange
	// From is the side that sent the message.
	From Role
}
