package wire

// KeyShareEntry is one side's public key in one group. RFC 8446 §4.2.8.
//
//	struct {
//	    NamedGroup group;
//	    opaque key_exchange<1..2^16-1>;
//	} KeyShareEntry;
//
//	struct { KeyShareEntry client_shares<0..2^16-1>; } KeyShareClientHello;
//	struct { NamedGroup selected_group; } KeyShareHelloRetryRequest;
//	struct { KeyShareEntry server_share; } KeyShareServerHello;
type KeyShareEntry struct {
	Group NamedGroup
	Share []byte
}

// ReadKeyShare reads one entry, as in a ServerHello.
func ReadKeyShare(r *Reader) KeyShareEntry {
	g := r.Group("key_share_entry")
	e := KeyShareEntry{U16[NamedGroup](r, "group"), r.Opaque("key_exchange", 2, 1, 0xffff)}
	r.Close("key_share_entry", g)
	return e
}

// AppendKeyShare appends one entry.
func AppendKeyShare(b []byte, e KeyShareEntry) []byte {
	return appendOpaque(AppendU16(b, e.Group), 2, e.Share)
}

// ReadKeyShares reads a client's entries, appending to dst.
func ReadKeyShares(r *Reader, dst []KeyShareEntry) []KeyShareEntry {
	m := r.Open("client_shares", 2, 0, 0xffff)
	for r.More() {
		dst = append(dst, ReadKeyShare(r))
	}
	r.Close("client_shares", m)
	return dst
}

// AppendKeyShares appends a client's entries.
func AppendKeyShares(b []byte, list []KeyShareEntry) []byte {
	b, mark := openVector(b, 2)
	for _, e := range list {
		b = AppendKeyShare(b, e)
	}
	return closeVector(b, mark, 2)
}
