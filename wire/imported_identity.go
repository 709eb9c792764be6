package wire

// A KDF is a key derivation function that a PSK may be imported for. RFC 9258 §10.
type KDF uint16

const (
	HKDFSHA256 KDF = 0x0001
	HKDFSHA384 KDF = 0x0002
)

var targetNames = map[KDF]string{HKDFSHA256: "HKDF_SHA256", HKDFSHA384: "HKDF_SHA384"}

func (k KDF) String() string { return named(targetNames, k, "kdf") }

// ImportedIdentity is what the identity of a PSK holds that was imported into TLS 1.3:
// one key of a context, for one version and one hash. RFC 9258 §5.1.
//
//	struct {
//	    opaque external_identity<1...2^16-1>;
//	    opaque context<0..2^16-1>;
//	    uint16 target_protocol;
//	    uint16 target_kdf;
//	} ImportedIdentity;
type ImportedIdentity struct {
	ExternalIdentity []byte
	Context          []byte
	TargetProtocol   Version
	TargetKDF        KDF
}

// Read reads the whole of an identity. What it keeps is lent from the input.
func (i *ImportedIdentity) Read(r *Reader) {
	i.ExternalIdentity = r.Opaque("external_identity", 2, 1, 0xffff)
	i.Context = r.Opaque("context", 2, 0, 0xffff)
	i.TargetProtocol = U16[Version](r, "target_protocol")
	i.TargetKDF = U16[KDF](r, "target_kdf")
}

// Append appends the identity to b.
func (i *ImportedIdentity) Append(b []byte) []byte {
	b = appendOpaque(appendOpaque(b, 2, i.ExternalIdentity), 2, i.Context)
	return AppendU16(AppendU16(b, i.TargetProtocol), i.TargetKDF)
}

// ParseImportedIdentity reads identity as an [ImportedIdentity] and reports whether it
// is one for TLS 1.3, with nothing behind it. Any other identity may have that form by chance.
func ParseImportedIdentity(identity []byte) (i ImportedIdentity, ok bool) {
	r := NewReader(identity, nil)
	i.Read(&r)
	return i, r.Err() == nil && r.Left() == 0 && i.TargetProtocol == TLS13
}
