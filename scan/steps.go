package scan

import (
	"errors"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// Await reads until Done says that enough has come, the server ends the connection, or For is
// over. A server that is far away gets the time of the way on top. 0 is for the time of the probe.
type Await struct {
	For  time.Duration
	Done func(a *Answer) bool
}

func (s Await) run(c *conversation) error {
	until := c.waitUntil(s.For)
	for !s.Done(c.a) {
		if err := c.conn.SetReadDeadline(until); err != nil {
			return nil
		}
		if over, err := c.hearOne(); over || err != nil {
			return err
		}
	}
	return nil
}

// hearOne takes in what comes next. That nothing more comes is no failure, but noted.
func (c *conversation) hearOne() (over bool, err error) {
	_, err = c.next()
	var f *failure
	switch {
	case err == nil:
		return false, nil
	case errors.As(err, &f) && f.kind != TooMuch:
		c.ended, c.a.After = f.kind, f.kind
		return true, nil
	}
	return true, err
}

// linger reads until the server ends the conversation, or is quiet for that long.
func (c *conversation) linger(quiet time.Duration) error {
	for {
		if err := c.conn.SetReadDeadline(c.waitUntil(quiet)); err != nil {
			return nil
		}
		if over, err := c.hearOne(); over || err != nil {
			return err
		}
	}
}

// renegotiate sends a ClientHello under the keys of the connection. Unsafe leaves out
// what binds it to the handshake before (RFC 5746 §3.5).
type renegotiate struct{ unsafe bool }

func (s renegotiate) run(c *conversation) error {
	h := c.a.Probe.Hello
	h.Random = nil
	if !s.unsafe {
		h.Extra = append(h.Extra[:len(h.Extra):len(h.Extra)], wire.Extension{Type: wire.ExtRenegotiationInfo, Data: wire.AppendRenegotiationInfo(nil, c.s12.verify)})
	}
	b, err := h.build(c.a.Target, nil, nil)
	if err != nil {
		return err
	}
	return c.send(wire.ContentHandshake, b.message)
}
