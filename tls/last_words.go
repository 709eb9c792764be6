package tls

import (
	"io"
	"time"
)

// patience is how long the alert that ends the connection waits for what is being
// sent already.
const patience = 100 * time.Millisecond

// lastWords sends the alert that ends the connection. An answer that is under way may
// have taken it along: then it has been sent once nobody writes. A Write that a peer
// lets wait is not waited for; it sends the alert itself, if ever.
func (c *Conn) lastWords() {
	c.flags.set(speaks)
	defer c.flags.unset(speaks)
	for range patience / time.Millisecond {
		if c.out.TryLock() {
			c.flush()
			c.flags.put(refused, c.engine.Refused())
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// lockOut takes the writing side for a Close, unless a Write is under way. Last words
// are waited for: a caller that learns of the failure may close the connection while
// they are being sent, perhaps together with an answer that was due.
func (c *Conn) lockOut() bool {
	for range patience / time.Millisecond {
		if c.out.TryLock() {
			return true
		}
		if !c.flags.has(speaks) && !c.engine.Pending() && !c.engine.Refused() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return c.out.TryLock()
}

// lingerTime and lingerBytes bound how long what a peer still sends that we have refused
// is taken in: to close before resets a TCP connection, and the peer may lose the alert,
// or the answer in the clear, that says why.
const (
	lingerTime  = 500 * time.Millisecond
	lingerBytes = 256 << 10
)

// linger waits for the peer to end its side too, where there is such a thing as one side.
// Nobody else reads: what has been refused is not received any more.
func (c *Conn) linger() {
	half, ok := c.conn.(interface{ CloseWrite() error })
	if !ok || c.conn.SetReadDeadline(time.Now().Add(lingerTime)) != nil || half.CloseWrite() != nil {
		return
	}
	io.CopyN(io.Discard, c.conn, lingerBytes) // as good as it goes
}
