package tls

import (
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// idleAfter is how long a connection must be unused before it gives up what
// can be built again: the cipher objects, and what only a connection in use has.
const idleAfter = 500 * time.Millisecond

// touch says that the connection is in use. The idler then looks in at most
// every idleAfter, and not at all once it has found the connection idle.
func (c *Conn) touch() {
	if c.flags.has(warm) || c.flags.set(warm) || c.flags.has(closed) {
		return
	}
	c.watch()
}

// watch sets the idler, unless it is set.
func (c *Conn) watch() {
	if c.flags.set(ticking) {
		return
	}
	timer := c.idler.Load()
	if timer != nil { // that of the handshake
		timer.Reset(idleAfter)
	} else {
		timer = time.AfterFunc(idleAfter, c.ring)
		c.idler.Store(timer)
	}
	if c.flags.has(closed) { // Close may have come before there was anything to stop
		timer.Stop()
		c.idler.Store(nil)
	}
}

func (c *Conn) idle() {
	if c.stillWarm() || c.flags.has(closed) {
		return
	}
	c.idleIn()
	if c.out.TryLock() {
		c.idleOut()
	}
}

// idleIn does nothing to a half that is at work. A reader that waits keeps what it waits
// with.
func (c *Conn) idleIn() {
	if c.readMutex.TryLock() {
		c.reader = nil
		c.readMutex.Unlock()
	}
	if c.in.TryLock() {
		c.engine.IdleIn()
		if c.role == wire.Client {
			c.scratch = nil
		}
		c.in.Unlock()
	}
}

// idleOut has the lock of the writing side, and gives it back.
func (c *Conn) idleOut() {
	defer c.out.Unlock()
	err := errInterrupted
	defer c.guard(&err, outBroken)
	err = c.send() // tickets that no Write has taken along; Write tells of errors
	c.engine.IdleOut()
	c.sender = nil
}

// stillWarm looks in again later if the connection was used in between. If not, the timer
// is given up: the next use makes another.
func (c *Conn) stillWarm() bool {
	if timer := c.idler.Load(); timer != nil && c.flags.unset(warm) && !c.flags.has(closed) {
		timer.Reset(idleAfter)
		return true
	}
	c.idler.Store(nil)
	c.flags.unset(ticking)
	if !c.flags.has(warm) || c.flags.has(closed) {
		return false
	}
	c.watch() // it was used just now, when the idler was still set
	return true
}

func (c *Conn) stopIdler() {
	if timer := c.idler.Swap(nil); timer != nil {
		timer.Stop()
	}
}
