package wire

import "crypto/subtle"

// ServerHello is the server's answer. A HelloRetryRequest is a ServerHello
// with a fixed random. RFC 8446 §4.1.3, §4.1.4, RFC 5246 §7.4.1.3.
//
//	struct {
//	    ProtocolVersion legacy_version;
//	    Random random;
//	    opaque legacy_session_id_echo<0..32>;
//	    CipherSuite cipher_suite;
//	    uint8 legacy_compression_method;
//	    Extension extensions<6..2^16-1>;      // absent in old hellos
//	} ServerHello;
type ServerHello struct {
	LegacyVersion     Version
	Random            []byte // 32 bytes
	SessionID         []byte // 0..32 bytes
	CipherSuite       CipherSuite
	CompressionMethod CompressionMethod
	NoExtensions      bool
	Extensions        Extensions
}

// HelloRetryRandom marks a ServerHello as HelloRetryRequest: the SHA-256 of
// "HelloRetryRequest". RFC 8446 §4.1.3.
var HelloRetryRandom = [32]byte{
	0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
	0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
}

// The last eight bytes of a server's random where it negotiates less than it
// could: the sign of an attacker that removed the better. RFC 8446 §4.1.3.
const (
	DowngradeTLS12 = "DOWNGRD\x01" // TLS 1.2 from a server that has 1.3
	DowngradeTLS11 = "DOWNGRD\x00" // TLS 1.1 or below from one that has 1.2
)

func (m *ServerHello) Type() HandshakeType { return TypeServerHello }

// IsRetry reports whether the message is a HelloRetryRequest.
func (m *ServerHello) IsRetry() bool {
	return subtle.ConstantTimeCompare(m.Random, HelloRetryRandom[:]) == 1
}

// Name is the message's name in the RFC's text.
func (m *ServerHello) Name() string {
	if m.IsRetry() {
		return "HelloRetryRequest"
	}
	return "ServerHello"
}

func (m *ServerHello) Parse(r *Reader, c Context) {
	m.LegacyVersion = U16[Version](r, "legacy_version")
	m.Random = r.Bytes("random", 32)
	m.SessionID = r.Opaque("legacy_session_id_echo", 1, 0, 32)
	m.CipherSuite = U16[CipherSuite](r, "cipher_suite")
	m.CompressionMethod = U8[CompressionMethod](r, "legacy_compression_method")
	m.Extensions = m.Extensions[:0]
	if m.NoExtensions = !r.More(); !m.NoExtensions {
		in := inServerHello
		if m.IsRetry() {
			in = inHelloRetryRequest
		}
		m.Extensions = readExtensions(r, in, m.Extensions)
	}
}

func (m *ServerHello) Append(b []byte, _ Context) []byte {
	b = AppendU16(b, m.LegacyVersion)
	b = append(b, m.Random...)
	b = appendOpaque(b, 1, m.SessionID)
	b = AppendU16(b, m.CipherSuite)
	b = append(b, byte(m.CompressionMethod))
	if m.NoExtensions {
		return b
	}
	return appendExtensions(b, m.Extensions)
}
