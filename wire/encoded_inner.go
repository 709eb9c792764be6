package wire

import "bytes"

// EncodedInner is a ClientHelloInner as it is encrypted: without its session ID, which
// is that of the outer hello, with what both hellos share named in
// ech_outer_extensions, and padded. RFC 9849 §5.1.
//
//	struct {
//	    ClientHello client_hello;
//	    uint8 zeros[length_of_padding];
//	} EncodedClientHelloInner;
type EncodedInner struct {
	Hello   ClientHello
	Padding int // bytes of zero
}

// Read reads all that is left. Padding that is not zero is illegal, and so is a session
// ID, which [RFC 9849 §5.1] has empty.
func (e *EncodedInner) Read(r *Reader) {
	e.Hello.Parse(r, Context{})
	if r.err == nil && len(e.Hello.SessionID) != 0 {
		r.Illegal("legacy_session_id", "it is not empty in an encrypted ClientHello")
	}
	if !r.More() {
		e.Padding = 0
		return
	}
	zeros := r.Rest("zeros")
	if e.Padding = len(zeros); len(bytes.Trim(zeros, "\x00")) != 0 {
		r.Illegal("zeros", "the padding is not zero")
	}
}

// Append appends the whole.
func (e *EncodedInner) Append(b []byte) []byte {
	b = e.Hello.Append(b, Context{})
	return append(b, make([]byte, e.Padding)...)
}
