package faults

import (
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// On sockets a connection is read in another way than in memory, and a RST comes from
// the kernel. A relay between the two sides counts what it carries, and ends both
// connections at a byte: with a RST, or with a FIN for the receiver of the byte.

// everyOnSockets is the stride on sockets, where a connection costs much more; and
// all that is near the start or the end of a flow, byte by byte.
const (
	everyOnSockets = 13
	nearTheEnds    = 8
)

// hung is how long nothing may take on a busy machine, where time cannot be held.
const hung = 10 * time.Second

// relay carries one connection.
type relay struct {
	fault         fault
	client, other *net.TCPConn // the ends of the client and of the server
	struck        atomic.Bool
	done          sync.WaitGroup
}

// sockets joins a client's and a server's socket by a relay with a fault.
func sockets(t *testing.T, l net.Listener, f fault) (client, server net.Conn, r *relay) {
	t.Helper()
	pair := func() (near, far *net.TCPConn) {
		a, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return a.(*net.TCPConn), b.(*net.TCPConn)
	}
	client, near := pair()
	server, far := pair()
	r = &relay{fault: f, client: near, other: far}
	r.done.Add(2)
	go r.carry(wire.Client, near, far)
	go r.carry(wire.Server, far, near)
	return client, server, r
}

// carry takes what from sends to the other side, up to the fault.
func (r *relay) carry(from wire.Role, src, dst *net.TCPConn) {
	defer r.done.Done()
	left := -1
	if r.fault.kind != nothing && r.fault.from == from {
		left = r.fault.at
	}
	buf := make([]byte, 4096)
	for {
		n, err := src.Read(buf)
		if left >= 0 && n > left {
			dst.Write(buf[:left])
			r.strike(src, dst)
			return
		}
		if left >= 0 {
			left -= n
		}
		if _, writeErr := dst.Write(buf[:n]); err == nil {
			err = writeErr
		}
		if err != nil {
			dst.CloseWrite()
			return
		}
	}
}

func (r *relay) strike(src, dst *net.TCPConn) {
	r.struck.Store(true)
	if r.fault.kind == cut {
		dst.CloseWrite()
		io.Copy(io.Discard, src)
		return
	}
	for _, c := range []*net.TCPConn{src, dst} {
		c.SetLinger(0)
		c.Close()
	}
}

func (r *relay) end() {
	r.done.Wait()
	r.client.Close()
	r.other.Close()
}

// isGone: the network has reset the connection, or the peer has left it.
func isGone(err error) bool {
	return isOp(err) && (errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE))
}

// RST and FIN on real sockets.
func TestSockets(t *testing.T) {
	before := runtime.NumGoroutine()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := 0
	for _, f := range flows {
		f.prepare(t)
		f.pair[0].HandshakeTimeout, f.pair[1].HandshakeTimeout = 2*hung, 2*hung
		for _, x := range []expected{{kind: reset, name: "RST", victim: isGone}, {kind: cut, name: "FIN", victim: isCut}} {
			for i, from := range []wire.Role{wire.Client, wire.Server} {
				for _, at := range places(f.count[i]) {
					if !f.strikeSockets(t, l, x, fault{x.kind, from, at}) {
						return
					}
					n++
				}
			}
		}
		c, s, r := f.overSockets(t, l, fault{})
		if wrong := f.common(c, s); len(wrong) > 0 || c.err != nil || s.err != nil || r.struck.Load() {
			t.Errorf("%s, undisturbed: client: %v, server: %v, %q", f.name, c.err, s.err, wrong)
		}
	}
	if n < 2*2*len(flows)*nearTheEnds {
		t.Errorf("only %d connections", n)
	}
	t.Logf("%d connections over sockets", n)
	for begin := time.Now(); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Since(begin) > hung {
			t.Fatalf("%d goroutines, there were %d", runtime.NumGoroutine(), before)
		}
	}
}

// places are the bytes to strike of so many.
func places(count int) (all []int) {
	for at := range count {
		if at%everyOnSockets == 0 || at < nearTheEnds || at >= count-nearTheEnds {
			all = append(all, at)
		}
	}
	if every := stride(); every > 1 {
		all = slices.DeleteFunc(all, func(at int) bool { return at >= nearTheEnds/2 && at < count-nearTheEnds/2 && at%every > 0 })
	}
	return all
}

// overSockets runs the flow without a deadline.
func (f *flow) overSockets(t *testing.T, l net.Listener, what fault) (c, s *side, r *relay) {
	t.Helper()
	a, b, r := sockets(t, l, what)
	c = &side{wire: newLink(what).end(wire.Client), steps: f.client, bound: unbound}
	s = &side{wire: newLink(what).end(wire.Server), steps: f.server, bound: unbound}
	c.conn, s.conn = tls.Client(a, f.pair[0]), tls.Server(b, f.pair[1])
	done := make(chan struct{})
	go func() { defer close(done); s.run() }()
	c.run()
	<-done
	r.end()
	return c, s, r
}

func (f *flow) strikeSockets(t *testing.T, l net.Listener, x expected, what fault) bool {
	t.Helper()
	begin := time.Now()
	c, s, r := f.overSockets(t, l, what)
	victim, other := c, s
	if what.from == wire.Client {
		victim, other = s, c
	}
	wrong := f.common(c, s)
	switch took := time.Since(begin); {
	case took > hung:
		t.Errorf("%s, %s at byte %d of the %v: took %v", f.name, x.name, what.at, what.from, took)
	case !r.struck.Load() && (c.err != nil || s.err != nil),
		r.struck.Load() && !x.victim(victim.err),
		r.struck.Load() && other.err == nil && other.done < len(other.steps),
		len(wrong) > 0:
		t.Errorf("%s, %s at byte %d of the %v: client: step %d: %v, server: step %d: %v %q", f.name, x.name, what.at, what.from, c.done, c.err, s.done, s.err, wrong)
	}
	return !t.Failed()
}
