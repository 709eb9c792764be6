package proxy

import (
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// noDeadline lets a connection wait for ever.
var noDeadline time.Time

// A way is one direction of a link.
type way uint8

const (
	up   way = iota // from the client to the target
	down            // from the target to the client
	ways
)

// relay passes bytes on, both ways, each on a goroutine while there is something to do. The
// last way to end ends the link.
func (l *link) relay() {
	l.client.SetDeadline(noDeadline)
	l.server.SetDeadline(noDeadline)
	l.halves.Store(int32(ways))
	l.watchIdle()
	go l.pass(up)
	go l.pass(down)
}

// ends are where a way comes from and goes to, and the count of its bytes.
func (l *link) ends(w way) (from, to net.Conn, count *atomic.Int64) {
	if w == up {
		return l.client, l.server, &l.received
	}
	return l.server, l.client, &l.sent
}

// pass copies one way up to its orderly end, which it passes on. Where nothing comes for a
// while it returns early: then the link is parked that way.
func (l *link) pass(w way) {
	from, to, count := l.ends(w)
	c := &copier{from: from, flow: flow{to: to, count: count, active: l.activity()}}
	parked, err := false, c.settle(l.About.At.Add(l.door.handshakeTimeout))
	if err == nil {
		parked, err = l.copyOrPark(w, c)
	}
	if parked {
		return
	}
	if err == nil {
		err = closeWrite(to)
		if errors.Is(err, net.ErrClosed) {
			err = nil
		}
	}
	if err != nil {
		l.abort(err)
	}
	if l.halves.Add(-1) == 0 {
		l.end(nil)
	}
}

// copyOrPark copies up to the end of what c reads, or until it has parked the way.
func (l *link) copyOrPark(w way, c *copier) (parked bool, err error) {
	if !parks(c.from) {
		return false, c.run()
	}
	for before := c.flow.count.Load(); ; {
		c.from.SetReadDeadline(time.Now().Add(l.p.lot.patience()))
		err := c.run()
		if c.flow.failed || !errors.Is(err, os.ErrDeadlineExceeded) {
			return false, err
		}
		now := c.flow.count.Load()
		if now == before && l.park(w) {
			return true, nil
		}
		before = now
	}
}

// A copier copies one way. It may go on after a deadline.
type copier struct {
	from  net.Conn
	flow  flow
	plain *plain // nil for TLS, and before the first use
}

// settle copies up to where the client's hellos are over, of which the target gets the inner ones: that is
// a part of the handshake, and has its time. The rest is read from the socket itself.
func (c *copier) settle(deadline time.Time) error {
	over, is := c.from.(*tls.ECHConn)
	if !is {
		return nil
	}
	over.SetReadDeadline(deadline)
	defer over.SetReadDeadline(noDeadline)
	for buf := make([]byte, 4<<10); !over.Settled(); {
		n, err := over.Read(buf)
		if _, failed := c.flow.Write(buf[:n]); failed != nil {
			return failed
		}
		if err == io.EOF { // the socket will say so again
			break
		}
		if err != nil {
			return err
		}
	}
	c.from = over.NetConn()
	return nil
}

// run returns nil at the end of what it reads.
func (c *copier) run() error {
	if over, is := c.from.(*tls.Conn); is {
		_, err := over.WriteTo(&c.flow) // which holds no buffer while nothing comes
		return err
	}
	if _, socket := c.from.(syscall.Conn); !socket { // its answers are edited
		_, err := io.Copy(&c.flow, c.from)
		return err
	}
	if c.plain == nil {
		c.plain = newPlain(c.from)
	}
	return c.plain.copy(&c.flow)
}

// flow counts what is written.
type flow struct {
	to     net.Conn
	count  *atomic.Int64
	active *atomic.Int64 // nil where nobody asks
	failed bool          // writing has
}

// piece is how much is written at once where the idle timeout asks and the system does not
// tell what the peer has taken: a peer that takes a little at a time is seen to live.
const piece = 16 << 10

func (w *flow) Write(p []byte) (n int, err error) {
	n, err = w.write(p)
	w.failed = w.failed || err != nil
	return n, err
}

func (w *flow) write(p []byte) (n int, err error) {
	if w.active == nil || tells(w.to) {
		n, err = w.to.Write(p)
		w.went(n)
		return n, err
	}
	w.active.Store(sinceStart())
	for n < len(p) && err == nil {
		var some int
		some, err = w.to.Write(p[n:min(n+piece, len(p))])
		n += some
		w.went(some)
	}
	return n, err
}

func (w *flow) went(n int) {
	w.count.Add(int64(n))
	if w.active != nil {
		w.active.Store(sinceStart())
	}
}
