//go:build unix

package tls

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/internal/engine"
)

// rawConn gives access to a socket. Only the standard library's own types are
// taken: a type around them may have a Read of its own, which must be used.
func rawConn(conn net.Conn) syscall.RawConn {
	var raw syscall.RawConn
	switch conn := conn.(type) {
	case *net.TCPConn:
		raw, _ = conn.SyscallConn()
	case *net.UnixConn:
		raw, _ = conn.SyscallConn()
	}
	return raw
}

// reader receives from a socket when it is ready, and only then borrows a buffer. Many
// records may be waiting, so it is a large one for an application that takes quickly
// what it gets, and a small one for one that may leave it lying.
type reader struct {
	c     *Conn
	ready func(fd uintptr) (done bool) // reader.try, made once
	at    time.Duration                // since began, when something was received last
	n     int32                        // how much that was; or busy
	pace  pace
	err   error
}

// busy says that the In half was: nothing has been received.
const busy = -1

// began is what readers count their time from.
var began = time.Now()

// try does not wait for the In half while it has the descriptor: a callback may hold
// that and close the connection, which waits until nobody has it.
func (r *reader) try(fd uintptr) bool {
	if !r.c.in.TryLock() {
		r.n = busy
		return true
	}
	defer r.c.in.Unlock()
	buf := r.c.engine.LendUpTo(r.pace.size(engine.Part))
	var n int
	for {
		n, r.err = readSocket(fd, buf)
		if r.err != syscall.EINTR {
			break
		}
	}
	if r.err == syscall.EAGAIN {
		r.c.engine.Unlend()
		return false
	}
	n = max(n, 0)
	r.n = int32(n)
	r.c.engine.Filled(n)
	if r.err == nil && n == 0 {
		r.err = io.EOF
	}
	return true
}

// tell has the pace learn what became of what was received last.
func (r *reader) tell() {
	if r.n >= timed {
		r.pace.took(int(r.n), time.Since(began)-r.at)
	}
}

// passIn waits until the In half is free.
func (c *Conn) passIn() {
	c.in.Lock()
	defer c.in.Unlock()
}

// receiveReady waits until the socket has something, or the deadline passes.
func (c *Conn) receiveReady() error {
	if c.reader == nil {
		c.reader = &reader{c: c}
		c.reader.ready = c.reader.try
	}
	r := c.reader
	r.tell()
	r.n, r.err = 0, nil
	err := c.raw.Read(r.ready)
	for ; err == nil && r.n == busy; err = c.raw.Read(r.ready) {
		c.passIn()
	}
	if err == nil {
		err = r.err
	}
	if err == nil {
		if r.n >= timed {
			r.at = time.Since(began)
		}
		return nil
	}
	err = c.received(0, c.socketError("read", c.reset.orEnd(err)))
	if err != nil && !c.flags.has(ticking) { // a deadline; the idler has been here and does not come again
		c.reader = nil
		c.in.Lock()
		defer c.in.Unlock()
		c.engine.IdleIn()
	}
	return err
}

// socketError is err as net.Conn's Read or Write would return it; nil stays nil.
func (c *Conn) socketError(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	var below *net.OpError
	if errors.As(err, &below) {
		err = below.Err
	}
	if errno, is := err.(syscall.Errno); is {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: c.conn.LocalAddr().Network(), Source: c.conn.LocalAddr(), Addr: c.conn.RemoteAddr(), Err: err}
}
