package wire

import (
	"encoding/hex"
	"fmt"
)

// A SyntaxError says that bytes do not follow their grammar. The alert for it
// is decode_error. RFC 8446 §6.2.
type SyntaxError struct {
	Field  string // the field that could not be read
	Offset int    // in bytes from the start of what was parsed
	Reason string
	// Illegal is set where the bytes follow the grammar, but a value is not allowed.
	// The alert for it is illegal_parameter.
	Illegal bool
}

func (e *SyntaxError) Error() string {
	how := "malformed"
	if e.Illegal {
		how = "illegal"
	}
	return fmt.Sprintf("%s %s at byte %d: %s", how, e.Field, e.Offset, e.Reason)
}

// Reader reads the fields of a structure from bytes. The first failure sticks:
// every later read gives zero values, and Err tells what went wrong.
//
// Byte slices that it returns alias the input.
type Reader struct {
	buf []byte
	off int // of the next byte
	end int // of the innermost open vector
	err *SyntaxError
	rec *Recorder
}

// NewReader reads from b. With a Recorder it keeps a Span for each field; rec
// may be nil, and then it keeps nothing.
func NewReader(b []byte, rec *Recorder) Reader {
	return Reader{buf: b, end: len(b), rec: rec}
}

// Err returns the first failure, or nil.
func (r *Reader) Err() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// More reports whether bytes are left in the innermost open vector.
func (r *Reader) More() bool { return r.err == nil && r.off < r.end }

// Left returns the number of bytes left in the innermost open vector.
func (r *Reader) Left() int { return r.end - r.off }

// Fail marks the structure as malformed.
func (r *Reader) Fail(field, reason string) {
	if r.err == nil {
		r.err = &SyntaxError{Field: field, Offset: r.off, Reason: reason}
	}
}

// Illegal marks a value as one that is not allowed, in bytes that follow the grammar
// so far.
func (r *Reader) Illegal(field, reason string) {
	if r.err == nil {
		r.err = &SyntaxError{Field: field, Offset: r.off, Reason: reason, Illegal: true}
	}
}

// Finish checks that nothing is left over and returns the reader's failure.
// With a Recorder, bytes that were not read become one opaque span.
func (r *Reader) Finish(name string) error {
	if r.err == nil && r.off < r.end {
		r.Fail(name, fmt.Sprintf("%d bytes after its end", r.end-r.off))
	}
	if r.rec != nil {
		r.rec.finish(len(r.buf), r.off)
	}
	return r.Err()
}

func (r *Reader) take(name string, n int) []byte {
	if r.err != nil {
		return nil
	}
	if r.end-r.off < n {
		r.Fail(name, fmt.Sprintf("%d bytes are needed, %d are left", n, r.end-r.off))
		return nil
	}
	b := r.buf[r.off : r.off+n : r.off+n]
	r.off += n
	return b
}

func (r *Reader) number(name string, n int) (v uint32) {
	for _, c := range r.take(name, n) {
		v = v<<8 | uint32(c)
	}
	return v
}

// length reads the length prefix, n bytes, of the vector called name.
func (r *Reader) length(name string, n int) int {
	v := r.number(name, n)
	if r.rec != nil && r.err == nil {
		r.rec.leaf("length", r.off-n, n, fmt.Sprint(v))
	}
	return int(v)
}

// U8 reads one byte as T.
func U8[T ~uint8](r *Reader, name string) T {
	v := T(r.number(name, 1))
	if r.rec != nil && r.err == nil {
		r.rec.leaf(name, r.off-1, 1, show(v))
	}
	return v
}

// U16 reads two bytes as T.
func U16[T ~uint16](r *Reader, name string) T {
	v := T(r.number(name, 2))
	if r.rec != nil && r.err == nil {
		r.rec.leaf(name, r.off-2, 2, show(v))
	}
	return v
}

// U24 reads three bytes.
func (r *Reader) U24(name string) uint32 {
	v := r.number(name, 3)
	if r.rec != nil && r.err == nil {
		r.rec.leaf(name, r.off-3, 3, fmt.Sprint(v))
	}
	return v
}

// U32 reads four bytes.
func (r *Reader) U32(name string) uint32 {
	v := r.number(name, 4)
	if r.rec != nil && r.err == nil {
		r.rec.leaf(name, r.off-4, 4, fmt.Sprint(v))
	}
	return v
}

// Bytes reads n bytes.
func (r *Reader) Bytes(name string, n int) []byte {
	b := r.take(name, n)
	if r.rec != nil && r.err == nil {
		r.rec.leaf(name, r.off-n, n, hexValue(b))
	}
	return b
}

// Rest reads all that is left of the innermost open vector.
func (r *Reader) Rest(name string) []byte {
	if r.err != nil {
		return nil
	}
	return r.Bytes(name, r.end-r.off)
}

// Text reads n bytes that are meant to be read by people; a recorder shows
// them quoted.
func (r *Reader) Text(name string, n int) []byte {
	b := r.take(name, n)
	if r.rec != nil && r.err == nil {
		r.rec.leaf(name, r.off-n, n, fmt.Sprintf("%q", b))
	}
	return b
}

// A Mark remembers the vector around an open one.
type Mark struct {
	end    int
	vector bool
}

// Open starts a vector<min..max> with a length prefix of as many bytes as max
// needs. Close must follow with the Mark it returns.
func (r *Reader) Open(name string, lenBytes, min, max int) Mark {
	m := Mark{r.end, true}
	if r.rec != nil {
		r.rec.open(name, r.off)
	}
	n := r.length(name, lenBytes)
	switch {
	case r.err != nil:
	case n > r.end-r.off:
		r.Fail(name, fmt.Sprintf("its length is %d, but %d bytes are left", n, r.end-r.off))
	case n < min || n > max:
		r.Fail(name, fmt.Sprintf("its length is %d, outside %d..%d", n, min, max))
	default:
		r.end = r.off + n
	}
	return m
}

// Group starts a structure without a length of its own; Close ends it.
func (r *Reader) Group(name string) Mark {
	if r.rec != nil {
		r.rec.open(name, r.off)
	}
	return Mark{end: r.end}
}

// Close ends the vector that Open started: it must have been read whole.
func (r *Reader) Close(name string, m Mark) {
	if r.err == nil && m.vector && r.off != r.end {
		r.Fail(name, fmt.Sprintf("%d bytes after its last item", r.end-r.off))
	}
	if r.err == nil {
		r.end = m.end
	}
	if r.rec != nil {
		r.rec.close(r.off)
	}
}

// Opaque reads an opaque vector<min..max>.
func (r *Reader) Opaque(name string, lenBytes, min, max int) []byte {
	m := r.Open(name, lenBytes, min, max)
	b := r.Rest(name)
	r.Close(name, m)
	return b
}

// show renders a number by its own String method where it has one.
func show[T ~uint8 | ~uint16](v T) string {
	if s, ok := any(v).(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprint(v)
}

func hexValue(b []byte) string {
	const most = 32
	if len(b) > most {
		return hex.EncodeToString(b[:most]) + "…"
	}
	return hex.EncodeToString(b)
}
