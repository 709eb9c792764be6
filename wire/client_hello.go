package wire

// ClientHello is the client's offer. RFC 8446 §4.1.2, RFC 5246 §7.4.1.2.
//
//	struct {
//	    ProtocolVersion legacy_version;
//	    Random random;
//	    opaque legacy_session_id<0..32>;
//	    CipherSuite cipher_suites<2..2^16-2>;
//	    opaque legacy_compression_methods<1..2^8-1>;
//	    Extension extensions<8..2^16-1>;      // absent in old hellos
//	} ClientHello;
type ClientHello struct {
	LegacyVersion      Version
	Random             []byte // 32 bytes
	SessionID          []byte // 0..32 bytes
	CipherSuites       []CipherSuite
	CompressionMethods []CompressionMethod
	// NoExtensions is set where the field is absent altogether, which is not
	// the same bytes as an empty one.
	NoExtensions bool
	Extensions   Extensions
}

func (m *ClientHello) Type() HandshakeType { return TypeClientHello }

func (m *ClientHello) Parse(r *Reader, c Context) {
	m.LegacyVersion = U16[Version](r, "legacy_version")
	m.Random = r.Bytes("random", 32)
	m.SessionID = r.Opaque("legacy_session_id", 1, 0, 32)
	m.CipherSuites = ReadU16List(r, "cipher_suites", "cipher_suite", m.CipherSuites[:0])
	m.CompressionMethods = ReadU8List(r, "legacy_compression_methods", "method", m.CompressionMethods[:0])
	m.Extensions = m.Extensions[:0]
	if m.NoExtensions = !r.More(); !m.NoExtensions {
		m.Extensions = readExtensions(r, inClientHello, m.Extensions)
	}
}

func (m *ClientHello) Append(b []byte, _ Context) []byte {
	b = AppendU16(b, m.LegacyVersion)
	b = append(b, m.Random...)
	b = appendOpaque(b, 1, m.SessionID)
	b = AppendU16List(b, m.CipherSuites)
	b = AppendU8List(b, m.CompressionMethods)
	if m.NoExtensions {
		return b
	}
	return appendExtensions(b, m.Extensions)
}
