package tls

import (
	"io"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/internal/engine"
)

// What WriteTo moves at once, in bytes: one of the longest records, and eight once they are taken
// quickly. A writer that stands still holds as much.
const (
	smallRoom = 16 << 10
	largeRoom = 128 << 10
)

var smallRooms, largeRooms = roomsOf(smallRoom), roomsOf(largeRoom)

func roomsOf(size int) *sync.Pool {
	return &sync.Pool{New: func() any {
		room := make([]byte, size)
		return &room
	}}
}

// WriteTo writes to w all that the peer sends, up to its close_notify, and returns how many
// bytes that was. io.Copy uses it. Up to 16 KiB are written at once, and 128 KiB to a writer that
// takes them quickly; while nothing comes no buffer is held. An end without close_notify is ErrUnexpectedEOF, as it is for Read.
func (c *Conn) WriteTo(w io.Writer) (n int64, err error) {
	if err := c.Handshake(); err != nil {
		c.answerInTheClear(err)
		return 0, err
	}
	var taken pace
	for {
		m, err := c.writePart(w, &taken)
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
func (c *Conn) writePart(w io.Writer, taken *pace) (int, error) {
	rooms := smallRooms
	if taken.size(smallRoom) >= largeRoom {
		rooms = largeRooms
	}
	room := rooms.Get().(*[]byte)
	n, waited, err := c.readOrWait(rooms, room)
	if waited {
		return 0, err
	}
	switch {
	case n >= timed:
		began := time.Now()
		n, err = w.Write((*room)[:n])
		taken.took(n, time.Since(began))
	case n > 0:
		n, err = w.Write((*room)[:n])
	}
	rooms.Put(room)
	return n, err
}

// readOrWait is a Read that returns room to rooms before it waits, and nothing then. Other
// readers are kept out in between: one of them, a renegotiation, could take what is waited for.
func (c *Conn) readOrWait(rooms *sync.Pool, room *[]byte) (n int, waited bool, err error) {
	c.readers.Add(1)
	defer c.leave()
	c.readMutex.Lock()
	defer c.readMutex.Unlock()
	if c.flags.has(closed) {
		return 0, false, c.gone()
	}
	n, err = c.take(*room)
	c.touch()
	c.answerAside(err)
	if n == 0 && err == engine.ErrWantInput {
		rooms.Put(room)
		c.drained = false
		return 0, true, c.explain(c.receive())
	}
	c.hear((*room)[:n])
	return n, false, c.explain(err)
}
