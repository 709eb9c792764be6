package storetest

import (
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// turns counts how often a client speaks after its server has spoken.
type turns struct {
	mu     sync.Mutex
	client bool // spoke last
	count  int
}

func (n *turns) spoke(client bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if client && !n.client {
		n.count++
	}
	n.client = client
}

func (n *turns) all() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.count
}

// watched is the address of a relay to a server.
func watched(t *testing.T, server string) (address string, n *turns) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n = new(turns)
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", server)
			if err != nil {
				c.Close()
				continue
			}
			for _, way := range [][2]net.Conn{{c, s}, {s, c}} {
				running.Go(func() {
					defer c.Close()
					defer s.Close()
					io.Copy(way[1], io.TeeReader(way[0], speaker{n, way[0] == c}))
				})
			}
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return l.Addr().String(), n
}

// speaker notes each piece that a side has sent.
type speaker struct {
	n      *turns
	client bool
}

func (s speaker) Write(b []byte) (int, error) {
	s.n.spoke(s.client)
	return len(b), nil
}

// Rounds tests that an operation takes no more round trips than it should, over a connection that is there.
// open opens the store at an address; it is closed before the test ends.
func Rounds(t *testing.T, server *Server, open func(address string) session.Store, put, get, take int) {
	address, n := watched(t, server.Addr)
	s := open(address)
	blob, ctx := make([]byte, 230), t.Context()
	if err := s.Put(ctx, "key", blob, soon()); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		name string
		want int
		do   func() error
	}{
		{"put", put, func() error { return s.Put(ctx, "key", blob, soon()) }},
		{"get", get, func() error { _, err := s.Get(ctx, "key"); return err }},
		{"take", take, func() error { _, err := s.Take(ctx, "key"); return err }},
	} {
		least := 1 << 10 // pings come between at times
		var times []time.Duration
		for range 50 {
			if err := s.Put(ctx, "key", blob, soon()); err != nil {
				t.Fatal(err)
			}
			before, began := n.all(), time.Now()
			if err := one.do(); err != nil {
				t.Fatal(err)
			}
			times = append(times, time.Since(began))
			least = min(least, n.all()-before)
		}
		slices.Sort(times)
		t.Logf("%s: %d round trips, %v by a relay", one.name, least, times[len(times)/2].Round(time.Microsecond))
		if least != one.want {
			t.Errorf("%s takes %d round trips, not %d", one.name, least, one.want)
		}
	}
}
