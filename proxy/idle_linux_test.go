package proxy

import (
	"errors"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/event"
)

// A peer that takes a little of what waits for it, or sends a little of a record, is not idle; one
// that does nothing is.
func TestSlowPeersAreNotIdle(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		client, server := socketPair(t, network), socketPair(t, network)
		closed := make(chan error, 1)
		l := &link{p: &Proxy{hooks: event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r.Err }}}, client: client[0], server: server[0]}
		i := &idler{link: l, limit: time.Hour}
		longAgo := -int64(2 * i.limit) // by sinceStart
		i.timer = time.NewTimer(time.Hour)
		l.idler = i
		fill(client[0]) // as a way does that waits for room
		i.moved = l.progress()
		silent := func(peer string, what func()) {
			t.Helper()
			i.active.Store(longAgo)
			i.asked = longAgo
			what()
			waitFor(t, func() bool { return l.progress() != i.moved }, func() string { return network + ": nothing is seen of " + peer })
			if i.look(); l.cutOff {
				t.Fatalf("%s: %s is cut off: %v", network, peer, l.cause)
			}
			i.moved = l.progress() // the timer's look soon after
		}
		silent("a client that takes a little", func() {
			for before := l.progress(); l.progress() == before; { // a window opens by steps
				if _, err := io.ReadFull(client[1], make([]byte, 1024)); err != nil {
					t.Fatal(err)
				}
			}
		})
		if network == "tcp" { // a unix socket hands everything over at once, and wakes a parked way
			silent("a client that sends a byte", func() { client[1].Write([]byte{0x17}) })
			silent("a target that sends a byte", func() { server[1].Write([]byte{0x17}) })
		}
		i.active.Store(longAgo)
		i.asked = longAgo
		if i.look(); !l.cutOff || !errors.Is(l.cause, ErrIdle) {
			t.Errorf("%s: a link on which nothing moves: %v", network, l.cause)
		}
	}
}

// socketPair is a connection, both ends of it.
func socketPair(t *testing.T, network string) (ends [2]net.Conn) {
	t.Helper()
	address := "127.0.0.1:0"
	if network == "unix" {
		address = filepath.Join(t.TempDir(), "socket")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if ends[0], err = net.Dial(network, l.Addr().String()); err == nil {
		ends[1], err = l.Accept()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ends[0].Close(); ends[1].Close() })
	return ends
}

// fill writes until the peer's buffers and ours are full.
func fill(conn net.Conn) {
	conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	for {
		if _, err := conn.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
}
