package engine

import (
	"fmt"
	"io"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// Early data, RFC 8446 §4.2.10. A server that takes it gets it from ReadEarly, and from
// nowhere else: Read gives only what came after the client's Finished.

// early is what has come of early data.
type early struct {
	left  int    // how many bytes may still come
	data  []byte // that nobody has taken
	under bool   // its keys are those that we read with
}

func (x *early) open() bool { return x != nil && x.under }

// expectEarly is told of new keys, under which most bytes of early data may come.
func (in *in) expectEarly(most uint32) {
	switch {
	case most > 0:
		in.early = &early{left: int(most), under: true}
	case in.early != nil:
		in.early.under = false
		in.forgetEarly()
	}
}

// forgetEarly drops what early data leaves behind once all of it is taken.
func (in *in) forgetEarly() {
	if x := in.early; x != nil && !x.under && len(x.data) == 0 {
		in.early = nil
	}
}

// takeEarly keeps the content of a record of early data, of which there is a bound.
func (e *Engine) takeEarly(content []byte) error {
	in, x := &e.in, e.in.early
	switch {
	case len(in.hand) > 0:
		return interleaved(wire.ContentApplicationData)
	case len(content) == 0:
		return e.halt(emptyRecords)
	case len(content) > x.left:
		return fault(wire.AlertUnexpectedMessage, fmt.Sprintf("the client sent more early data than its ticket allows: %d bytes too many at least", len(content)-x.left), "RFC 8446 §4.2.10")
	}
	in.moved()
	x.left -= len(content)
	x.data = append(x.data, content...)
	return nil
}

// TakesEarly reports that early data was accepted, and its end has not come, or some of it is there:
// a client may send the end together with it.
func (e *Engine) TakesEarly() bool { return e.in.inbox != nil && e.in.early != nil }

// OffersEarly reports that a client has announced early data, which Write now seals.
func (e *Engine) OffersEarly() bool { return e.hs != nil && e.hs.OffersEarly() }

// EarlyExporter exports from a handshake under way whose early data was accepted, also once it
// is over; nil where it is over already.
func (e *Engine) EarlyExporter() func(label string, context []byte, length int) ([]byte, error) {
	if e.hs == nil {
		return nil
	}
	return e.hs.EarlyExporter()
}

// ReadEarly copies early data to p. It returns ErrWantInput where none is there, and io.EOF
// once there will be no more. It does not go on with the handshake, so that it touches the
// In half alone.
func (e *Engine) ReadEarly(p []byte) (n int, err error) {
	in := e.in.wake()
	defer e.settle()
	for in.early != nil {
		if x := in.early; len(x.data) > 0 {
			n = copy(p, x.data)
			if x.data = x.data[n:]; len(x.data) == 0 {
				x.data = nil
			}
			in.forgetEarly()
			return n, nil
		}
		if in.err != nil {
			return 0, *in.err
		}
		if err := e.pumpEarly(); err != nil {
			return 0, err
		}
	}
	return 0, io.EOF
}

// pumpEarly handles one record. io.EOF says that EndOfEarlyData has come, which is the
// handshake's to take.
func (e *Engine) pumpEarly() error {
	in := &e.in
	if len(in.hand) == 0 {
		typ, content, _, err := e.open(nil)
		if err == nil {
			err = e.duringHandshake(typ, content)
		}
		if err == ErrWantInput {
			return err
		}
		if err != nil {
			return e.fail(err)
		}
		if in.err != nil {
			return *in.err
		}
	}
	if len(in.hand) == 0 {
		return nil
	}
	if got := wire.HandshakeType(in.hand[0]); got != wire.TypeEndOfEarlyData {
		return e.fail(handshake.Unexpected(got, wire.TypeEndOfEarlyData))
	}
	return io.EOF
}
