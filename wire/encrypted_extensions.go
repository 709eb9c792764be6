package wire

// EncryptedExtensions are the server's answers that need no cleartext.
// RFC 8446 §4.3.1.
//
//	struct {
//	    Extension extensions<0..2^16-1>;
//	} EncryptedExtensions;
type EncryptedExtensions struct {
	Extensions Extensions
}

func (m *EncryptedExtensions) Type() HandshakeType { return TypeEncryptedExtensions }

func (m *EncryptedExtensions) Parse(r *Reader, c Context) {
	m.Extensions = readExtensions(r, inEncryptedExtensions, m.Extensions[:0])
}

func (m *EncryptedExtensions) Append(b []byte, _ Context) []byte {
	return appendExtensions(b, m.Extensions)
}
