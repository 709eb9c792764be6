package tls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/wire"
)

// valve lets a number of records pass to its reader, and then nothing until it is
// opened or closed.
type valve struct {
	net.Conn
	mu     sync.Mutex
	change sync.Cond
	passes int // negative: all
	closed bool
	rest   []byte
}

func newValve(c net.Conn) *valve {
	v := &valve{Conn: c, passes: -1}
	v.change.L = &v.mu
	return v
}

func (v *valve) set(passes int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.passes = passes
	v.change.Broadcast()
}

func (v *valve) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	v.change.Broadcast()
	return v.Conn.Close()
}

func (v *valve) Read(p []byte) (int, error) {
	if len(v.rest) == 0 {
		header := make([]byte, 5)
		if _, err := io.ReadFull(v.Conn, header); err != nil {
			return 0, err
		}
		v.rest = append(header, make([]byte, int(header[3])<<8|int(header[4]))...)
		if _, err := io.ReadFull(v.Conn, v.rest[5:]); err != nil {
			return 0, err
		}
		v.mu.Lock()
		for v.passes == 0 && !v.closed {
			v.change.Wait()
		}
		v.passes--
		closed := v.closed
		v.mu.Unlock()
		if closed {
			return 0, net.ErrClosed
		}
	}
	n := copy(p, v.rest)
	v.rest = v.rest[n:]
	return n, nil
}

// halfway are connections with a renegotiation that does not get to its end: own
// has begun it, and so many of the records that come after are let through.
func halfway(t testing.TB, role wire.Role, set func(client, server *Config)) (own, peer *Conn, v *valve) {
	t.Helper()
	client, server := renegotiable(VersionTLS12)
	if set != nil {
		set(client, server)
	}
	a, b := tcpPair(t)
	if role == wire.Client {
		v = newValve(a)
		a = v
	} else {
		v = newValve(b)
		b = v
	}
	c, s := Client(a, client), Server(b, server)
	if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	own, peer = of(role, c, s)
	t.Cleanup(func() { own.Close(); peer.Close() })
	return own, peer, v
}

// stops are where a renegotiation is stopped: how many records own still gets. With
// the first a client is before its keys change; with the second it has sent its
// Finished, and waits for the server's.
var stops = []struct {
	name   string
	role   wire.Role
	passes int
}{
	{"a client that gets no answer", wire.Client, 0},
	{"a client that gets no Finished", wire.Client, 1},
	{"a server that gets no Finished", wire.Server, 2},
}

// ways to end such a renegotiation, and the error that everybody then gets.
var endings = []struct {
	name string
	set  func(*Config)
	end  func(own *Conn, cancel func())
	want error
}{
	{"the context ends", nil, func(_ *Conn, cancel func()) { cancel() }, context.Canceled},
	{"the timeout passes", func(c *Config) { c.HandshakeTimeout = 300 * time.Millisecond }, func(*Conn, func()) {}, os.ErrDeadlineExceeded},
	{"the connection is closed", nil, func(own *Conn, _ func()) { own.Close() }, net.ErrClosed},
	{"the socket is closed", nil, func(own *Conn, _ func()) { own.NetConn().Close() }, net.ErrClosed},
}

