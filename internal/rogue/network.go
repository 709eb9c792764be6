package rogue

import (
	"io"
	"net"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// courier is who stands between the ends. It is called with the network locked.
type courier interface {
	// sent is told what an end writes.
	sent(from wire.Role, b []byte)
	// next returns what an end reads next; nothing if there is nothing yet, over if
	// there never will be.
	next(to wire.Role) (b []byte, over bool)
}

// network joins two ends through a courier. It holds any amount under way, so that
// nobody waits to write, and when both ends wait to read, it ends.
type network struct {
	mu      sync.Mutex
	courier courier
	ends    sides[*end]
	stuck   bool   // both waited
	onStuck func() // called then, before the ends learn of it
	// patience is for how many looks both may wait before that is the end. In a
	// handshake inside a connection package tls sends from a goroutine of its own,
	// which may come a little after both wait; else it is none.
	patience int
	moves    int // how often an end was woken
	// silent is what both read once they were found to wait; nil for the end of the stream.
	silent error
}

func newNetwork(c courier, onStuck func()) *network {
	n := &network{courier: c, onStuck: onStuck}
	for _, role := range roles {
		e := &end{net: n, role: role}
		e.wakes.L, n.ends[role] = &n.mu, e
	}
	return n
}

// wake has an end look again for something to read.
func (n *network) wake(role wire.Role) {
	e := n.ends[role]
	n.moves++
	e.waits = false
	e.wakes.Signal()
}

// quiet is called when both ends wait. It looks again and again, not once after all
// that time: a machine that is busy delays a look as much as it does the goroutine
// that is waited for.
func (n *network) quiet(looks int) {
	if looks == 0 {
		n.end()
		return
	}
	moves := n.moves
	time.AfterFunc(between, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.moves == moves {
			n.quiet(looks - 1)
		}
	})
}

// between two looks.
const between = time.Millisecond

// end tells both ends that nothing more comes.
func (n *network) end() {
	n.stuck = true
	n.onStuck()
	for _, role := range roles {
		n.ends[role].over = true
		n.wake(role)
	}
}

// end is one end's net.Conn.
type end struct {
	net    *network
	role   wire.Role
	wakes  sync.Cond
	unread []byte
	waits  bool
	over   bool // nothing more comes
	closed bool
}

func (e *end) Read(p []byte) (int, error) {
	n := e.net
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		if len(e.unread) == 0 && !e.over {
			e.unread, e.over = n.courier.next(e.role)
		}
		peer := n.ends[e.role.Peer()]
		switch {
		case e.closed:
			return 0, net.ErrClosed
		case len(e.unread) > 0:
			k := copy(p, e.unread)
			e.unread = e.unread[k:]
			return k, nil
		case n.stuck && n.silent != nil:
			return 0, n.silent
		case e.over, peer.closed:
			return 0, io.EOF
		}
		if e.waits = true; peer.waits {
			n.quiet(n.patience)
		}
		for e.waits {
			e.wakes.Wait()
		}
	}
}

func (e *end) Write(b []byte) (int, error) {
	n := e.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if e.closed {
		return 0, net.ErrClosed
	}
	n.courier.sent(e.role, b)
	n.wake(e.role.Peer())
	return len(b), nil
}

func (e *end) Close() error {
	n := e.net
	n.mu.Lock()
	defer n.mu.Unlock()
	e.closed = true
	n.wake(e.role)
	n.wake(e.role.Peer())
	return nil
}

type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "memory" }

func (e *end) LocalAddr() net.Addr              { return address{} }
func (e *end) RemoteAddr() net.Addr             { return address{} }
func (e *end) SetDeadline(time.Time) error      { return nil }
func (e *end) SetReadDeadline(time.Time) error  { return nil }
func (e *end) SetWriteDeadline(time.Time) error { return nil }
