package wire

// KeyUpdateRequest of RFC 8446 §4.6.3.
type KeyUpdateRequest uint8

const (
	UpdateNotRequested KeyUpdateRequest = 0
	UpdateRequested    KeyUpdateRequest = 1
)

func (k KeyUpdateRequest) String() string {
	return named(map[KeyUpdateRequest]string{UpdateNotRequested: "update_not_requested", UpdateRequested: "update_requested"}, k, "request_update")
}

// KeyUpdate announces the sender's next traffic secret. RFC 8446 §4.6.3.
//
//	struct {
//	    KeyUpdateRequest request_update;
//	} KeyUpdate;
type KeyUpdate struct {
	Request KeyUpdateRequest
}

func (m *KeyUpdate) Type() HandshakeType { return TypeKeyUpdate }

func (m *KeyUpdate) Parse(r *Reader, _ Context) {
	m.Request = U8[KeyUpdateRequest](r, "request_update")
}

func (m *KeyUpdate) Append(b []byte, _ Context) []byte { return append(b, byte(m.Request)) }
