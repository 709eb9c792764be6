package tls

import (
	"errors"
	"io"
	"net"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
)

// HandshakeError is why a handshake or a connection failed. Find it with errors.As: where
// crypto/tls has a type for the same, that is around it. Its fields are:
//
//   - Alert (wire.AlertCode): the alert we sent; if Received is true, the peer's
//   - Received (bool): the peer sent the alert
//   - Rule (string): what was broken or could not be agreed on, as a clause
//   - Ref (string): where the rule stands, like "RFC 8446 §4.1.3"; may be empty
//   - What (string): what a failed negotiation was about, like "cipher suite"; else empty
//   - Ours, Theirs ([]string): each side's offer in that negotiation, best first
//   - Hint (string): what to do, a sentence without its full stop; may be empty
//   - Err (error): the cause, which errors.Is and errors.As see too; mostly nil
//
// Text that comes from the peer is quoted.
type HandshakeError = handshake.Error

// ErrUnexpectedEOF is the end of a stream without close_notify. errors.Is
// finds io.ErrUnexpectedEOF in it. Legacy.UnannouncedEnd has io.EOF in its place.
var ErrUnexpectedEOF = engine.ErrTruncated

// explain turns an engine's error into the one that the application gets.
func (c *Conn) explain(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	var not *engine.NotTLSError
	switch {
	case errors.As(err, &not):
		e := headerError(not)
		if c.engine.Result().Version == 0 && not.Alert == 0 {
			e.Conn = c.conn // nothing was sent: the caller may answer in its own way
		}
		return e
	case c.flags.has(closed) && errors.Is(err, net.ErrClosed):
		return net.ErrClosed
	}
	if e, is := err.(*handshake.Error); is {
		return asStd(e, c.flags.has(complete))
	}
	return err
}
