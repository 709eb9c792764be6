package redact

import (
	"errors"
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/tracefile"
)

// MaxBytes bounds what is kept of one connection while it is redacted: names in its
// sentences are known only at its end.
const MaxBytes = 256 << 20

// ErrTooLarge is for a connection of more than MaxBytes.
var ErrTooLarge = errors.New("the trace of a connection is too large to be redacted")

// Copy reads a trace and writes it with stand-ins. What one Redactor copies has the same
// ones; that is for what goes to one file. The error is that of the reader, of the
// writer, or [ErrTooLarge]; what was written then holds no more than stand-ins either.
func (s *Redactor) Copy(w io.Writer, r io.Reader) error {
	in, out := tracefile.NewReader(r), tracefile.NewWriter(w, false)
	var header *tracefile.Header
	var events []tracefile.Event
	size := 0
	end := func() error {
		if header == nil {
			return nil
		}
		return s.write(out, *header, events)
	}
	for {
		h, e, err := in.Next()
		switch {
		case err != nil:
			if failed := end(); failed != nil {
				return failed
			}
			if err == io.EOF {
				return nil
			}
			return err
		case h != nil:
			if err := end(); err != nil {
				return err
			}
			header, events, size = h, nil, 0
			continue
		}
		if size += sizeOf(e); size > MaxBytes {
			return fmt.Errorf("%w: it has more than %d bytes", ErrTooLarge, MaxBytes)
		}
		events = append(events, e)
	}
}

// sizeOf is about how many bytes an event takes.
func sizeOf(e tracefile.Event) int {
	const own = 256
	switch x := e.What.(type) {
	case trace.Record:
		return own + len(x.Wire) + len(x.Plain)
	case trace.Message:
		return own + len(x.Raw)
	case trace.Inner:
		return own + len(x.Raw)
	case trace.Secret:
		return own + len(x.Input) + len(x.Value)
	case trace.Choice:
		return own + 64*(len(x.Ours)+len(x.Theirs))
	}
	return own
}

// write writes one connection. What has names comes first, so that sentences can be
// searched for them.
func (s *Redactor) write(out *tracefile.Writer, h tracefile.Header, events []tracefile.Event) error {
	if h.Redacted {
		return errors.New("the trace is redacted already")
	}
	s.records(events, s.messages(events))
	s.values(events)
	h.Target = s.target(h.Target)
	h.Verdict = s.verdict(h.Verdict, s.named)

	s.sentences(events)
	h.Verdict = s.verdict(h.Verdict, s.said)
	h.Trust, h.Sent, h.Failure, h.Advice = s.prose(h.Trust), s.prose(h.Sent), s.prose(h.Failure), s.prose(h.Advice)
	h.Before, h.Warnings = s.prose(h.Before), s.proses(h.Warnings)
	h.Redacted = true
	if err := out.Begin(h); err != nil {
		return err
	}
	for _, e := range events {
		if err := out.Write(e); err != nil {
			return err
		}
	}
	return nil
}
