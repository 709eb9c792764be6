package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/access"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
)

// stuckTarget takes connections and reads nothing, as a program that was stopped does.
func stuckTarget(t *testing.T) string {
	over := make(chan struct{})
	address := backend(t, nil, func(net.Conn) { <-over })
	t.Cleanup(func() { close(over) }) // before backend's, which waits
	return address
}

// upload sends a body without an end, until all on the way is full.
func upload(t *testing.T, conn net.Conn) {
	t.Helper()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: front.test\r\nContent-Length: %d\r\n\r\n", int64(1)<<40)
	for n, data := 1, make([]byte, 256<<10); n > 0; {
		conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		var err error
		if n, err = conn.Write(data); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
}

// A stop ends an upload that its target does not take.
func TestStopBesideAnUploadThatIsStuck(t *testing.T) {
	closed := make(chan error, 1)
	c := at(config.Listener{Mode: config.ModeHTTP}, config.Target{Addresses: []string{stuckTarget(t)}})
	p, address := begin(t, c, event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r.Err }})
	upload(t, dial(t, address, nil))
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Shutdown(over); !errors.Is(err, context.Canceled) {
		t.Errorf("the stop ends with %v", err)
	}
	select {
	case err := <-closed:
		if !errors.Is(err, errStopped) {
			t.Errorf("the connection ends with %v", err)
		}
	default:
		t.Error("the connection goes on")
	}
}

// A stop ends though a connection does not, whatever holds it.
func TestStopBesideALinkThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := New(at(config.Listener{}, config.Target{Addresses: []string{"127.0.0.1:1"}}), Options{})
		if err != nil {
			t.Fatal(err)
		}
		ours, theirs := net.Pipe()
		defer ours.Close()
		p.links.add(&link{p: p, client: theirs})
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Shutdown(over); !errors.Is(err, context.Canceled) {
			t.Errorf("the stop ends with %v", err)
		}
	})
}

// A client is not judged after the end of its connection: those that were told of the end read
// what is known of it.
func TestJudgedLate(t *testing.T) {
	rules, err := access.Parse([]string{"peer:192.0.2.0/24"})
	if err != nil {
		t.Fatal(err)
	}
	l := &link{p: new(Proxy), About: event.Connection{Peer: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1)}}, cutOff: true}
	if err := l.allowed(&route{allow: rules}, "front.test"); !errors.Is(err, errStopped) || l.About.Identity != "" {
		t.Errorf("it is known as %q, %v", l.About.Identity, err)
	}
}

// The addresses have their turns beyond 2³¹ connections too, where an int is short.
func TestTurnsBeyondAnInt(t *testing.T) {
	n := &target{places: []*place{{name: "a"}, {name: "b"}, {name: "c"}}, config: new(config.Target)}
	for _, before := range []uint64{1<<31 - 2, 1<<32 - 2, 1<<63 - 2, 1<<64 - 2} {
		n.turn.Store(before)
		for range 4 {
			if got := len(n.order()); got != 3 {
				t.Errorf("after %d connections: %d addresses", before, got)
			}
		}
	}
}

// acme-tls/1 among the protocols would give a certificate's authority the target.
func TestTheProtocolOfChallengesIsRefused(t *testing.T) {
	server := serverTLS(t, "front.test")
	server.ALPN = []string{acmeProtocol}
	_, err := New(at(config.Listener{TLS: server}, config.Target{Addresses: []string{"127.0.0.1:1"}}), Options{})
	if err == nil || !strings.Contains(err.Error(), acmeProtocol) {
		t.Errorf("it is taken: %v", err)
	}
}

// A flood does not compute without turns: as many as have one go on late, and no more.
func TestQueueUnderAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2)
		for range 2 {
			if _, err := q.turn(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ends := make(chan error, 5)
		for range 5 {
			go func() {
				_, err := q.turn(t.Context())
				ends <- err
			}()
		}
		late := 0
		for range 5 {
			switch err := <-ends; {
			case err == nil:
				late++
			case !errors.Is(err, ErrCrowded):
				t.Error(err)
			}
		}
		if late != 2 {
			t.Errorf("%d go on without a turn", late)
		}
	})
}
