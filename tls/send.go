package tls

import (
	"cmp"
	"io"
	"os"
	"time"

	"github.com/vitrine-tls/vitrine/internal/engine"
)

// sender is the writing side of the connection below. Conn.out guards it.
//
// What a Write has sealed and the peer does not take is held until it does. So no more
// is sealed at once than the socket has room for, a record excepted; and where that
// cannot be seen, by the pace at which it has taken what came before.
type sender struct {
	room  int  // of the socket, as far as it is known
	blind bool // it does not tell
	pace  pace
	err   error
	push  func(fd uintptr) (done bool) // Conn.push, made once
	look  func(fd uintptr)             // Conn.look, made once
}

// sending returns the sender, which an idle connection has none of. out is held.
func (c *Conn) sending() *sender {
	if c.sender == nil {
		c.sender = new(sender)
	}
	return c.sender
}

// unseen is how much is sealed at once at most where it is not seen how much of it has
// gone: four records.
const unseen = 4 * engine.Whole

// batch is how much of left bytes is to be sealed for one write to the connection below.
func (c *Conn) batch(left int) int {
	s := c.sending()
	switch {
	case left <= engine.Whole: // two records at most, of which one is sealed in any case
		return 0
	case c.raw == nil:
		return min(s.pace.size(engine.Whole), unseen)
	case !s.blind && s.room < min(left, engine.Batch):
		c.measure()
	}
	if s.blind {
		return s.pace.size(engine.Whole)
	}
	return s.room
}

// Write encrypts and sends p, as many records at a time as fit a batch. After
// an error, n bytes of p are sealed: they are sent by the next Write if the
// error was a timeout, and lost with the connection if not.
func (c *Conn) Write(p []byte) (n int, err error) {
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	n, err = c.writeAlone(p)
	c.answer() // after a callback that did not return, there is nothing to answer
	return n, err
}

// writeAlone takes the lock of the writing side. It is short, because a function with
// many returns runs its deferred calls in a slow way.
func (c *Conn) writeAlone(p []byte) (n int, err error) {
	c.out.Lock()
	defer c.out.Unlock()
	if c.flags.has(closed) {
		return 0, c.gone()
	}
	err = errInterrupted
	defer c.guard(&err, outBroken)
	return c.writeAll(p)
}

// writeAll is Write with out held.
func (c *Conn) writeAll(p []byte) (n int, err error) {
	if c.late() {
		return 0, os.ErrDeadlineExceeded
	}
	c.touch()
	if err := c.send(); err != nil { // what an earlier timeout has left
		return 0, err
	}
	if err := c.speak(p); err != nil {
		return 0, err
	}
	for n < len(p) {
		m, err := c.engine.Write(p[n:], c.batch(len(p)-n))
		n += m
		if err == engine.ErrHeld {
			if err := c.unlocked(c.release); err != nil {
				return n, err
			}
			continue
		}
		if err == engine.ErrClosed {
			return n, cmp.Or(c.unlocked(c.broken), err)
		}
		if err == nil {
			err = c.send()
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// broken is why the connection failed while we received, nil if it did not.
func (c *Conn) broken() error {
	c.in.Lock()
	defer c.in.Unlock()
	if err := c.engine.Err(); err != io.EOF {
		return c.explain(err)
	}
	return nil
}

// unlocked calls f without the lock of the writing side, and with what is sealed
// sent.
func (c *Conn) unlocked(f func() error) error {
	if err := c.send(); err != nil {
		return err
	}
	c.out.Unlock()
	defer c.out.Lock()
	c.answer() // what the In half could not send, because we had the lock
	return f()
}

// send writes out what the engine has sealed. out is held.
func (c *Conn) send() error {
	for c.writeErr == nil && len(c.engine.Output()) > 0 {
		err := c.write()
		if c.stuck = isTimeout(err); c.stuck {
			return err
		}
		if err != nil {
			kept := err
			c.writeErr = &kept
		}
	}
	if c.writeErr != nil && c.engine.Owes() {
		why := *c.writeErr
		c.alone(func() { c.unsent(why) }) // out is held, and it needs in
	}
	if c.writeErr != nil {
		return *c.writeErr
	}
	return nil
}

// write hands the output over.
func (c *Conn) write() error {
	s := c.sending()
	if c.raw != nil && !s.blind {
		return c.writeReady()
	}
	size := len(c.engine.Output())
	if size < timed && s.pace.quick == 0 {
		return c.writeBlind()
	}
	begin := time.Now()
	err := c.writeBlind()
	s.pace.took(size, time.Since(begin))
	return err
}

func (c *Conn) writeBlind() error {
	if c.raw != nil {
		return c.writeReady()
	}
	return c.writeWhole()
}

// writeWhole is write where it is not seen how much has gone before all has. What a
// Write that takes less than all without an error has done with the rest is not known,
// so that is an error, as in package io.
func (c *Conn) writeWhole() error {
	b := c.engine.Output()
	n, err := c.conn.Write(b)
	n = max(0, min(n, len(b)))
	c.engine.Sent(n)
	if n < len(b) && err == nil {
		err = io.ErrShortWrite
	}
	c.reset.note(err)
	return err
}

// pace is how much is moved at once: little at first, and then a sixteenth of what was
// taken without a delay. So is what is held where that comes to a halt.
type pace struct{ quick int32 }

const share = 16

// timed is how much must be moved at once for a pace to be measured that is slow so far.
// Of less, little is held, and messages are not worth looking at the clock twice.
const timed = engine.Part / 2

// delay is how long it may take to move as much as that.
const delay = 100 * time.Millisecond

// took: n bytes were taken within d.
func (p *pace) took(n int, d time.Duration) {
	if p.quick = min(p.quick+int32(min(n, share*engine.Bulk)), share*engine.Bulk); d > delay {
		p.quick = 0
	}
}

// size is least until more than that went quickly.
func (p *pace) size(least int) int { return max(least, int(p.quick)/share) }
