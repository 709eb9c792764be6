package scan

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The ports of one host share its limits, in whatever spelling; other hosts have their own.
func TestPortsOfAHostShareItsLimits(t *testing.T) {
	for _, test := range []struct {
		hosts  []string
		shared bool
	}{
		{[]string{"host.test", "host.test", "HOST.test", "host.test."}, true},
		{[]string{"2001:db8::1", "2001:db8::1", "2001:db8::1", "2001:db8::1"}, true},
		{[]string{"a.test", "b.test", "c.test", "d.test"}, false},
	} {
		var now, most atomic.Int32
		p := &Prober{Connections: 1, Rate: 100, Dial: func(context.Context, Target) (net.Conn, error) {
			ours, theirs := net.Pipe()
			n := now.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			go func() {
				io.ReadAtLeast(theirs, make([]byte, 16), 1)
				time.Sleep(20 * time.Millisecond) // long enough for others to come in between
				now.Add(-1)
				theirs.Close()
			}()
			return ours, nil
		}}
		began := time.Now()
		var wait sync.WaitGroup
		for i, host := range test.hosts {
			wait.Go(func() {
				p.Do(t.Context(), Target{Address: net.JoinHostPort(host, fmt.Sprint(443+i))}, Probe{Hello: Modern()})
			})
		}
		wait.Wait()
		if shared := most.Load() == 1 && time.Since(began) >= 80*time.Millisecond; shared != test.shared {
			t.Errorf("%v: %d connections at once, in %v", test.hosts, most.Load(), time.Since(began))
		}
	}
}

// A closed port beside an open one of the host is asked once.
func TestClosedPortsAreAskedOnce(t *testing.T) {
	var dialled atomic.Int32
	p := &Prober{Dial: func(_ context.Context, at Target) (net.Conn, error) {
		dialled.Add(1)
		if at.Address == "host.test:2" {
			return nil, &net.OpError{Op: "dial", Err: fmt.Errorf("nobody there")}
		}
		ours, theirs := net.Pipe()
		go func() { io.ReadAtLeast(theirs, make([]byte, 16), 1); theirs.Close() }()
		return ours, nil
	}}
	for port := 1; port <= 2; port++ {
		probe(t, p, Target{Address: fmt.Sprintf("host.test:%d", port)}, Probe{Hello: Modern()})
	}
	if dialled.Load() != 2 {
		t.Errorf("%d connections were tried", dialled.Load())
	}
}
