package tls

import "time"

// patience is how long the alert that ends the connection waits for what is being
// sent already.
const patience = 100 * time.Millisecond

// lastWords sends the alert that ends the connection. An answer that is under way may
// have taken it along: then it has been sent once nobody writes. A Write that a peer
// lets wait is not waited for; it sends the alert itself, if ever.
func (c *Conn) lastWords() {
	c.speaks.Store(true)
	defer c.speaks.Store(false)
	for range patience / time.Millisecond {
		if c.out.TryLock() {
			c.flush()
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// lockOut takes the writing side for a Close, unless a Write is under way. Last words
// are waited for: a caller that learns of the failure may close the connection while
// they are being sent.
func (c *Conn) lockOut() bool {
	for range patience / time.Millisecond {
		if c.out.TryLock() {
			return true
		}
		if !c.speaks.Load() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	return c.out.TryLock()
}
