package tls

import (
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/internal/handshake"
)

// CloseWrite sends a close_notify: we will write no more, but still read. It
// needs a complete handshake. RFC 8446 §6.1.
func (c *Conn) CloseWrite() error {
	if !c.flags.has(complete) {
		return &handshake.Error{Rule: "CloseWrite was called before the handshake was complete"}
	}
	c.out.Lock()
	defer c.out.Unlock()
	if c.flags.has(closed) {
		return c.gone()
	}
	return c.closeNotify()
}

// closeNotify sends what the In half has asked for first: the alert that says why
// the connection ends, which a close_notify must not overtake.
func (c *Conn) closeNotify() (err error) {
	err = errInterrupted
	defer c.guard(&err, outBroken)
	if err := c.engine.Flush(); err != nil {
		return err
	}
	if err := c.engine.CloseNotify(); err != nil {
		return err
	}
	return c.send()
}

// closeTimeout is how long Close tries to send its close_notify. Where the peer has
// already let a Write time out, Close sends what goes at once.
const (
	closeTimeout   = time.Second
	closeTimeoutUp = time.Millisecond
)

// Close sends a close_notify, if a handshake is complete and no Write is under
// way, and closes the connection. It interrupts Read and Write. It takes a second at
// most, and does not wait for a peer that has let a Write time out. Where we have refused
// the peer by an alert, it first takes in what the peer still sends, for half a second
// and 256 KiB at most, so that the alert arrives.
func (c *Conn) Close() error {
	if c.flags.set(closed) {
		return net.ErrClosed
	}
	if s := c.shaking.Load(); s != nil {
		s.interrupt.cut(net.ErrClosed)
	}
	if a := c.renegotiations.current.Load(); a != nil {
		a.cancel(net.ErrClosed)
	}
	var notifyErr error
	if c.flags.has(complete) && c.lockOut() {
		notifyErr = c.farewell()
	}
	if c.flags.has(refused) || c.flags.has(complete) && c.engine.Refused() {
		c.linger()
	}
	c.stopIdler()
	defer func() {
		c.ended(c.renegotiations.current.Load(), net.ErrClosed)
		c.wipe()
	}()
	if err := c.conn.Close(); err != nil {
		return err
	}
	return notifyErr
}

// farewell sends Close's close_notify. It has the lock of the writing side, and gives
// it back.
func (c *Conn) farewell() error {
	defer c.out.Unlock()
	limit := closeTimeout
	if c.stuck {
		limit = closeTimeoutUp
	}
	c.conn.SetWriteDeadline(time.Now().Add(limit))
	if err := c.closeNotify(); !isTimeout(err) && c.writeErr == nil {
		return err
	}
	return nil // the peer is not there to hear it
}

// wipe clears the keys of both directions. One in which a call is still under way
// keeps them until it is collected: that call must not find them changed. The calls of a handshake
// wipe when they are over.
func (c *Conn) wipe() {
	if s := c.shaking.Load(); s != nil {
		if s.turn.try() != nil {
			return
		}
		defer s.turn.give()
		if c.engine == nil || !c.stopHalfway(s) {
			return
		}
	}
	if c.out.TryLock() {
		c.engine.WipeOut()
		c.out.Unlock()
	}
	if c.in.TryLock() {
		c.engine.WipeIn()
		c.in.Unlock()
	}
}

// wipeIfClosed is wipe behind a call of the handshake, in whose way a Close was that came meanwhile.
func (c *Conn) wipeIfClosed() {
	if c.flags.has(closed) {
		c.wipe()
	}
}

// stopHalfway ends a handshake that pauses. It reports false where a call is in the way, which
// reads or writes early data.
func (c *Conn) stopHalfway(s *shaking) bool {
	if !s.paused() {
		return true
	}
	if !c.in.TryLock() {
		return false
	}
	defer c.in.Unlock()
	if !c.out.TryLock() {
		return false
	}
	defer c.out.Unlock()
	s.early.paused = false
	if s.err = c.unbounded(s); s.err == nil {
		s.err = net.ErrClosed
	}
	c.settle(s, s.err)
	c.engine.Result().Secrets = handshake.Secrets{} // whose tickets and exports there will not be
	return true
}
