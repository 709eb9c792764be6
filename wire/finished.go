package wire

// Finished proves that both sides saw the same handshake: 12 bytes until
// TLS 1.2, a hash's length in TLS 1.3. RFC 5246 §7.4.9, RFC 8446 §4.4.4.
//
//	struct {
//	    opaque verify_data[verify_data_length];
//	} Finished;
type Finished struct {
	VerifyData []byte
}

func (m *Finished) Type() HandshakeType { return TypeFinished }

func (m *Finished) Parse(r *Reader, _ Context) { m.VerifyData = r.Rest("verify_data") }

func (m *Finished) Append(b []byte, _ Context) []byte { return append(b, m.VerifyData...) }
