package record

import (
	"encoding/binary"
	"slices"
)

// historyLen is how far back DEFLATE can refer. RFC 1951 §2.
const historyLen = 1 << 15

// Decompressor is the receiving side of a Compressor. It holds about 40 KB, and
// allocates nothing for a record.
//
// DEFLATE is read by code of our own, because compress/flate shows no blocks, and
// blocks are what costs: a record of 17 KB holds 1,500 blocks without content, and
// each may have two tables to build. Here the number of blocks is bounded. And
// compress/flate takes the end of its input for the end of everything, while a
// stream of TLS never ends and each record only interrupts it.
type Decompressor struct {
	begun   bool // the header of the stream was there
	limit   int
	history [historyLen]byte
	known   int // bytes of history, at its start
	blocks  blockReader
}

// NewDecompressor returns a Decompressor without history.
func NewDecompressor() *Decompressor { return &Decompressor{limit: MaxPlaintext} }

// SetLimit is Half.SetLimit, for content that was compressed.
func (d *Decompressor) SetLimit(n int) {
	if d.limit = MaxPlaintext; n > 0 {
		d.limit = min(n, MaxPlaintext)
	}
}

// Append appends what fragment, one record's, decompresses to, at most MaxPlaintext
// bytes, to dst. The two must not overlap. An error is an *Error with
// decompression_failure, or with record_overflow for what is longer than the limit
// that was set; then dst is as it was, and the connection is over. The work is
// bounded by the length of fragment, by MaxPlaintext, and by maxBlocks.
func (d *Decompressor) Append(dst, fragment []byte) ([]byte, error) {
	fragment, err := d.header(fragment)
	if err != nil || len(fragment) == 0 {
		return dst, err
	}
	grown := slices.Grow(dst, MaxPlaintext)
	room := grown[len(dst):][:MaxPlaintext]
	n, ok := d.blocks.read(room, d.history[:d.known], fragment)
	switch {
	case !ok:
		return dst, errInflate
	case n > d.limit:
		return dst, errInnerOverflow
	}
	d.remember(room[:n])
	return grown[:len(dst)+n], nil
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

// remember keeps the last historyLen bytes.
func (d *Decompressor) remember(content []byte) {
	if old := d.known + len(content) - historyLen; old > 0 {
		d.known = copy(d.history[:], d.history[old:d.known])
	}
	d.known += copy(d.history[d.known:], content)
}
