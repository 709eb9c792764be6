//go:build !unix

package proxy

import (
	"errors"
	"io"
	"net"
)

// earlyConn keeps what was looked at for those that read.
type earlyConn struct {
	*net.TCPConn
	seen []byte
}

func (c *earlyConn) Read(p []byte) (int, error) {
	if len(c.seen) == 0 {
		return c.TCPConn.Read(p)
	}
	n := copy(p, c.seen)
	c.seen = c.seen[n:]
	return n, nil
}

// early returns a connection whose first bytes can be looked at.
func early(conn net.Conn) net.Conn {
	if tcp, is := conn.(*net.TCPConn); is {
		return &earlyConn{TCPConn: tcp}
	}
	return conn
}

// errUnfinished says that a connection began with something, and ended or went on too long
// before that was whole.
var errUnfinished = errors.New("the connection ended before its beginning was whole")

// peek looks at what conn begins with, at most size bytes, until enough says so.
func peek(conn net.Conn, size int, enough func(b []byte) bool) error {
	c, is := conn.(*earlyConn)
	if !is {
		return errors.New("the beginning of such a connection cannot be looked at on this system")
	}
	for len(c.seen) == 0 || !enough(c.seen) {
		if len(c.seen) >= size {
			return errUnfinished
		}
		part := make([]byte, min(2048, size-len(c.seen)))
		n, err := c.TCPConn.Read(part)
		c.seen = append(c.seen, part[:n]...)
		if err == io.EOF && len(c.seen) > 0 {
			err = errUnfinished
		}
		if err != nil && n == 0 {
			return err
		}
	}
	return nil
}

// discard takes the first bytes, which peek has shown, into b.
func discard(conn net.Conn, b []byte) error {
	_, err := io.ReadFull(conn, b)
	return err
}
