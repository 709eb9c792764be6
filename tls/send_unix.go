//go:build unix

package tls

import (
	"errors"
	"io"
	"syscall"
)

// perWrite is what a write takes of a socket's room beside its bytes, at most.
const perWrite = 4 << 10

// writeReady writes the output to the socket as it takes it. While it takes nothing,
// what is left is in a buffer that just holds it.
func (c *Conn) writeReady() error {
	s := c.sending()
	if s.push == nil {
		s.push = c.push
	}
	s.err = nil
	err := c.raw.Write(s.push)
	if err == nil {
		err = s.err
	}
	return c.socketError("write", err)
}

func (c *Conn) push(fd uintptr) (done bool) {
	s := c.sending()
	for out := c.engine.Output(); len(out) > 0; out = c.engine.Output() {
		n, err := c.reset.write(fd, out)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			s.room = 0
			c.engine.Stalled()
			return false
		case err != nil:
			s.err = err
			return true
		case n == 0:
			s.err = io.ErrUnexpectedEOF
			return true
		default:
			c.engine.Sent(n)
			s.room -= n + perWrite
		}
	}
	return true
}

// write holds the mutex over the call, which does not wait: a Read that sees the end
// knows whether a write was told more.
func (r *reset) write(fd uintptr, out []byte) (n int, err error) {
	r.Lock()
	defer r.Unlock()
	n, err = writeSocket(fd, out)
	r.keep(err)
	return n, err
}

// measure sees how much the socket takes now. It will take no less later, but for what
// we write: nobody else writes.
func (c *Conn) measure() {
	s := c.sending()
	if s.look == nil {
		s.look = c.look
	}
	if c.raw.Control(s.look) != nil { // closed, as the next write will tell
		s.room = 0
	}
}

func (c *Conn) look(fd uintptr) {
	room, ok := socketRoom(fd)
	s := c.sending()
	s.room, s.blind = room, !ok
}

func isReset(err error) bool { return errors.Is(err, syscall.ECONNRESET) }
