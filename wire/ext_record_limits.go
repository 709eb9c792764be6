package wire

// MaxFragmentLength is the code of a plaintext limit that a client asks for.
// RFC 6066 §4.
//
//	enum { 2^9(1), 2^10(2), 2^11(3), 2^12(4), (255) } MaxFragmentLength;
type MaxFragmentLength uint8

// MaxFragmentLengthOf returns the code of size, in bytes, or 0 if it has none.
func MaxFragmentLengthOf(size int) MaxFragmentLength {
	for m := MaxFragmentLength(1); m <= 4; m++ {
		if m.Size() == size {
			return m
		}
	}
	return 0
}

// Size returns the limit in bytes, or 0 for a code without a meaning.
func (m MaxFragmentLength) Size() int {
	if m < 1 || m > 4 {
		return 0
	}
	return 256 << m
}

func (m MaxFragmentLength) String() string {
	return named(map[MaxFragmentLength]string{1: "2^9", 2: "2^10", 3: "2^11", 4: "2^12"}, m, "max_fragment_length")
}

// ReadMaxFragmentLength reads the extension's body, whether or not the code has
// a meaning.
func ReadMaxFragmentLength(r *Reader) MaxFragmentLength {
	return U8[MaxFragmentLength](r, "max_fragment_length")
}

// AppendMaxFragmentLength appends the extension's body.
func AppendMaxFragmentLength(b []byte, m MaxFragmentLength) []byte { return append(b, byte(m)) }

// MinRecordSizeLimit is the least limit that a peer may set. RFC 8449 §4.
const MinRecordSizeLimit = 64

// ReadRecordSizeLimit reads the most plaintext that the sender takes in a
// record: in bytes, in TLS 1.3 with the content type and padding. RFC 8449 §4.
//
//	uint16 RecordSizeLimit;
func ReadRecordSizeLimit(r *Reader) uint16 { return U16[uint16](r, "record_size_limit") }

// AppendRecordSizeLimit appends the extension's body.
func AppendRecordSizeLimit(b []byte, limit uint16) []byte { return AppendU16(b, limit) }
