package wire

// KeyExchange is the part of a cipher suite that selects the grammar of
// ServerKeyExchange and ClientKeyExchange. RFC 5246 §7.4.3, §7.4.7.
type KeyExchange uint8

const (
	KeyExchangeNone     KeyExchange = iota // not known, or TLS 1.3
	KeyExchangeRSA                         // RFC 5246 §7.4.7.1
	KeyExchangeDHE                         // RFC 5246 §7.4.3
	KeyExchangeECDHE                       // RFC 8422 §5.4
	KeyExchangeDHAnon                      // RFC 5246 §7.4.3
	KeyExchangeECDHAnon                    // RFC 8422 §5.4
	KeyExchangePSK                         // RFC 4279 §2
	KeyExchangeDHEPSK                      // RFC 4279 §3
	KeyExchangeECDHEPSK                    // RFC 5489 §2
	KeyExchangeRSAPSK                      // RFC 4279 §4
)

// Share is the kind of ephemeral public key that a key exchange sends.
type Share uint8

const (
	ShareNone Share = iota
	ShareDH         // a finite-field group in full, or its public key
	ShareEC         // a named curve's point
)

// keyExchanges describes each key exchange by what its messages carry.
var keyExchanges = [...]struct {
	name        string
	share       Share
	signed      bool // ServerKeyExchange is signed with the certificate's key
	psk         bool // an identity hint and an identity go first
	encrypted   bool // the client encrypts the premaster to the certificate's key
	certificate bool // the server has one
}{
	KeyExchangeNone:     {name: "none"},
	KeyExchangeRSA:      {name: "RSA", encrypted: true, certificate: true},
	KeyExchangeDHE:      {name: "DHE", share: ShareDH, signed: true, certificate: true},
	KeyExchangeECDHE:    {name: "ECDHE", share: ShareEC, signed: true, certificate: true},
	KeyExchangeDHAnon:   {name: "DH_anon", share: ShareDH},
	KeyExchangeECDHAnon: {name: "ECDH_anon", share: ShareEC},
	KeyExchangePSK:      {name: "PSK", psk: true},
	KeyExchangeDHEPSK:   {name: "DHE_PSK", share: ShareDH, psk: true},
	KeyExchangeECDHEPSK: {name: "ECDHE_PSK", share: ShareEC, psk: true},
	KeyExchangeRSAPSK:   {name: "RSA_PSK", psk: true, encrypted: true, certificate: true},
}

func (k KeyExchange) String() string {
	if int(k) < len(keyExchanges) {
		return keyExchanges[k].name
	}
	return named(map[KeyExchange]string{}, k, "key_exchange")
}

// Share is the kind of ephemeral public key that both sides send.
func (k KeyExchange) Share() Share { return keyExchanges[k].share }

// Signed reports whether the server signs its ServerKeyExchange.
func (k KeyExchange) Signed() bool { return keyExchanges[k].signed }

// PSK reports whether a pre-shared key enters the premaster.
func (k KeyExchange) PSK() bool { return keyExchanges[k].psk }

// Encrypted reports whether the client sends an encrypted premaster.
func (k KeyExchange) Encrypted() bool { return keyExchanges[k].encrypted }

// Certificate reports whether the server sends a certificate.
func (k KeyExchange) Certificate() bool { return keyExchanges[k].certificate }

// Context is what selects a grammar and is not in the message's own bytes.
// The zero value parses ClientHello and ServerHello, which need nothing.
type Context struct {
	// Version is the negotiated version; 0 before it is known.
	Version Version
	// KeyExchange is the negotiated suite's, for the two key exchange messages.
	KeyExchange KeyExchange
	// CertificateType is how the sender shows its key, for Certificate. RFC 7250.
	CertificateType CertificateType
	// From is the side that sent the message.
	From Role
}
