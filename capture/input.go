package capture

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
)

// inputSize is what is read of the file at once. A block that is looked at whole fits.
const inputSize = 1 << 20

// input is a file, read forwards, of which a part is in memory.
type input struct {
	r          io.Reader
	buf        []byte
	start, end int   // of what was read and not consumed
	consumed   int64 // bytes before start
	err        error // of the reader, once it has given everything
}

func newInput(r io.Reader) *input { return &input{r: r, buf: make([]byte, inputSize)} }

// peek returns the next n bytes, at most inputSize, without consuming them. They are valid
// until the next call. If the file ends before, it returns what there is, and the error:
// io.EOF if there is nothing, else io.ErrUnexpectedEOF.
func (in *input) peek(n int) ([]byte, error) {
	for in.end-in.start < n {
		if in.err != nil {
			return in.buf[in.start:in.end], in.ended()
		}
		if in.start+n > len(in.buf) {
			in.end = copy(in.buf, in.buf[in.start:in.end])
			in.start = 0
		}
		m, err := in.r.Read(in.buf[in.end:])
		in.end += m
		in.err = err
	}
	return in.buf[in.start : in.start+n], nil
}

func (in *input) ended() error {
	if !errors.Is(in.err, io.EOF) && !errors.Is(in.err, io.ErrUnexpectedEOF) {
		return in.err
	}
	if in.start == in.end {
		return io.EOF
	}
	return io.ErrUnexpectedEOF
}

// skip consumes n bytes that peek has returned.
func (in *input) skip(n int) {
	in.start += n
	in.consumed += int64(n)
}

// discard consumes n bytes that need not be in memory.
func (in *input) discard(n int64) error {
	for n > 0 {
		step := int(min(n, inputSize))
		b, err := in.peek(step)
		in.skip(len(b))
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		n -= int64(step)
	}
	return nil
}

// take consumes n bytes and returns a copy. Memory grows as they arrive.
func (in *input) take(n int) (all []byte, err error) {
	for len(all) < n {
		step := min(n-len(all), inputSize)
		b, err := in.peek(step)
		if err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		all = append(all, b...)
		in.skip(step)
	}
	return all, nil
}

var gzipMagic = [2]byte{0x1f, 0x8b}

// unpacked returns the reader, unpacked if what it gives is compressed by gzip.
func unpacked(r io.Reader) (io.Reader, error) {
	b := bufio.NewReaderSize(r, 64)
	head, _ := b.Peek(len(gzipMagic)) // what is shorter is no capture, which is found later
	if len(head) < len(gzipMagic) || [2]byte(head) != gzipMagic {
		return b, nil
	}
	return gzip.NewReader(b)
}
