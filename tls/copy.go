package tls

import (
	"io"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/engine"
)

// copyRoom is what WriteTo moves at once at most, in bytes: eight of the longest records.
const copyRoom = 128 << 10

var copyRooms = sync.Pool{New: func() any { return new([copyRoom]byte) }}

// WriteTo writes to w all that the peer sends, up to its close_notify, and returns how many
// bytes that was. io.Copy uses it. Up to 128 KiB are written at once, and while nothing comes
// no buffer is held. An end without close_notify is ErrUnexpectedEOF, as it is for Read.
func (c *Conn) WriteTo(w io.Writer) (n int64, err error) {
	if err := c.Handshake(); err != nil {
		c.answerInTheClear(err)
		return 0, err
	}
	for {
		m, err := c.writePart(w)
		n += int64(m)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// writePart writes what has come to w, or waits for more to come.
func (c *Conn) writePart(w io.Writer) (int, error) {
	room := copyRooms.Get().(*[copyRoom]byte)
	n, err := c.readNow(room[:])
	if n > 0 {
		n, err = w.Write(room[:n])
	}
	copyRooms.Put(room)
	if n == 0 && err == engine.ErrWantInput {
		err = c.awaitMore()
	}
	return n, err
}

// readNow is a Read that does not wait: it returns ErrWantInput.
func (c *Conn) readNow(p []byte) (int, error) {
	c.readers.Add(1)
	defer c.leave()
	c.readMutex.Lock()
	defer c.readMutex.Unlock()
	if c.flags.has(closed) {
		return 0, c.gone()
	}
	n, err := c.take(p)
	c.touch()
	c.answerAside(err)
	if n == 0 && err == engine.ErrWantInput {
		return 0, err
	}
	c.hear(p[:n])
	return n, c.explain(err)
}

// awaitMore returns once something has been received.
func (c *Conn) awaitMore() error {
	c.readers.Add(1)
	defer c.leave()
	c.readMutex.Lock()
	defer c.readMutex.Unlock()
	if c.flags.has(closed) {
		return c.gone()
	}
	return c.explain(c.receive())
}
