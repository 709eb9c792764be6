package tls

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// sides are the two constructors, each with a Config that it accepts.
var sides = map[string]func(net.Conn, func(*Config)) *Conn{
	"client": func(c net.Conn, set func(*Config)) *Conn { return sideOf(Client, c, testPKI().client(), set) },
	"server": func(c net.Conn, set func(*Config)) *Conn {
		return sideOf(Server, c, testPKI().server("ecdsa-p256"), set)
	},
}

func sideOf(side func(net.Conn, *Config) *Conn, c net.Conn, config *Config, set func(*Config)) *Conn {
	if set != nil {
		set(config)
	}
	return side(c, config)
}

// within runs f and fails the test if it takes longer than is reasonable.
func within(t *testing.T, limit time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(limit):
		t.Fatalf("%s did not end within %v", what, limit)
	}
}

// A peer that says nothing keeps nobody longer than the context, the timeout
// or the deadline allows.
func TestHandshakeEnds(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(*Config)
		run  func(*Conn) error
		want error
		same bool // the error is the very one
	}{
		{name: "the context is cancelled", want: context.Canceled, same: true, run: func(c *Conn) error {
			ctx, cancel := context.WithCancel(context.Background())
			time.AfterFunc(20*time.Millisecond, cancel)
			return c.HandshakeContext(ctx)
		}},
		{name: "the context was cancelled before", want: context.Canceled, same: true, run: func(c *Conn) error {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			return c.HandshakeContext(ctx)
		}},
		{name: "the context's deadline passes", want: context.DeadlineExceeded, same: true, run: func(c *Conn) error {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			return c.HandshakeContext(ctx)
		}},
		{name: "HandshakeTimeout passes", want: os.ErrDeadlineExceeded, set: func(c *Config) { c.HandshakeTimeout = 20 * time.Millisecond },
			run: (*Conn).Handshake},
		{name: "the deadline passes", want: os.ErrDeadlineExceeded, run: func(c *Conn) error {
			c.SetDeadline(time.Now().Add(20 * time.Millisecond))
			return c.Handshake()
		}},
		{name: "the deadline passes in Read", want: os.ErrDeadlineExceeded, run: func(c *Conn) error {
			c.SetDeadline(time.Now().Add(20 * time.Millisecond))
			_, err := c.Read(make([]byte, 1))
			return err
		}},
		{name: "the connection is closed", want: net.ErrClosed, run: func(c *Conn) error {
			time.AfterFunc(20*time.Millisecond, func() { c.Close() })
			return c.Handshake()
		}},
	} {
		for side, make := range sides {
			t.Run(side+"/"+test.name, func(t *testing.T) {
				t.Parallel()
				ours, theirs := tcpPair(t)
				c := make(ours, test.set)
				var err error
				within(t, 5*time.Second, "the handshake", func() { err = test.run(c) })
				if test.same && err != test.want || !errors.Is(err, test.want) {
					t.Errorf("got %v, want %v", err, test.want)
				}
				var timeout net.Error
				if test.want == os.ErrDeadlineExceeded && !(errors.As(err, &timeout) && timeout.Timeout()) {
					t.Errorf("%v is no timeout", err)
				}
				if again := c.Handshake(); again == nil || again.Error() != err.Error() {
					t.Errorf("a second Handshake gives %v, the first gave %v", again, err)
				}
				c.Close()
				within(t, 5*time.Second, "the peer's Read", func() { io.Copy(io.Discard, theirs) })
			})
		}
	}
}

// Once the handshake is complete, its context has no power.
func TestContextEndsWithTheHandshake(t *testing.T) {
	a, b := memoryPipe()
	c, s := Client(a, testPKI().client()), Server(b, testPKI().server("ecdsa-p256"))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.HandshakeContext(ctx) }()
	if err := c.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	cancel()
	time.Sleep(10 * time.Millisecond)
	exchange(t, c, s)
	if err := c.HandshakeContext(ctx); err != nil {
		t.Error("a Handshake that is complete fails:", err)
	}
}

// stalled is read once and then no more.
type stalled struct {
	net.Conn
	read bool
	over chan struct{}
}

func (s *stalled) Read(p []byte) (int, error) {
	if s.read {
		<-s.over
	}
	s.read = true
	return s.Conn.Read(p)
}

// A handshake is complete only when its last flight is out.
func TestDeadlinePassesInTheLastFlight(t *testing.T) {
	for _, version := range bothVersions {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		at(version, client, server)
		client.CurvePreferences = []CurveID{X25519} // a hello that is received in one piece
		a, b := pipePair(t)
		over := make(chan struct{})
		go Server(&stalled{Conn: b, over: over}, server).Handshake()
		c := Client(a, client)
		c.SetDeadline(time.Now().Add(200 * time.Millisecond))
		if err := c.Handshake(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", VersionName(version), err)
		}
		a.Close()
		close(over)
	}
}

func TestReadDeadline(t *testing.T) {
	for _, pair := range []func(testing.TB) (a, b net.Conn){tcpPair, pipePair} {
		a, b := pair(t)
		c, s := Client(a, testPKI().client()), Server(b, testPKI().server("ecdsa-p256"))
		if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		for range 3 {
			c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			n, err := c.Read(make([]byte, 10))
			var timeout net.Error
			if n != 0 || !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatalf("read %d, %v", n, err)
			}
		}
		c.SetReadDeadline(time.Time{})
		go s.Write([]byte("late"))
		got := make([]byte, 4)
		if _, err := io.ReadFull(c, got); err != nil || string(got) != "late" {
			t.Fatalf("after the deadlines: %q, %v", got, err)
		}
		c.Close()
		s.Close()
	}
}

// A Write that has timed out in the middle of a record can be continued from
// where it says it is: the peer gets every byte once.
func TestWriteGoesOnAfterItsDeadline(t *testing.T) {
	for _, version := range bothVersions {
		t.Run(VersionName(version), func(t *testing.T) {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			at(version, client, server)
			c, s, clientErr, serverErr := connect(t, client, server)
			if clientErr != nil || serverErr != nil {
				t.Fatal(clientErr, serverErr)
			}
			data := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // 16 MiB: more than the sockets hold
			for i := 0; i < len(data); i += 4096 {
				data[i] = byte(i >> 12)
			}
			received := make(chan [32]byte, 1)
			rest, timeouts := data, 0
			for len(rest) > 0 {
				c.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
				n, err := c.Write(rest)
				rest = rest[n:]
				if err == nil {
					break
				}
				if !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Fatal(err)
				}
				if timeouts++; timeouts == 3 {
					go func() {
						h := sha256.New()
						io.Copy(h, s)
						received <- [32]byte(h.Sum(nil))
					}()
				}
			}
			if timeouts < 3 {
				t.Fatalf("%d timeouts: the test tests nothing", timeouts)
			}
			c.SetWriteDeadline(time.Time{})
			if err := c.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if <-received != sha256.Sum256(data) {
				t.Error("the peer received something else")
			}
		})
	}
}

// After the deadline nothing is taken: what is not sent need not be undone.
func TestWriteAfterItsDeadline(t *testing.T) {
	c, s := mustConnect(t, testPKI().client(), testPKI().server("ecdsa-p256"))
	c.SetWriteDeadline(time.Now().Add(-time.Second))
	if n, err := c.Write([]byte("never")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("wrote %d, %v", n, err)
	}
	c.SetDeadline(time.Time{})
	exchange(t, c, s)
}
