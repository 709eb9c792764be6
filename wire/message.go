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

// messages has a row for each type that has a grammar: how to make an empty one,
// and where it is specified, for TLS 1.3 and for the versions before.
var messages = map[HandshakeType]struct {
	blank      func() Message
	ref, ref12 string
}{
	TypeHelloRequest:          {blank[HelloRequest], "", "RFC 5246 §7.4.1.1"},
	TypeClientHello:           {blank[ClientHello], "RFC 8446 §4.1.2", "RFC 5246 §7.4.1.2"},
	TypeServerHello:           {blank[ServerHello], "RFC 8446 §4.1.3", "RFC 5246 §7.4.1.3"},
	TypeNewSessionTicket:      {blank[NewSessionTicket], "RFC 8446 §4.6.1", "RFC 5077 §3.3"},
	TypeEndOfEarlyData:        {blank[EndOfEarlyData], "RFC 8446 §4.5", ""},
	TypeEncryptedExtensions:   {blank[EncryptedExtensions], "RFC 8446 §4.3.1", ""},
	TypeCertificate:           {blank[Certificate], "RFC 8446 §4.4.2", "RFC 5246 §7.4.2"},
	TypeServerKeyExchange:     {blank[ServerKeyExchange], "", "RFC 5246 §7.4.3"},
	TypeCertificateRequest:    {blank[CertificateRequest], "RFC 8446 §4.3.2", "RFC 5246 §7.4.4"},
	TypeServerHelloDone:       {blank[ServerHelloDone], "", "RFC 5246 §7.4.5"},
	TypeCertificateVerify:     {blank[CertificateVerify], "RFC 8446 §4.4.3", "RFC 5246 §7.4.8"},
	TypeClientKeyExchange:     {blank[ClientKeyExchange], "", "RFC 5246 §7.4.7"},
	TypeFinished:              {blank[Finished], "RFC 8446 §4.4.4", "RFC 5246 §7.4.9"},
	TypeCertificateStatus:     {blank[CertificateStatus], "", "RFC 6066 §8"},
	TypeKeyUpdate:             {blank[KeyUpdate], "RFC 8446 §4.6.3", ""},
	TypeCompressedCertificate: {blank[CompressedCertificate], "RFC 8879 §4", ""},
}

func blank[M any, P interface {
	*M
	Message
}]() Message {
	return P(new(M))
}

// NewMessage returns an empty message to parse one of type t into: an Opaque where
// the type has no grammar.
func NewMessage(t HandshakeType) Message {
	if row, ok := messages[t]; ok {
		return row.blank()
	}
	return &Opaque{MsgType: t}
}

// Ref returns the RFC section that specifies messages of type t in version v.
func (t HandshakeType) Ref(v Version) string {
	row := messages[t]
	if v < TLS13 && row.ref12 != "" || row.ref == "" {
		return row.ref12
	}
	return row.ref
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
	m := NewMessage(t)
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
