package recompute

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
)

// inflater decompresses the records of one epoch of one direction: they are one
// stream in zlib's format, which each record leaves off between two bytes. (With
// zlib's partial flush it would be within one, and does not open here. No peer is
// known that sends that.) RFC 3749 §2, RFC 1950.
type inflater struct {
	begun   bool
	history []byte // as far back as DEFLATE can refer
}

const (
	maxContent = 1 << 14 // the most that a record may hold, RFC 5246 §6.2.1
	window     = 1 << 15
	deflate8   = 8 // the method that is DEFLATE, RFC 1950 §2.2
)

// finalBlock is an empty stored block that is the last: with it, what was left
// off can be read to an end. RFC 1951 §3.2.4.
var finalBlock = []byte{1, 0, 0, 0xff, 0xff}

// record decompresses what one record has, at most maxContent bytes, and returns
// the inflater for the record after it.
func (z *inflater) record(squeezed []byte) (*inflater, []byte, error) {
	next := &inflater{begun: z.begun, history: z.history}
	if len(squeezed) == 0 {
		return next, nil, nil
	}
	if !z.begun {
		if len(squeezed) < 2 || squeezed[0]&0x0f != deflate8 || binary.BigEndian.Uint16(squeezed)%31 != 0 || squeezed[1]&0x20 != 0 {
			return z, nil, errInflate
		}
		squeezed, next.begun = squeezed[2:], true
	}
	stream := flate.NewReaderDict(io.MultiReader(bytes.NewReader(squeezed), bytes.NewReader(finalBlock)), z.history)
	content, err := io.ReadAll(io.LimitReader(stream, maxContent+1))
	if err != nil || len(content) > maxContent {
		return z, nil, errInflate
	}
	history := append(bytes.Clone(z.history), content...)
	next.history = history[max(0, len(history)-window):]
	return next, content, nil
}
