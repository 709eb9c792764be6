package record

import (
	"encoding/binary"

	"github.com/vitrine-tls/vitrine/wire"
)

const (
	// HeaderLen is the length of a record's header.
	HeaderLen = 5
	// MaxPlaintext is the most content that one record carries. RFC 8446 §5.1, RFC 5246 §6.2.1.
	MaxPlaintext = 1 << 14
	// MaxCiphertext13 is the longest protected fragment of TLS 1.3. RFC 8446 §5.2.
	MaxCiphertext13 = MaxPlaintext + 256
	// MaxCiphertext12 is the longest protected fragment up to TLS 1.2. RFC 5246 §6.2.3.
	MaxCiphertext12 = MaxPlaintext + 2048
)

// Header is the start of every record, always in the clear. RFC 8446 §5.1.
//
//	struct {
//	    ContentType type;
//	    ProtocolVersion version;
//	    uint16 length;
//	} header;
type Header struct {
	Type    wire.ContentType
	Version wire.Version
	// Length is the number of bytes that follow the header, 0 to 65535.
	Length int
}

// ParseHeader reads the first HeaderLen bytes of b, which must be there. It
// judges nothing: any bytes are a header.
func ParseHeader(b []byte) Header {
	return Header{
		Type:    wire.ContentType(b[0]),
		Version: wire.Version(binary.BigEndian.Uint16(b[1:])),
		Length:  int(binary.BigEndian.Uint16(b[3:])),
	}
}

// AppendHeader appends h's HeaderLen bytes to dst.
func AppendHeader(dst []byte, h Header) []byte {
	return append(dst, byte(h.Type), byte(h.Version>>8), byte(h.Version), byte(h.Length>>8), byte(h.Length))
}
