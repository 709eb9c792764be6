package wire

import "fmt"

// A QUICParameter is one transport parameter of QUIC. Most are a number: Number says which.
type QUICParameter struct {
	ID    uint64
	Value []byte
}

// Number is the value as the one number that it is, ok if it is that. RFC 9000 §16.
func (p QUICParameter) Number() (v uint64, ok bool) {
	r := NewReader(p.Value, nil)
	v = r.varint("value")
	return v, r.Finish("value") == nil
}

// Name is the parameter's registered name, or its number in hexadecimal.
func (p QUICParameter) Name() string {
	switch {
	case quicParameters[p.ID].name != "":
		return quicParameters[p.ID].name
	case p.ID >= 27 && (p.ID-27)%31 == 0: // reserved, so that peers stay tolerant
		return fmt.Sprintf("reserved (0x%x)", p.ID)
	}
	return fmt.Sprintf("parameter 0x%x", p.ID)
}

// quicParameters are the registered parameters, and which of them are a number.
// RFC 9000 §18.2, RFC 9221 §3, RFC 9287 §3, RFC 9368 §3.
var quicParameters = map[uint64]struct {
	name   string
	number bool
}{
	0x00: {"original_destination_connection_id", false}, 0x01: {"max_idle_timeout", true},
	0x02: {"stateless_reset_token", false}, 0x03: {"max_udp_payload_size", true},
	0x04: {"initial_max_data", true}, 0x05: {"initial_max_stream_data_bidi_local", true},
	0x06: {"initial_max_stream_data_bidi_remote", true}, 0x07: {"initial_max_stream_data_uni", true},
	0x08: {"initial_max_streams_bidi", true}, 0x09: {"initial_max_streams_uni", true},
	0x0a: {"ack_delay_exponent", true}, 0x0b: {"max_ack_delay", true},
	0x0c: {"disable_active_migration", false}, 0x0d: {"preferred_address", false},
	0x0e: {"active_connection_id_limit", true}, 0x0f: {"initial_source_connection_id", false},
	0x10: {"retry_source_connection_id", false}, 0x11: {"version_information", false},
	0x20: {"max_datagram_frame_size", true}, 0x2ab2: {"grease_quic_bit", false},
}

// ReadQUICParameters reads the body of quic_transport_parameters, appending to dst. That no
// parameter stands twice, and what each means, is for the QUIC implementation to judge.
// RFC 9000 §18, RFC 9001 §8.2.
//
//	Transport Parameters {
//	    Transport Parameter (..) ...,
//	}
//
//	Transport Parameter {
//	    Transport Parameter ID (i),
//	    Transport Parameter Length (i),
//	    Transport Parameter Value (..),
//	}
func ReadQUICParameters(r *Reader, dst []QUICParameter) []QUICParameter {
	for r.More() {
		var p QUICParameter
		g := r.Group(r.parameterName())
		p.ID = r.varint("id")
		size := r.varint("length")
		switch left := uint64(r.end - r.off); {
		case r.err != nil:
		case size > left:
			r.Fail(p.Name(), fmt.Sprintf("its length is %d, but %d bytes are left", size, left))
		default:
			p.Value = r.quicValue(p.ID, int(size))
		}
		r.Close("transport_parameter", g)
		if r.err == nil {
			dst = append(dst, p)
		}
	}
	return dst
}

// parameterName is the name of the parameter that is next, for a recorder.
func (r *Reader) parameterName() string {
	if r.rec == nil {
		return ""
	}
	ahead := Reader{buf: r.buf, off: r.off, end: r.end}
	if id := ahead.varint("id"); ahead.err == nil {
		return QUICParameter{ID: id}.Name()
	}
	return "transport_parameter"
}

// quicValue reads a parameter's value, shown as the number that it is.
func (r *Reader) quicValue(id uint64, size int) []byte {
	b := r.take("value", size)
	if r.rec == nil || r.err != nil {
		return b
	}
	shown := hexValue(b)
	if v, ok := (QUICParameter{id, b}).Number(); ok && quicParameters[id].number {
		shown = fmt.Sprint(v)
	}
	r.rec.leaf("value", r.off-size, size, shown)
	return b
}

// varint reads a number of 1, 2, 4 or 8 bytes, as its first two bits say. RFC 9000 §16.
func (r *Reader) varint(name string) (v uint64) {
	if r.err != nil || r.off >= r.end {
		r.take(name, 1)
		return 0
	}
	size := 1 << (r.buf[r.off] >> 6)
	b := r.take(name, size)
	for i, c := range b {
		if i == 0 {
			c &= 0x3f
		}
		v = v<<8 | uint64(c)
	}
	if r.rec != nil && r.err == nil {
		r.rec.leaf(name, r.off-size, size, fmt.Sprint(v))
	}
	return v
}
