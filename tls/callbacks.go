package tls

import (
	"fmt"
	"net"
	"runtime/debug"

	"github.com/vitrine-tls/vitrine/internal/handshake"
)

// What the application has given us may panic, or end its goroutine by
// runtime.Goexit, in the middle of anything: a record is sealed and not sent, a
// message half handled. Nothing may go on from there. So each function that may call
// it under a lock has a guard, which marks what the lock protects as broken.
// docs/callbacks.md says what the application sees of this.

// errInterrupted is the result of a guarded function up to its return.
var errInterrupted error = &handshake.Error{Rule: "a callback of the application ended its goroutine, so the connection is closed"}

// guard is deferred by a function whose result err is errInterrupted from the start.
// If it still is, the function did not return: the connection is over. A panic goes on
// to the caller. mark, which may be nil, runs under the function's lock.
func (c *Conn) guard(err *error, mark func(*Conn, error)) {
	p := recover()
	if p == nil && *err != errInterrupted {
		return
	}
	why := errInterrupted
	if p != nil {
		why = panicked(p)
	}
	if mark != nil {
		mark(c, why)
	}
	c.abort(why)
	if p != nil {
		panic(p)
	}
}

func panicked(p any) error {
	return &handshake.Error{Rule: "a callback of the application panicked, so the connection is closed", Err: fmt.Errorf("%v\n%s", p, debug.Stack())}
}

// What a guard marks: the handshake, the In half, the Out half.
func shakingBroken(c *Conn, why error) {
	if s := c.shaking.Load(); s != nil {
		s.err = why
	}
}
func inBroken(c *Conn, why error)  { c.engine.Break(why) }
func outBroken(c *Conn, why error) { c.writeErr = &why }

// abort closes the connection without a word, whatever locks are held: what is to be
// sent may be sealed in part. The first reason stays.
func (c *Conn) abort(why error) {
	c.aborted.CompareAndSwap(nil, &why)
	c.flags.set(closed)
	c.stopIdler()
	c.ended(c.renegotiations.current.Load(), c.gone())
	go func() { // where in is held: Close waits for a reader, which may wait for in
		defer func() { _ = recover() }() // a connection below whose Close panics too
		c.conn.Close()
	}()
}

// gone is why a closed connection is closed.
func (c *Conn) gone() error {
	if why := c.aborted.Load(); why != nil {
		return *why
	}
	return net.ErrClosed
}

// absorb runs f on a goroutine of our own, where nobody else could recover: there a
// panic ends the connection, not the process. The end of the goroutine ends the
// connection too.
func (c *Conn) absorb(f func()) {
	returned := false
	defer func() {
		if p := recover(); p != nil {
			c.abort(panicked(p))
		} else if !returned {
			c.abort(errInterrupted)
		}
	}()
	f()
	returned = true
}

// alone runs f on a goroutine of its own.
func (c *Conn) alone(f func()) { go c.absorb(f) }
