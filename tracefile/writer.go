package tracefile

import (
	"encoding/json"
	"errors"
	"io"
)

// Writer writes a trace. It is for one goroutine at a time.
type Writer struct {
	json    *json.Encoder
	secrets bool
	begun   bool
	whole   bool // of this connection, values are written
}

// NewWriter returns a Writer to w; secrets says that the values of secrets and keys
// are written too.
func NewWriter(w io.Writer, secrets bool) *Writer {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return &Writer{json: e, secrets: secrets}
}

// Begin begins a connection. Format, Secrets and Notice are filled in. Where Redacted is set,
// what follows are stand-ins, and the values of secrets and keys are written.
func (w *Writer) Begin(h Header) error {
	h.Format, h.Secrets, h.Notice = Format, w.secrets && !h.Redacted, ""
	switch {
	case h.Redacted:
		h.Notice = redactedNotice
	case w.secrets:
		h.Notice = notice
	}
	w.begun, w.whole = true, w.secrets || h.Redacted
	return w.json.Encode(line{Connection: &h})
}

// Write writes an event of the connection that was begun last.
func (w *Writer) Write(e Event) error {
	if !w.begun {
		return errors.New("tracefile: an event before the first connection; call Begin")
	}
	if !w.whole {
		e.What = withhold(e.What)
	}
	l, err := lineOf(e)
	if err != nil {
		return err
	}
	return w.json.Encode(l)
}
