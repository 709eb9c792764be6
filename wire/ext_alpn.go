package wire

// ReadALPN reads a ProtocolNameList, appending to dst. RFC 7301 §3.1.
//
//	opaque ProtocolName<1..2^8-1>;
//	ProtocolName protocol_name_list<2..2^16-1>
func ReadALPN(r *Reader, dst [][]byte) [][]byte {
	m := r.Open("protocol_name_list", 2, 2, 0xffff)
	for r.More() {
		n := r.Open("protocol_name", 1, 1, 255)
		dst = append(dst, r.Text("protocol_name", r.Left()))
		r.Close("protocol_name", n)
	}
	r.Close("protocol_name_list", m)
	return dst
}

// AppendALPN appends a ProtocolNameList. Each name is 1..255 bytes.
func AppendALPN(b []byte, protocols ...string) []byte {
	b, mark := openVector(b, 2)
	for _, p := range protocols {
		b = append(append(b, byte(len(p))), p...)
	}
	return closeVector(b, mark, 2)
}
