package faults

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// kind is what goes wrong.
type kind int

const (
	nothing      kind = iota
	reset             // in place of the byte, both ends get a RST
	cut               // in place of the byte, its receiver gets a FIN; the rest is lost
	stall             // the byte and all that follow never arrive
	pause             // they arrive late
	writeError        // Write takes what is before the byte, and fails from then on
	shortWrite        // Write takes what is before the byte and says so, without an error
	writeTimeout      // Write takes what is before the byte and times out, once
	readTimeout       // Read times out before the byte, once
)

// fault is what happens to one byte of what one side sends.
type fault struct {
	kind kind
	from wire.Role
	at   int
}

// late is how late bytes are behind a pause.
const late = 50 * time.Millisecond

var errWrite = errors.New("the disk of the network is full")

// link joins two ends in memory. What is written is there to be read at once, in
// pieces as large as the reader likes, unless the link is narrow.
type link struct {
	fault  fault
	narrow int // the most that is under way in each direction, sent byte by byte; 0 for any
	sip    int // the most that a Read returns; 0 for any

	mu       sync.Mutex
	changed  sync.Cond
	ends     [2]*end
	struck   bool
	at       time.Time // when it struck
	released bool      // the pause is over
	reset    bool
}

// end is one side's net.Conn.
type end struct {
	link *link
	role wire.Role

	sent          int    // bytes taken from our Writes
	passed        int    // of these, read by the peer
	queue         []byte // sent and not passed
	closed        bool
	broken        bool // writeError has struck
	readDeadline  deadline
	writeDeadline deadline
}

type deadline struct {
	at    time.Time
	timer *time.Timer
}

func newLink(f fault) *link {
	l := &link{fault: f}
	l.changed.L = &l.mu
	l.ends = [2]*end{{link: l, role: wire.Client}, {link: l, role: wire.Server}}
	return l
}

func (l *link) end(role wire.Role) *end {
	if role == wire.Client {
		return l.ends[0]
	}
	return l.ends[1]
}

func (e *end) peer() *end { return e.link.end(e.role.Peer()) }

// strikes reports whether k is the fault of what this end sends.
func (e *end) strikes(k kind) bool { return e.link.fault.kind == k && e.link.fault.from == e.role }

func (l *link) strike() {
	if !l.struck {
		l.struck, l.at = true, time.Now()
	}
	l.changed.Broadcast()
}

func (l *link) wake(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
	l.changed.Broadcast()
}

// crosses reports whether n more bytes reach the one that is struck.
func (e *end) crosses(n int) bool { return !e.link.struck && e.sent+n > e.link.fault.at }

func (e *end) Write(p []byte) (n int, err error) {
	l := e.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for n < len(p) {
		switch {
		case e.closed:
			return n, e.error("write", net.ErrClosed)
		case l.reset:
			return n, e.error("write", syscall.ECONNRESET)
		case e.broken:
			return n, e.error("write", errWrite)
		case e.writeDeadline.passed():
			return n, e.error("write", os.ErrDeadlineExceeded)
		case e.peer().closed:
			return n, e.error("write", syscall.EPIPE)
		case l.narrow > 0 && len(e.queue) >= l.narrow:
			l.changed.Wait()
			continue
		}
		m := len(p) - n
		if l.narrow > 0 {
			m = 1
		}
		if e.crosses(m) {
			if k, err, is := e.writeFault(p[n:]); is {
				return n + k, err
			}
		}
		e.take(p[n : n+m])
		n += m
	}
	return n, nil
}

