package wire

// PSKIdentity names one pre-shared key. RFC 8446 §4.2.11.
type PSKIdentity struct {
	Identity            []byte
	ObfuscatedTicketAge uint32 // milliseconds plus ticket_age_add, modulo 2^32
}

// OfferedPSKs is the body of a client's pre_shared_key. RFC 8446 §4.2.11.
//
//	struct {
//	    opaque identity<1..2^16-1>;
//	    uint32 obfuscated_ticket_age;
//	} PskIdentity;
//
//	opaque PskBinderEntry<32..255>;
//
//	struct {
//	    PskIdentity identities<7..2^16-1>;
//	    PskBinderEntry binders<33..2^16-1>;
//	} OfferedPsks;
type OfferedPSKs struct {
	Identities []PSKIdentity
	Binders    [][]byte
	// BindersLen is the size of the binders with their length prefix: what is
	// left out of the transcript that they sign. RFC 8446 §4.2.11.2.
	BindersLen int
}

// Read reads the extension's body.
func (o *OfferedPSKs) Read(r *Reader) {
	o.Identities, o.Binders = o.Identities[:0], o.Binders[:0]
	m := r.Open("identities", 2, 7, 0xffff)
	for r.More() {
		g := r.Group("psk_identity")
		o.Identities = append(o.Identities, PSKIdentity{r.Opaque("identity", 2, 1, 0xffff), r.U32("obfuscated_ticket_age")})
		r.Close("psk_identity", g)
	}
	r.Close("identities", m)
	start := r.off
	m = r.Open("binders", 2, 33, 0xffff)
	for r.More() {
		o.Binders = append(o.Binders, r.Opaque("binder", 1, 32, 255))
	}
	r.Close("binders", m)
	o.BindersLen = r.off - start
}

// Append appends the extension's body.
func (o *OfferedPSKs) Append(b []byte) []byte {
	b, mark := openVector(b, 2)
	for _, id := range o.Identities {
		b = appendU32(appendOpaque(b, 2, id.Identity), id.ObfuscatedTicketAge)
	}
	b = closeVector(b, mark, 2)
	b, mark = openVector(b, 2)
	for _, binder := range o.Binders {
		b = appendOpaque(b, 1, binder)
	}
	return closeVector(b, mark, 2)
}
