package proxy

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

func TestLimits(t *testing.T) {
	ballast := make([]byte, 128<<20) // more than the limit of memory
	defer runtime.KeepAlive(ballast)
	for name, test := range map[string]struct {
		limits config.Limits
		want   event.Reason
	}{
		"in all":          {config.Limits{Connections: 2}, event.TooMany},
		"for one address": {config.Limits{PerAddress: 2}, event.TooManyOfPeer},
		"of memory":       {config.Limits{Memory: 64 << 20}, event.NoMemory},
	} {
		t.Run(name, func(t *testing.T) {
			refused, closed := make(chan event.Reason, 10), make(chan error, 10)
			c := at(config.Listener{}, config.Target{Addresses: []string{backend(t, nil, echo)}})
			c.Limits = test.limits
			p, address := begin(t, c, event.Hooks{
				Refused: func(_ string, _ net.Addr, why event.Reason, _ error) { refused <- why },
				Closed:  func(_ *event.Connection, r event.Result) { closed <- r.Err },
			})
			var conns []net.Conn
			for i := 0; i < 2 && test.limits.Memory == 0; i++ {
				conn := dial(t, address, nil)
				io.WriteString(conn, "x")
				if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
				conns = append(conns, conn)
			}
			if conn, err := net.Dial("tcp", address); err == nil { // it may be reset at once
				if got, _ := io.ReadAll(conn); len(got) > 0 {
					t.Errorf("one more gets %q", got)
				}
				conn.Close()
			}
			if why := <-refused; why != test.want {
				t.Errorf("it is refused because of %q", why)
			}
			for _, conn := range conns { // those that are in, stay; their places become free
				if err := roundTrip(conn, []byte("data")); err != nil {
					t.Error(err)
				}
				<-closed
			}
			p.links.wait(t.Context())
			if test.limits.Memory > 0 {
				return
			}
			if err := roundTrip(dial(t, address, nil), []byte("data")); err != nil {
				t.Errorf("after others have gone: %v", err)
			}
		})
	}
}

// The addresses of one site count as one.
func TestPeerKey(t *testing.T) {
	key := func(ip string) string { return peerKey(&net.TCPAddr{IP: net.ParseIP(ip), Zone: "eth0"}).String() }
	for ip, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::", "2001:db8:1:2::9": "2001:db8:1:2::",
	} {
		if got := key(ip); got != want {
			t.Errorf("%s counts as %s", ip, got)
		}
	}
	if peerKey(&net.UnixAddr{}).IsValid() {
		t.Error("a unix socket has an address")
	}
}

func TestQueue(t *testing.T) {
	q := newQueue(1)
	q.most = 1
	first, err := q.turn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	go func() {
		done, err := q.turn(t.Context())
		if err == nil {
			done()
		}
		got <- err
	}()
	for q.waiting.Load() == 0 { // until it waits
		time.Sleep(time.Millisecond)
	}
	if _, err := q.turn(t.Context()); !errors.Is(err, ErrCrowded) {
		t.Errorf("one more than may wait: %v", err)
	}
	first()
	if err := <-got; err != nil {
		t.Error(err)
	}
	first, _ = q.turn(t.Context())
	defer first()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := q.turn(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("one that has gone: %v", err)
	}
	began := time.Now()
	done, err := q.turn(t.Context()) // the holder of the turn waits for something else
	if err != nil || time.Since(began) < patience/2 {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	done()
}

// Clients that say nothing, or a byte now and then, are sent away in time.
func TestHandshakeTimeout(t *testing.T) {
	closed := make(chan error, 10)
	server := serverTLS(t, "front.test")
	c := at(config.Listener{TLS: server}, saying(t, nil, "in"))
	c.Limits.HandshakeTimeout = config.Duration(300 * time.Millisecond)
	_, address := begin(t, c, event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r.Err }})
	dial(t, address, nil)
	slow := dial(t, address, nil)
	go func() {
		for _, b := range []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") {
			if _, err := slow.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond) // that is what it is: slow
		}
	}()
	for range 2 {
		var late net.Error
		if err := <-closed; !errors.As(err, &late) || !late.Timeout() {
			t.Errorf("it ends with %v", err)
		}
	}
	// A handshake in time is not ended by that time.
	conn := dial(t, address, onePKI().client("front.test")).(*tls.Conn)
	if got, err := io.ReadAll(conn); string(got) != "in" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestIdleTimeout(t *testing.T) {
	closed := make(chan error, 1)
	c := at(config.Listener{TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{backend(t, nil, echo)}})
	c.Limits.IdleTimeout = config.Duration(100 * time.Millisecond)
	_, address := begin(t, c, event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r.Err }})
	conn := dial(t, address, onePKI().client("front.test"))
	io.WriteString(conn, "x")
	if err := <-closed; !errors.Is(err, ErrIdle) {
		t.Errorf("it ends with %v", err)
	}
}
