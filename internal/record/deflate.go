package record

import (
	"compress/flate"
	"compress/zlib"
	"encoding/binary"
	"io"
	"slices"
)

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

// historyLen is how far back DEFLATE can refer. RFC 1951 §2.
const historyLen = 1 << 15

// lastBlock is an empty stored block that is the last. RFC 1951 §3.2.3, §3.2.4.
var lastBlock = []byte{1, 0, 0, 0xff, 0xff}

// Decompressor is the receiving side of a Compressor. It holds about 90 KB.
//
// compress/flate takes the end of its input for the end of everything. So each
// record is read as a stream of its own, whose dictionary is what came before and
// which lastBlock ends. That it is if the sender ends records with a sync flush,
// which leaves off between two blocks and two bytes. Every known one does.
type Decompressor struct {
	stream  io.Reader // a flate.Resetter
	source  source
	history []byte
	begun   bool // the header of the stream was there
	limit   int
	beyond  [1]byte
}

// NewDecompressor returns a Decompressor without history.
func NewDecompressor() *Decompressor {
	d := &Decompressor{limit: MaxPlaintext}
	d.stream = flate.NewReader(&d.source)
	return d
}

// SetLimit is Half.SetLimit, for content that was compressed.
func (d *Decompressor) SetLimit(n int) {
	if d.limit = MaxPlaintext; n > 0 {
		d.limit = min(n, MaxPlaintext)
	}
}

// Append appends what fragment, one record's, decompresses to, at most MaxPlaintext
// bytes, to dst. The two must not overlap. An error is an *Error with
// decompression_failure, or with record_overflow for what is longer than the limit
// that was set; then dst is as it was, and the connection is over. The output is
// bounded, and the work by the length of fragment: blocks that yield nothing cost
// their tables, of which some ten bytes make one.
func (d *Decompressor) Append(dst, fragment []byte) ([]byte, error) {
	fragment, err := d.header(fragment)
	if err != nil || len(fragment) == 0 {
		return dst, err
	}
	d.source = source{fragment, lastBlock}
	d.stream.(flate.Resetter).Reset(&d.source, d.history) // flate's does not fail
	grown := slices.Grow(dst, MaxPlaintext)
	content, err := d.read(grown[len(dst):][:MaxPlaintext])
	if err != nil {
		return dst, err
	}
	d.remember(content)
	return grown[:len(dst)+len(content)], nil
}

// header checks and cuts off the two bytes before the first record's compressed
// data. RFC 1950 §2.2.
func (d *Decompressor) header(fragment []byte) ([]byte, error) {
	if d.begun || len(fragment) == 0 {
		return fragment, nil
	}
	const deflate, window, dictionary = 0x0800, 0x7000, 0x20
	if len(fragment) < 2 {
		return nil, errInflate
	}
	h := binary.BigEndian.Uint16(fragment)
	if h%31 != 0 || h&0x0f00 != deflate || h&0xf000 > window || h&dictionary != 0 {
		return nil, errInflate
	}
	d.begun = true
	return fragment[2:], nil
}

// source reads first, then then.
type source struct{ first, then []byte }

func (s *source) next() {
	if len(s.first) == 0 {
		s.first, s.then = s.then, nil
	}
}

func (s *source) Read(b []byte) (n int, err error) {
	if s.next(); len(s.first) == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	n = copy(b, s.first)
	s.first = s.first[n:]
	return n, nil
}

func (s *source) ReadByte() (byte, error) {
	if s.next(); len(s.first) == 0 {
		return 0, io.EOF
	}
	b := s.first[0]
	s.first = s.first[1:]
	return b, nil
}

// read fills room with all that the record decompresses to, up to lastBlock.
func (d *Decompressor) read(room []byte) ([]byte, error) {
	n, err := d.fill(room)
	if err == nil { // room is full: is there more?
		n2, err2 := d.fill(d.beyond[:])
		n, err = n+n2, err2
	}
	switch {
	case err != io.EOF || len(d.source.first)+len(d.source.then) > 0 || n > MaxPlaintext:
		return nil, errInflate
	case n > d.limit:
		return nil, errInnerOverflow
	}
	return room[:n], nil
}

func (d *Decompressor) fill(room []byte) (n int, err error) {
	for n < len(room) && err == nil {
		var more int
		more, err = d.stream.Read(room[n:])
		n += more
	}
	return n, err
}

// remember keeps the last historyLen bytes.
func (d *Decompressor) remember(content []byte) {
	d.history = append(d.history, content...)
	if old := len(d.history) - historyLen; old > 0 {
		d.history = d.history[:copy(d.history, d.history[old:])]
	}
}