// writeFault is what a Write returns that reaches the byte that is struck. Where it is
// the network that fails, the Write does not know.
func (e *end) writeFault(p []byte) (n int, err error, is bool) {
	l := e.link
	n = l.fault.at - e.sent
	switch {
	case e.strikes(writeError):
		e.broken, err = true, e.error("write", errWrite)
	case e.strikes(writeTimeout):
		err = e.error("write", os.ErrDeadlineExceeded)
	case e.strikes(shortWrite):
	case e.strikes(reset), e.strikes(cut), e.strikes(stall):
		e.take(p[:n])
		l.reset = e.strikes(reset)
		l.strike()
		return len(p), nil, true
	case e.strikes(pause):
		l.strike()
		time.AfterFunc(late, func() { l.wake(func() { l.released = true }) })
		return 0, nil, false
	default:
		return 0, nil, false
	}
	e.take(p[:n])
	l.strike()
	return n, err, true
}

// take puts p under way. What is behind the end or the stall is lost.
func (e *end) take(p []byte) {
	e.sent += len(p)
	if !(e.link.struck && (e.strikes(cut) || e.strikes(stall))) {
		e.queue = append(e.queue, p...)
	}
	e.link.changed.Broadcast()
}

func (e *end) Read(p []byte) (n int, err error) {
	l, from := e.link, e.peer()
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		switch {
		case e.closed:
			return 0, e.error("read", net.ErrClosed)
		case e.readDeadline.passed():
			return 0, e.error("read", os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		}
		if n := from.ready(); n > 0 {
			if from.strikes(readTimeout) && !l.struck && from.passed == l.fault.at {
				l.strike()
				return 0, e.error("read", os.ErrDeadlineExceeded)
			}
			return e.fetch(p, n), nil
		}
		switch {
		case l.reset:
			return 0, e.error("read", syscall.ECONNRESET)
		case l.struck && from.strikes(cut):
			return 0, io.EOF
		case from.closed && len(from.queue) == 0 && !(l.struck && from.strikes(stall)):
			return 0, io.EOF
		}
		l.changed.Wait()
	}
}

// ready is how many bytes can be read now.
func (e *end) ready() int {
	n := len(e.queue)
	if e.strikes(readTimeout) && !e.link.struck || e.strikes(pause) && !e.link.released {
		n = min(n, e.link.fault.at-e.passed)
		if n == 0 && e.strikes(readTimeout) {
			n = len(e.queue)
		}
	}
	return n
}

// fetch gives p up to n bytes of what the peer has sent.
func (e *end) fetch(p []byte, n int) int {
	from := e.peer()
	if e.link.sip > 0 {
		n = min(n, e.link.sip)
	}
	n = copy(p, from.queue[:n])
	from.queue = from.queue[n:]
	from.passed += n
	e.link.changed.Broadcast()
	return n
}

func (e *end) Close() error {
	l := e.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.closed {
		return e.error("close", net.ErrClosed)
	}
	e.closed = true
	e.readDeadline.stop()
	e.writeDeadline.stop()
	l.changed.Broadcast()
	return nil
}

func (e *end) error(op string, err error) error {
	return &net.OpError{Op: op, Net: "memory", Source: e.LocalAddr(), Addr: e.RemoteAddr(), Err: err}
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
}

func (d *deadline) set(l *link, t time.Time) {
	d.stop()
	if d.at = t; !t.IsZero() {
		d.timer = time.AfterFunc(time.Until(t), func() { l.wake(func() {}) })
	}
	l.changed.Broadcast()
}

func (e *end) SetDeadline(t time.Time) error {
	return errors.Join(e.SetReadDeadline(t), e.SetWriteDeadline(t))
}

func (e *end) SetReadDeadline(t time.Time) error  { return e.setDeadline(&e.readDeadline, t) }
func (e *end) SetWriteDeadline(t time.Time) error { return e.setDeadline(&e.writeDeadline, t) }

func (e *end) setDeadline(d *deadline, t time.Time) error {
	e.link.mu.Lock()
	defer e.link.mu.Unlock()
	if e.closed {
		return e.error("set", net.ErrClosed)
	}
	d.set(e.link, t)
	return nil
}

func (e *end) LocalAddr() net.Addr  { return address{} }
func (e *end) RemoteAddr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "memory" }
