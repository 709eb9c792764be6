package proxy

import (
	"errors"
	"fmt"
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

// relay passes bytes on, both ways, on two goroutines. The last of them ends the link.
func (l *link) relay() {
	l.client.SetDeadline(noDeadline)
	l.server.SetDeadline(noDeadline)
	l.halves.Store(2)
	if idle := l.door.idleTimeout; idle > 0 {
		l.watchIdle(idle)
	}
	go l.pass(l.server, l.client, &l.received)
	go l.pass(l.client, l.server, &l.sent)
}

// pass copies from one side to the other up to the orderly end, which it passes on.
func (l *link) pass(to, from net.Conn, count *atomic.Int64) {
	err := l.copy(to, from, count)
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

func (l *link) copy(to, from net.Conn, count *atomic.Int64) error {
	w := &flow{to: to, count: count}
	if l.door.idleTimeout > 0 {
		w.active = &l.active
	}
	if over, is := from.(*tls.Conn); is {
		_, err := over.WriteTo(w) // which holds no buffer while nothing comes
		return err
	}
	if _, socket := from.(syscall.Conn); !socket { // its answers are edited
		_, err := io.Copy(w, from)
		return err
	}
	return copyPlain(w, from)
}

// flow counts what is written.
type flow struct {
	to     net.Conn
	count  *atomic.Int64
	active *atomic.Int64 // nil where nobody asks
}

// piece is how much is written at once where the idle timeout asks: a peer that takes a little
// at a time is seen to live.
const piece = 16 << 10

func (w *flow) Write(p []byte) (n int, err error) {
	if w.active == nil {
		n, err = w.to.Write(p)
		w.count.Add(int64(n))
		return n, err
	}
	w.active.Store(time.Now().UnixNano())
	for n < len(p) && err == nil {
		var some int
		some, err = w.to.Write(p[n:min(n+piece, len(p))])
		n += some
		w.count.Add(int64(some))
		w.active.Store(time.Now().UnixNano())
	}
	return n, err
}

// ErrIdle is why a link ended on which nothing went either way for Limits.IdleTimeout.
var ErrIdle = errors.New("nothing went either way for the idle timeout")

func (l *link) watchIdle(limit time.Duration) {
	l.active.Store(time.Now().UnixNano())
	l.idler = time.AfterFunc(limit, func() {
		left := limit - time.Since(time.Unix(0, l.active.Load()))
		if left > 0 {
			l.idler.Reset(left)
			return
		}
		l.abort(fmt.Errorf("%w, %v: %w", ErrIdle, limit, os.ErrDeadlineExceeded))
	})
}
