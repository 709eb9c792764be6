package tls

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
)

// HandshakeError is why a handshake or a connection failed: the alert and who
// sent it, the rule and its RFC section, both sides' offers where they had
// nothing in common, and a hint.
type HandshakeError = handshake.Error

// ErrUnexpectedEOF is the end of a stream without close_notify. errors.Is
// finds io.ErrUnexpectedEOF in it.
var ErrUnexpectedEOF = engine.ErrTruncated

// explain turns an engine's error into the one that the application gets.
func (c *Conn) explain(err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	var not *engine.NotTLSError
	switch {
	case c.timedOut.Load():
		return &handshake.Error{Rule: "the handshake took too long", Err: os.ErrDeadlineExceeded, Hint: "see Config.HandshakeTimeout"}
	case errors.As(err, &not):
		e := RecordHeaderError{Msg: strings.TrimPrefix(not.Error(), "tls: "), RecordHeader: not.Header}
		if c.engine.Result().Version == 0 {
			e.Conn = c.conn // nothing was sent: the caller may answer in its own way
		}
		return e
	case c.closed.Load() && errors.Is(err, net.ErrClosed):
		return net.ErrClosed
	}
	return err
}
