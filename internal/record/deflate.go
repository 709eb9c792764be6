package record

import "compress/zlib"

// MaxCompressed is the most that MaxPlaintext bytes become when they are
// compressed. RFC 5246 §6.2.2.
const MaxCompressed = MaxPlaintext + 1024

// Compressor is the sending side of DEFLATE for one direction and one epoch. Its
// history goes on from record to record, in one stream in zlib's format that never
// ends. RFC 3749 §2, RFC 1950.
//
// Compression betrays through a record's length what secrets and chosen content
// have in common (CRIME, CVE-2012-4929). A Compressor holds about 800 KB.
type Compressor struct {
	stream *zlib.Writer
	out    appender
}

// NewCompressor returns a Compressor without history.
func NewCompressor() *Compressor {
	c := new(Compressor)
	c.stream = zlib.NewWriter(&c.out)
	return c
}

// Append appends content, at most MaxPlaintext bytes, compressed, to dst: at most
// 1024 bytes more than content has, and nothing for nothing. The two must not
// overlap. Every piece has to be sent, in order.
func (c *Compressor) Append(dst, content []byte) []byte {
	if len(content) == 0 {
		return dst
	}
	c.out = dst
	c.stream.Write(content) // an appender does not fail
	c.stream.Flush()
	dst, c.out = c.out, nil
	return dst
}

type appender []byte

func (a *appender) Write(b []byte) (int, error) {
	*a = append(*a, b...)
	return len(b), nil
}
