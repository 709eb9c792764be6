package proxy

import (
	"io"
	"net"
	"sync"
	"time"
)

// What a plain connection is read into: little at first, and much once its peer has shown
// that it takes what it gets. So a peer that stalls holds little.
const (
	smallRoom = 16 << 10
	largeRoom = 128 << 10
	// proven is how much must have gone without a delay, in bytes, and delay how long
	// one write may take.
	proven = 2 << 20
	delay  = 100 * time.Millisecond
)

var (
	smallRooms = sync.Pool{New: func() any { b := make([]byte, smallRoom); return &b }}
	largeRooms = sync.Pool{New: func() any { b := make([]byte, largeRoom); return &b }}
)

// A plain reads a connection in the clear. While nothing comes, it holds no buffer.
type plain struct {
	ready readiness
	rooms *sync.Pool
	quick int // bytes that went without a delay
}

func newPlain(from net.Conn) *plain {
	p := &plain{rooms: &smallRooms}
	p.ready.of(from)
	return p
}

// copy copies to w up to the end. It may be called again after a deadline.
func (p *plain) copy(w io.Writer) error {
	for {
		room, n, err := p.ready.read(p.rooms)
		if n > 0 {
			err = p.write(w, (*room)[:n], err)
		}
		if room != nil {
			p.rooms.Put(room)
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		p.rooms = &smallRooms
		if p.quick >= proven {
			p.rooms = &largeRooms
		}
	}
}

func (p *plain) write(w io.Writer, b []byte, readErr error) error {
	if len(b) < smallRoom/2 { // messages are not worth two looks at the clock
		_, err := w.Write(b)
		return firstOf(err, readErr)
	}
	began := time.Now()
	n, err := w.Write(b)
	p.quick = min(p.quick+n, 2*proven)
	if time.Since(began) > delay {
		p.quick = 0
	}
	return firstOf(err, readErr)
}

func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}
