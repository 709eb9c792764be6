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
	n, waited, err := c.readOrWait(room)
	if waited {
		return 0, err
	}
	if n > 0 {
		n, err = w.Write(room[:n])
	}
	copyRooms.Put(room)
	return n, err
}

// readOrWait is a Read that returns room to its pool before it waits, and nothing then. Other
// readers are kept out in between: one of them, a renegotiation, could take what is waited for.
func (c *Conn) readOrWait(room *[copyRoom]byte) (n int, waited bool, err error) {
	c.readers.Add(1)
	defer c.leave()
	c.readMutex.Lock()
	defer c.readMutex.Unlock()
	if c.flags.has(closed) {
		return 0, false, c.gone()
	}
	n, err = c.take(room[:])
	c.touch()
	c.answerAside(err)
	if n == 0 && err == engine.ErrWantInput {
		copyRooms.Put(room)
		c.drained = false
		return 0, true, c.explain(c.receive())
	}
	c.hear(room[:n])
	return n, false, c.explain(err)
}
