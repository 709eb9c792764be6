package wire

// ECHType says which of the two hellos an encrypted_client_hello stands in. RFC 9849 §5.
type ECHType uint8

const (
	ECHOuter ECHType = 0
	ECHInner ECHType = 1
)

func (t ECHType) String() string {
	return named(map[ECHType]string{ECHOuter: "outer", ECHInner: "inner"}, t, "ech_type")
}

// ECHClientHello is the body of encrypted_client_hello in a ClientHello. RFC 9849 §5.
//
//	enum { outer(0), inner(1) } ECHClientHelloType;
//
//	struct {
//	    ECHClientHelloType type;
//	    select (ECHClientHello.type) {
//	        case outer:
//	            HpkeSymmetricCipherSuite cipher_suite;
//	            uint8 config_id;
//	            opaque enc<0..2^16-1>;
//	            opaque payload<1..2^16-1>;
//	        case inner:
//	            Empty;
//	    };
//	} ECHClientHello;
type ECHClientHello struct {
	Type     ECHType
	Suite    HPKESuite
	ConfigID uint8
	Enc      []byte // the encapsulated key; empty in a second ClientHello
	Payload  []byte // the EncodedClientHelloInner, sealed
}

// Read reads the extension's body. A type without a meaning is illegal.
func (e *ECHClientHello) Read(r *Reader) {
	*e = ECHClientHello{Type: U8[ECHType](r, "type")}
	switch e.Type {
	case ECHInner:
		return
	case ECHOuter:
		e.Suite = readHPKESuite(r)
		e.ConfigID = U8[uint8](r, "config_id")
		e.Enc = r.Opaque("enc", 2, 0, 0xffff)
		e.Payload = r.Opaque("payload", 2, 1, 0xffff)
	default:
		r.Illegal("encrypted_client_hello", "its type is neither outer nor inner")
	}
}

// Append appends the extension's body.
func (e *ECHClientHello) Append(b []byte) []byte {
	b = append(b, byte(e.Type))
	if e.Type == ECHInner {
		return b
	}
	b = append(appendHPKESuite(b, e.Suite), e.ConfigID)
	return appendOpaque(appendOpaque(b, 2, e.Enc), 2, e.Payload)
}

// ECHConfirmationLen is the length of a server's word that it has taken the inner hello.
const ECHConfirmationLen = 8

// ReadECHConfirmation reads the body of encrypted_client_hello in a HelloRetryRequest.
// RFC 9849 §5.
//
//	struct {
//	    opaque confirmation[8];
//	} ECHHelloRetryRequest;
func ReadECHConfirmation(r *Reader) []byte { return r.Bytes("confirmation", ECHConfirmationLen) }

// ReadECHRetryConfigs reads the body of encrypted_client_hello in EncryptedExtensions.
// RFC 9849 §5.
//
//	struct {
//	    ECHConfigList retry_configs;
//	} ECHEncryptedExtensions;
func ReadECHRetryConfigs(r *Reader) []ECHConfig { return ReadECHConfigs(r, nil) }

// ReadECHOuterExtensions reads the extensions of the outer hello that the inner one
// shares, appending to dst. RFC 9849 §5.1.
//
//	ExtensionType OuterExtensions<2..254>;
func ReadECHOuterExtensions(r *Reader, dst []ExtensionType) []ExtensionType {
	m := r.Open("outer_extensions", 1, 2, 254)
	for r.More() {
		dst = append(dst, U16[ExtensionType](r, "extension_type"))
	}
	r.Close("outer_extensions", m)
	return dst
}

// AppendECHOuterExtensions appends the extension's body: 1 to 127 types.
func AppendECHOuterExtensions(b []byte, types []ExtensionType) []byte {
	b, mark := openVector(b, 1)
	for _, t := range types {
		b = AppendU16(b, t)
	}
	return closeVector(b, mark, 1)
}
