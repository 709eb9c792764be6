package wire

import "encoding/binary"

// AppendU16 appends v in network order.
func AppendU16[T ~uint16](b []byte, v T) []byte { return binary.BigEndian.AppendUint16(b, uint16(v)) }

func appendU32(b []byte, v uint32) []byte { return binary.BigEndian.AppendUint32(b, v) }

// openVector reserves a length prefix of n bytes and returns where it stands.
func openVector(b []byte, n int) ([]byte, int) {
	return append(b, make([]byte, n)...), len(b)
}

// closeVector fills in the length prefix of n bytes at mark.
func closeVector(b []byte, mark, n int) []byte {
	size := len(b) - mark - n
	for i := n - 1; i >= 0; i-- {
		b[mark+i] = byte(size)
		size >>= 8
	}
	if size != 0 {
		panic("wire: vector too long for its length prefix")
	}
	return b
}

func appendOpaque(b []byte, n int, v []byte) []byte {
	b, mark := openVector(b, n)
	return closeVector(append(b, v...), mark, n)
}

// AppendU16List appends a vector of 16-bit values with a two-byte length.
func AppendU16List[T ~uint16](b []byte, list []T) []byte {
	b, mark := openVector(b, 2)
	for _, v := range list {
		b = AppendU16(b, v)
	}
	return closeVector(b, mark, 2)
}

// ReadU16List reads a vector<2..2^16-2> of 16-bit values, appending to dst.
func ReadU16List[T ~uint16](r *Reader, name, item string, dst []T) []T {
	m := r.Open(name, 2, 2, 0xfffe)
	if r.rec == nil && r.err == nil { // no names to keep: without a call for each item
		for ; r.end-r.off >= 2; r.off += 2 {
			dst = append(dst, T(binary.BigEndian.Uint16(r.buf[r.off:])))
		}
	}
	for r.More() {
		dst = append(dst, U16[T](r, item))
	}
	r.Close(name, m)
	return dst
}

// AppendU8List appends a vector of bytes with a one-byte length.
func AppendU8List[T ~uint8](b []byte, list []T) []byte {
	b, mark := openVector(b, 1)
	for _, v := range list {
		b = append(b, byte(v))
	}
	return closeVector(b, mark, 1)
}

// ReadU8List reads a vector<1..2^8-1> of bytes, appending to dst.
func ReadU8List[T ~uint8](r *Reader, name, item string, dst []T) []T {
	m := r.Open(name, 1, 1, 0xff)
	for r.More() {
		dst = append(dst, U8[T](r, item))
	}
	r.Close(name, m)
	return dst
}
