package wire

// Finished proves that both sides saw the same handshake: two hashes in SSL
// 3.0, 12 bytes up to TLS 1.2, a hash's length in TLS 1.3.
//
// RFC 5246 §7.4.9, RFC 8446 §4.4.4:
//
//	struct {
//	    opaque verify_data[verify_data_length];
//	} Finished;
//
// RFC 6101 §5.6.9:
//
//	struct {
//	    opaque md5_hash[16];
//	    opaque sha_hash[20];
//	} Finished;
type Finished struct {
	VerifyData []byte // in SSL 3.0 both hashes, one after the other
}

func (m *Finished) Type() HandshakeType { return TypeFinished }

func (m *Finished) Parse(r *Reader, c Context) {
	if c.Version != SSL30 {
		m.VerifyData = r.Rest("verify_data")
		return
	}
	start := r.off
	r.Bytes("md5_hash", 16)
	r.Bytes("sha_hash", 20)
	m.VerifyData = r.buf[start:r.off:r.off]
}

func (m *Finished) Append(b []byte, _ Context) []byte { return append(b, m.VerifyData...) }
