package scan

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// A gate lets more through where answers are quick, and fewer where they are slow, but never fewer
// than a stranger's host gets.
func TestAGateGrowsAndShrinks(t *testing.T) {
	g := freePace().gate
	for range 24 {
		g.answered(quickAnswer / 2)
	}
	if g.limit != leastAtOnce+24 {
		t.Errorf("after quick answers the limit is %d", g.limit)
	}
	if g.answered(slowAnswer / 2); g.limit != leastAtOnce+24 {
		t.Errorf("after an answer in between it is %d", g.limit)
	}
	for range 9 {
		g.answered(2 * slowAnswer)
	}
	if g.limit != leastAtOnce {
		t.Errorf("after slow answers it is %d", g.limit)
	}
	fixed := newPace(2, 0).gate
	if fixed.answered(0); fixed.limit != 2 {
		t.Errorf("the limit of a stranger's host is %d", fixed.limit)
	}
}

// A caller that waits at a gate comes in when a place is given back, and leaves when its context ends.
func TestAGateKeepsItsPlaces(t *testing.T) {
	g := newPace(2, 0).gate
	var wait sync.WaitGroup
	var in, most atomic.Int32
	for range 40 {
		wait.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := g.enter(ctx); err != nil {
				t.Error(err)
				return
			}
			n := in.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			in.Add(-1)
			g.leave()
		})
	}
	wait.Wait()
	if most.Load() > 2 || g.used != 0 || len(g.waiting) > 0 {
		t.Errorf("%d were in at once, %d are left, %d wait", most.Load(), g.used, len(g.waiting))
	}
	for range 2 {
		g.enter(t.Context())
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone")
	wait.Go(func() {
		if err := g.enter(ctx); !errors.Is(err, gone) {
			t.Error(err)
		}
	})
	for waits := 0; waits == 0; { // until it waits
		g.mu.Lock()
		waits = len(g.waiting)
		g.mu.Unlock()
	}
	cancel(gone)
	wait.Wait()
	if g.leave(); g.used != 1 || len(g.waiting) > 0 {
		t.Errorf("%d are in, %d wait", g.used, len(g.waiting))
	}
}

// A healthy server that serves one client after the other, and takes its time for each, leaves no
// connection unanswered: it is asked more slowly.
func TestASlowServerIsAskedSlowly(t *testing.T) {
	ca, err := devca.New("example.test")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"example.test"}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	turns := make(chan net.Conn, 1024)
	wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				close(turns)
				return
			}
			turns <- conn
		}
	})
	wait.Go(func() {
		for conn := range turns { // one at a time, as a pool of one process
			time.Sleep(30 * time.Millisecond)
			conn.SetDeadline(time.Now().Add(time.Second))
			tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{cert}}).Handshake()
			conn.Close()
		}
	})
	defer wait.Wait()
	defer l.Close()
	p := &Prober{Timeout: time.Second}
	var asked sync.WaitGroup
	for range 80 {
		asked.Go(func() {
			a := probe(t, p, Target{Address: l.Addr().String(), Name: "example.test"}, Probe{Hello: Modern()})
			if a.End != Reached {
				t.Errorf("%v after %v: %v", a.End, a.Took, a.Err)
			}
		})
	}
	asked.Wait()
}