// A call in the middle of it comes back, with the reason, within the bound; and
// no goroutine stays behind.
func TestRenegotiationEnds(t *testing.T) {
	before, _ := inside()
	for _, stop := range stops {
		for _, ending := range endings {
			for _, reading := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/reading %v", stop.name, ending.name, reading), func(t *testing.T) {
					own, peer, v := halfway(t, stop.role, func(client, server *Config) {
						if ending.set != nil {
							ending.set(map[wire.Role]*Config{wire.Client: client, wire.Server: server}[stop.role])
						}
					})
					echoing(t, peer)
					ctx, cancel := context.WithCancel(context.Background())
					defer cancel()
					var calls []<-chan error
					call := func(f func() error) {
						done := make(chan error, 1)
						go func() { done <- f() }()
						calls = append(calls, done)
					}
					v.set(stop.passes)
					if reading {
						call(func() error { _, err := own.Read(make([]byte, 1)); return err })
						time.Sleep(20 * time.Millisecond)
					}
					call(func() error { return own.Renegotiate(ctx) })
					time.Sleep(100 * time.Millisecond)
					if state := own.State(); state.Renegotiations != 0 || state.CipherSuite == 0 {
						t.Errorf("in the middle of it the state is %+v", state)
					}
					call(func() error { _, err := own.Write(make([]byte, 1)); return err }) // must wait
					time.Sleep(50 * time.Millisecond)
					ending.end(own, cancel)
					for i, done := range calls {
						select {
						case err := <-done:
							if !errors.Is(err, ending.want) {
								t.Errorf("call %d: %v, want %v", i, err, ending.want)
							}
						case <-time.After(5 * time.Second):
							_, stacks := inside()
							t.Fatalf("call %d hangs:\n%s", i, stacks)
						}
					}
					if _, err := own.Write([]byte{1}); err == nil {
						t.Error("a Write afterwards succeeds")
					}
					if _, err := own.Read(make([]byte, 1)); err == nil || err == io.EOF {
						t.Errorf("a Read afterwards gives %v", err)
					}
				})
			}
		}
	}
	left(t, before)
}

// left fails if goroutines stay in methods of a Conn beyond those of before.
func left(t *testing.T, before int) {
	t.Helper()
	for range 100 {
		if n, _ := inside(); n <= before {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	_, stacks := inside()
	t.Errorf("goroutines are left:\n%s", stacks)
}

// A client that does not answer a HelloRequest does no harm: the server gives up,
// and the connection goes on, also when the answer comes after all.
func TestUnansweredHelloRequest(t *testing.T) {
	before, _ := inside()
	for _, accepts := range []bool{false, true} {
		for _, ending := range endings[:2] {
			client, server := renegotiable(VersionTLS12)
			server.Renegotiate.FromClient = accepts
			if ending.set != nil {
				ending.set(server)
			}
			c, s := open(t, "TCP", client, server)
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(50*time.Millisecond, func() { ending.end(s, cancel) })
			if err := bounded(t, func(context.Context) error { return s.Renegotiate(ctx) }); !errors.Is(err, ending.want) {
				t.Errorf("%s: %v", ending.name, err)
			}
			cancel()
			echoing(t, c) // it reads now, and answers
			goesOn(t, s)
			goesOn(t, s)
			if want := map[bool]int{true: 1}[accepts]; s.State().Renegotiations != want {
				t.Errorf("%d renegotiations, want %d", s.State().Renegotiations, want)
			}
			renegotiate(t, s)
		}
	}
	left(t, before+4) // those of the echoes
}

// Reads that wait, and renegotiations that come and go, leave no goroutines behind.
func TestRenegotiationsLeaveNothingBehind(t *testing.T) {
	client, server := renegotiable(VersionTLS12)
	c, s := open(t, "TCP", client, server)
	go c.Read(make([]byte, 1))
	go s.Read(make([]byte, 1))
	time.Sleep(20 * time.Millisecond)
	before, _ := inside()
	for i := range 30 {
		own, _ := of(bothRoles[i%2], c, s)
		renegotiate(t, own)
	}
	left(t, before)
}

// What the peer sends before it answers is kept for Read, up to a bound. Beyond that
// somebody must read, and then all of it arrives and the renegotiation ends well.
func TestRenegotiationBehindMuchData(t *testing.T) {
	for _, role := range bothRoles {
		client, server := renegotiable(VersionTLS12)
		c, s := open(t, "narrow", client, server)
		own, peer := of(role, c, s)
		const n = 4 << 20
		stop, done := make(chan struct{}), make(chan error, 2)
		close(stop)
		go func() { done <- pour(peer, 1, n, stop) }()
		begin := time.Now()
		err := bounded(t, own.Renegotiate)
		if err != engine.ErrFull || time.Since(begin) > 10*time.Second {
			t.Fatalf("with nobody reading: %v after %v", err, time.Since(begin))
		}
		go peer.Read(make([]byte, 1)) // it hears of the renegotiation
		go func() { done <- drain(own, 1) }()
		for range 2 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		go own.Read(make([]byte, 1))
		for i := 0; own.State().Renegotiations == 0; i++ {
			if time.Sleep(5 * time.Millisecond); i == 1000 {
				t.Fatal("the renegotiation does not end")
			}
		}
	}
}
