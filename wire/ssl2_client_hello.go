package wire

// SSL2HeaderLen is the size of the header of an SSL 2.0 record without padding:
// 15 bits of length after a bit that is set. RFC 5246 App. E.2.
const SSL2HeaderLen = 2

// SSL2HelloLen returns the size of the record, header included, if b starts
// with one that holds an SSL 2.0 ClientHello; else, or while b is shorter than
// header and message type, 0.
func SSL2HelloLen(b []byte) int {
	if len(b) <= SSL2HeaderLen || b[0]&0x80 == 0 || HandshakeType(b[2]) != TypeClientHello {
		return 0
	}
	return SSL2HeaderLen + int(b[0]&0x7f)<<8 + int(b[1])
}

// SSL2ClientHello is a ClientHello in the format of SSL 2.0, with which old
// clients asked for SSL 3.0 or later. It is what follows the record's header,
// and what the transcript takes. RFC 5246 App. E.2, RFC 2246 App. E.1.
//
//	uint8 V2CipherSpec[3];
//
//	struct {
//	    uint8 msg_type;                         // 1
//	    Version version;
//	    uint16 cipher_spec_length;              // in bytes
//	    uint16 session_id_length;               // 0 or 16
//	    uint16 challenge_length;                // from 16 on; usually at most 32
//	    V2CipherSpec cipher_specs[V2ClientHello.cipher_spec_length];
//	    opaque session_id[V2ClientHello.session_id_length];
//	    opaque challenge[V2ClientHello.challenge_length];
//	} V2ClientHello;
type SSL2ClientHello struct {
	Version     Version
	CipherSpecs []SSL2CipherSpec
	SessionID   []byte
	Challenge   []byte
}

// SSL2CipherSpec is a 24-bit number: a CipherSuite below 2^16, and above one of
// SSL 2.0's own cipher kinds.
type SSL2CipherSpec uint32

var ssl2CipherKinds = map[SSL2CipherSpec]string{
	0x010080: "SSL_CK_RC4_128_WITH_MD5", 0x020080: "SSL_CK_RC4_128_EXPORT40_WITH_MD5",
	0x030080: "SSL_CK_RC2_128_CBC_WITH_MD5", 0x040080: "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5",
	0x050080: "SSL_CK_IDEA_128_CBC_WITH_MD5", 0x060040: "SSL_CK_DES_64_CBC_WITH_MD5",
	0x0700c0: "SSL_CK_DES_192_EDE3_CBC_WITH_MD5",
}

func (s SSL2CipherSpec) String() string {
	if s <= 0xffff {
		return CipherSuite(s).String()
	}
	return named(ssl2CipherKinds, s, "cipher_kind")
}

func (m *SSL2ClientHello) Type() HandshakeType { return TypeClientHello }

func (m *SSL2ClientHello) Parse(r *Reader, _ Context) {
	*m = SSL2ClientHello{CipherSpecs: m.CipherSpecs[:0]}
	if t := U8[HandshakeType](r, "msg_type"); t != TypeClientHello {
		r.Fail("msg_type", "only client_hello (1) is read")
	}
	m.Version = U16[Version](r, "version")
	specs := r.ssl2Length("cipher_spec_length", func(n int) bool { return n > 0 && n%3 == 0 })
	id := r.ssl2Length("session_id_length", func(n int) bool { return n == 0 || n == 16 })
	challenge := r.ssl2Length("challenge_length", func(n int) bool { return n >= 16 })
	g := r.Group("cipher_specs")
	for n := 0; n < specs && r.err == nil; n += 3 {
		m.CipherSpecs = append(m.CipherSpecs, r.ssl2CipherSpec())
	}
	r.Close("cipher_specs", g)
	m.SessionID = r.Bytes("session_id", id)
	m.Challenge = r.Bytes("challenge", challenge)
}

// ssl2Length reads the length of a field that does not follow at once.
func (r *Reader) ssl2Length(name string, allowed func(int) bool) int {
	n := int(U16[uint16](r, name))
	if !allowed(n) {
		r.Fail(name, "the length is not allowed")
	}
	return n
}

func (r *Reader) ssl2CipherSpec() SSL2CipherSpec {
	s := SSL2CipherSpec(r.number("cipher_spec", 3))
	if r.rec != nil && r.err == nil {
		r.rec.leaf("cipher_spec", r.off-3, 3, s.String())
	}
	return s
}

func (m *SSL2ClientHello) Append(b []byte, _ Context) []byte {
	b = AppendU16(append(b, byte(TypeClientHello)), m.Version)
	b = AppendU16(b, uint16(3*len(m.CipherSpecs)))
	b = AppendU16(b, uint16(len(m.SessionID)))
	b = AppendU16(b, uint16(len(m.Challenge)))
	for _, s := range m.CipherSpecs {
		b = append(b, byte(s>>16), byte(s>>8), byte(s))
	}
	return append(append(b, m.SessionID...), m.Challenge...)
}

// Hello returns the ClientHello that means the same: with the suites that are
// not SSL 2.0's own, the challenge as the end of the random (of a longer one the
// first 32 bytes, as OpenSSL has it), no compression and no extensions. It shares the session ID with m.
func (m *SSL2ClientHello) Hello() *ClientHello {
	h := &ClientHello{
		LegacyVersion: m.Version, Random: make([]byte, 32), SessionID: m.SessionID,
		CompressionMethods: []CompressionMethod{CompressionNull}, NoExtensions: true,
	}
	copy(h.Random[max(0, len(h.Random)-len(m.Challenge)):], m.Challenge)
	for _, s := range m.CipherSpecs {
		if s <= 0xffff {
			h.CipherSuites = append(h.CipherSuites, CipherSuite(s))
		}
	}
	return h
}
