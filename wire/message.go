package wire

import "sync"

// HeaderLen is the size of a handshake message's header. RFC 8446 §4.
//
//	struct {
//	    HandshakeType msg_type;
//	    uint24 length;
//	    select (Handshake.msg_type) { ... };
//	} Handshake;
const HeaderLen = 4

// Message is a handshake message of one type.
type Message interface {
	Type() HandshakeType
	// Parse reads the body. What it keeps aliases the reader's input. Slices of
	// the message are reused, so a message may be parsed into again.
	Parse(r *Reader, c Context)
	// Append appends the body.
	Append(b []byte, c Context) []byte
}

// messages makes an empty message of each type.
var messages = map[HandshakeType]func() Message{
	TypeHelloRequest:        func() Message { return new(HelloRequest) },
	TypeClientHello:         func() Message { return new(ClientHello) },
	TypeServerHello:         func() Message { return new(ServerHello) },
	TypeNewSessionTicket:    func() Message { return new(NewSessionTicket) },
	TypeEndOfEarlyData:      func() Message { return new(EndOfEarlyData) },
	TypeEncryptedExtensions: func() Message { return new(EncryptedExtensions) },
	TypeCertificate:         func() Message { return new(Certificate) },
	TypeServerKeyExchange:   func() Message { return new(ServerKeyExchange) },
	TypeCertificateRequest:  func() Message { return new(CertificateRequest) },
	TypeServerHelloDone:     func() Message { return new(ServerHelloDone) },
	TypeCertificateVerify:   func() Message { return new(CertificateVerify) },
	TypeClientKeyExchange:   func() Message { return new(ClientKeyExchange) },
	TypeFinished:            func() Message { return new(Finished) },
	TypeCertificateStatus:   func() Message { return new(CertificateStatus) },
	TypeKeyUpdate:           func() Message { return new(KeyUpdate) },
}

// messageRefs is where each message is specified, for TLS 1.3 and before.
var messageRefs = map[HandshakeType][2]string{
	TypeHelloRequest:        {"", "RFC 5246 §7.4.1.1"},
	TypeClientHello:         {"RFC 8446 §4.1.2", "RFC 5246 §7.4.1.2"},
	TypeServerHello:         {"RFC 8446 §4.1.3", "RFC 5246 §7.4.1.3"},
	TypeNewSessionTicket:    {"RFC 8446 §4.6.1", "RFC 5077 §3.3"},
	TypeEndOfEarlyData:      {"RFC 8446 §4.5", ""},
	TypeEncryptedExtensions: {"RFC 8446 §4.3.1", ""},
	TypeCertificate:         {"RFC 8446 §4.4.2", "RFC 5246 §7.4.2"},
	TypeServerKeyExchange:   {"", "RFC 5246 §7.4.3"},
	TypeCertificateRequest:  {"RFC 8446 §4.3.2", "RFC 5246 §7.4.4"},
	TypeServerHelloDone:     {"", "RFC 5246 §7.4.5"},
	TypeCertificateVerify:   {"RFC 8446 §4.4.3", "RFC 5246 §7.4.8"},
	TypeClientKeyExchange:   {"", "RFC 5246 §7.4.7"},
	TypeFinished:            {"RFC 8446 §4.4.4", "RFC 5246 §7.4.9"},
	TypeCertificateStatus:   {"", "RFC 6066 §8"},
	TypeKeyUpdate:           {"RFC 8446 §4.6.3", ""},
}

// Ref returns the RFC section that specifies messages of type t in version v.
func (t HandshakeType) Ref(v Version) string {
	if refs := messageRefs[t]; v < TLS13 && refs[1] != "" {
		return refs[1]
	} else if refs[0] != "" {
		return refs[0]
	} else {
		return refs[1]
	}
}

// Known reports whether t is a message that this package can parse.
func (t HandshakeType) Known() bool { _, ok := messages[t]; return ok }

// Decode parses body, a handshake message without its header, into m. With a
// Recorder it keeps the spans, also those before an error; rec may be nil. The
// error is a *SyntaxError.
func Decode(m Message, body []byte, c Context, rec *Recorder) error {
	r := readers.Get().(*Reader)
	*r = NewReader(body, rec)
	m.Parse(r, c)
	err := r.Finish(m.Type().String())
	*r = Reader{}
	readers.Put(r)
	return err
}

// readers spares Decode an allocation: a Reader passed to a method of an
// interface cannot stay on the stack.
var readers = sync.Pool{New: func() any { return new(Reader) }}

// DecodeMessage parses one whole handshake message, header included. A message
// of unknown type is returned as Opaque.
func DecodeMessage(raw []byte, c Context, rec *Recorder) (Message, error) {
	r := NewReader(raw, rec)
	t := U8[HandshakeType](&r, "msg_type")
	mark := r.Open(t.String(), 3, 0, 1<<24-1)
	if rec != nil {
		rec.ref(t.Ref(c.Version))
	}
	m := Message(&Opaque{MsgType: t})
	if f := messages[t]; f != nil {
		m = f()
	}
	m.Parse(&r, c)
	r.Close(t.String(), mark)
	return m, r.Finish(t.String())
}

// AppendMessage appends m with its header.
func AppendMessage(b []byte, m Message, c Context) []byte {
	b = append(b, byte(m.Type()))
	b, mark := openVector(b, 3)
	return closeVector(m.Append(b, c), mark, 3)
}

// Opaque is a message whose type has no grammar here.
type Opaque struct {
	MsgType HandshakeType
	Body    []byte
}

func (m *Opaque) Type() HandshakeType { return m.MsgType }

func (m *Opaque) Parse(r *Reader, _ Context) { m.Body = r.Rest("body") }

func (m *Opaque) Append(b []byte, _ Context) []byte { return append(b, m.Body...) }

// MessageLen returns the size of the handshake message that b starts with,
// header included, or 0 while b holds less than a header.
func MessageLen(b []byte) int {
	if len(b) < HeaderLen {
		return 0
	}
	return HeaderLen + int(b[1])<<16 + int(b[2])<<8 + int(b[3])
}
