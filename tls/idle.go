package tls

import "time"

// idleAfter is how long a connection must be unused before it gives up what
// can be built again: the cipher objects, a kilobyte for each direction.
const idleAfter = 500 * time.Millisecond

// touch says that the connection is in use. The idler then looks in at most
// every idleAfter, and not at all once it has found the connection idle.
func (c *Conn) touch() {
	if c.warm.Swap(true) || c.closed.Load() {
		return
	}
	c.idleMutex.Lock()
	defer c.idleMutex.Unlock()
	if c.idler == nil {
		c.idler = time.AfterFunc(idleAfter, func() { c.absorb(c.idle) })
	} else if !c.ticking {
		c.idler.Reset(idleAfter)
	}
	c.ticking = true
}

func (c *Conn) idle() {
	if c.stillWarm() || c.closed.Load() {
		return
	}
	if c.in.TryLock() {
		c.engine.IdleIn()
		c.in.Unlock()
	}
	if c.out.TryLock() {
		c.idleOut()
	}
}

// idleOut has the lock of the writing side, and gives it back.
func (c *Conn) idleOut() {
	defer c.out.Unlock()
	err := errInterrupted
	defer c.guard(&err, outBroken)
	err = c.send() // tickets that no Write has taken along; Write tells of errors
	c.engine.IdleOut()
}

// stillWarm looks in again later if the connection was used in between.
func (c *Conn) stillWarm() bool {
	c.idleMutex.Lock()
	defer c.idleMutex.Unlock()
	c.ticking = c.warm.Swap(false) && !c.closed.Load()
	if c.ticking {
		c.idler.Reset(idleAfter)
	}
	return c.ticking
}

func (c *Conn) stopIdler() {
	c.idleMutex.Lock()
	defer c.idleMutex.Unlock()
	if c.idler != nil {
		c.idler.Stop()
	}
}
