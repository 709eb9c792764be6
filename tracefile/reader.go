package tracefile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/vitrine-tls/vitrine/trace"
)

// MaxLine bounds a line: the longest message that TLS can write (16 MiB, as hex), and
// what stands around it.
const MaxLine = 2<<24 + 1<<16

// Error is why a trace cannot be read. What came before Line is good.
type Error struct {
	Line int // counted from 1
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("line %d of the trace: %v", e.Line, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// ErrNoTrace is for what does not begin like a trace.
var ErrNoTrace = errors.New("it is not a trace: a trace begins with a line {\"connection\":{\"format\":\"" + Format + "\", ...}}")

// Reader reads a trace, a line at a time. It is for one goroutine at a time.
type Reader struct {
	in     *bufio.Reader
	line   int
	header bool
}

// NewReader returns a Reader of r. It keeps no more than a line.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReader(r)} }

// Next returns the next header or event: h is nil for an event. The error is io.EOF at
// the end, an [*Error] where a line cannot be read (io.ErrUnexpectedEOF in it for one
// that is cut off), or that of the reader below.
func (r *Reader) Next() (h *Header, e Event, err error) {
	for {
		raw, err := r.read()
		if err != nil {
			return nil, e, err
		}
		var l line
		if err := json.Unmarshal(raw, &l); err != nil {
			return nil, e, r.wrong(err)
		}
		if l.Connection != nil {
			r.header = true
			return l.Connection, e, r.check(l.Connection)
		}
		if !r.header {
			return nil, e, r.wrong(ErrNoTrace)
		}
		if e.What = l.event(); e.What == nil {
			continue // of a later version
		}
		e.At = time.Duration(l.AtNS)
		if len(l.Missed) == 2 {
			e.Missed[trace.Sent], e.Missed[trace.Received] = l.Missed[0], l.Missed[1]
		}
		return nil, e, r.sane(e)
	}
}

// read returns the next line that is not empty.
func (r *Reader) read() ([]byte, error) {
	for {
		var whole []byte
		for {
			part, err := r.in.ReadSlice('\n')
			whole = append(whole, part...)
			if len(whole) > MaxLine {
				r.line++
				return nil, r.wrong(fmt.Errorf("it has more than %d bytes", MaxLine))
			}
			if err == bufio.ErrBufferFull {
				continue
			}
			if err == io.EOF && len(bytes.TrimSpace(whole)) > 0 && json.Valid(whole) {
				break // the last line needs no end
			}
			if err == io.EOF && len(bytes.TrimSpace(whole)) > 0 {
				r.line++
				return nil, r.wrong(r.cut())
			}
			if err != nil {
				return nil, err
			}
			break
		}
		r.line++
		if whole = bytes.TrimSpace(whole); len(whole) > 0 {
			return whole, nil
		}
	}
}

// cut is what the last line is that is no JSON.
func (r *Reader) cut() error {
	if !r.header {
		return ErrNoTrace
	}
	return fmt.Errorf("the file ends in the middle of it: %w", io.ErrUnexpectedEOF)
}

func (r *Reader) wrong(err error) error {
	var syntax *json.SyntaxError
	if !r.header && errors.As(err, &syntax) {
		err = ErrNoTrace
	}
	return &Error{r.line, err}
}

func (r *Reader) check(h *Header) error {
	if h.Format != Format {
		return r.wrong(fmt.Errorf("its format is %.40q, and this version reads %s", h.Format, Format))
	}
	return nil
}

// sane refuses numbers that no trace has.
func (r *Reader) sane(e Event) error {
	wrong := e.At < 0 || e.Missed[trace.Sent] < 0 || e.Missed[trace.Received] < 0
	switch x := e.What.(type) {
	case trace.Record:
		wrong = wrong || x.Dir == 0 || x.Epoch < 0 || x.Padding < 0
	case trace.Message:
		wrong = wrong || x.Dir == 0
	case trace.Inner:
		wrong = wrong || x.Dir == 0
	case trace.Keys:
		wrong = wrong || x.Dir == 0 || x.Epoch < 0
	case trace.Alert:
		wrong = wrong || x.Dir == 0
	case trace.Gap:
		wrong = wrong || x.Dir == 0 || x.Bytes < -1 || x.Skipped < 0
	case trace.End:
		wrong = wrong || x.Dir == 0
	case Dropped:
		wrong = wrong || x.Event < 0 || x.At < 0 || x.Records < 0 || x.Bytes < 0 || x.Others < 0
	}
	if wrong {
		return r.wrong(errors.New("a number is below zero, or a direction is missing"))
	}
	return nil
}
