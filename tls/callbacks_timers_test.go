package tls

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// brittle is a connection below that panics where it is told to.
type brittle struct {
	net.Conn
	write, close *trap
}

func (b brittle) Write(p []byte) (int, error) { b.write.hit(); return b.Conn.Write(p) }
func (b brittle) Close() error                { b.close.hit(); return b.Conn.Close() }

func newBrittle(c net.Conn, fail func()) brittle {
	return brittle{c, &trap{anywhere: true, fail: fail}, &trap{anywhere: true, fail: fail}}
}

func (p *trap) sprung(t *testing.T) {
	t.Helper()
	if p.hits.Load() != 1 {
		t.Errorf("the connection below was hit %d times", p.hits.Load())
	}
}

// A timer's goroutine is nobody's: what does not return there ends the connection, and
// not the process. The clock stands still until all wait, so that no timer runs before its
// trap is set.
func TestTimersSurviveTheConnectionBelow(t *testing.T) {
	now := time.Now() // by which the certificates are valid
	clock := func() time.Time { return now }
	for how, fail := range ways {
		for what, test := range map[string]func(t *testing.T, fail func(), clock func() time.Time){
			"tickets of an idle server": idleTickets, "HandshakeTimeout": slowHandshake, "a renegotiation that takes too long": slowRenegotiation,
		} {
			testPKI()
			t.Run(how+"/"+what, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { test(t, fail, clock) })
			})
		}
	}
}

func idleTickets(t *testing.T, fail func(), clock func() time.Time) {
	client, server := resumable(VersionTLS13, func(*Config) {})
	client.Time, server.Time = clock, clock
	a, b := memoryPipe()
	below := newBrittle(b, fail)
	c, s := Client(a, client), Server(below, server)
	if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	defer c.Close()
	below.write.armed.Store(true)
	within(t, 10*time.Second, "Read", func() {
		if _, err := s.Read(make([]byte, 1)); err == nil {
			t.Error("the connection goes on")
		}
	})
	below.write.sprung(t)
	synctest.Wait() // until its goroutine has ended
	afterwards(t, "an idle server", s)
}

func slowHandshake(t *testing.T, fail func(), clock func() time.Time) {
	a, _ := memoryPipe()
	below := newBrittle(a, fail)
	client := testPKI().client()
	client.Time, client.HandshakeTimeout = clock, 50*time.Millisecond
	c := Client(below, client)
	below.close.armed.Store(true)
	within(t, 10*time.Second, "Handshake", func() {
		if err := c.Handshake(); err == nil {
			t.Error("the handshake is complete")
		}
	})
	below.close.sprung(t)
	c.Close()
}

func slowRenegotiation(t *testing.T, fail func(), clock func() time.Time) {
	client, server := renegotiable(uint16(wire.TLS12))
	client.Time, server.Time, client.HandshakeTimeout = clock, clock, 200*time.Millisecond
	a, b := memoryPipe()
	below := newBrittle(a, fail)
	c, s := Client(below, client), Server(b, server)
	if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	defer s.Close()
	below.close.armed.Store(true)
	within(t, 10*time.Second, "Renegotiate", func() { // the server does not read
		if err := c.Renegotiate(t.Context()); err == nil {
			t.Error("the renegotiation is complete")
		}
	})
	synctest.Wait() // until its goroutine has ended, which may be after Renegotiate
	below.close.sprung(t)
	afterwards(t, "a renegotiation", c)
}

// The same where a goroutine of ours sends what a further handshake asks for: by then
// it has sealed something, and the guard must not take that for the end.
func TestAnswersThatDoNotReturn(t *testing.T) {
	for how, fail := range ways {
		p := &trap{ours: true, fail: fail}
		client, server := askable(VersionTLS12)
		a, b := tcpPair(t)
		c, s := Client(a, client), Server(brittle{b, p, new(trap)}, server)
		if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		go io.Copy(io.Discard, c)
		p.armed.Store(true)
		var err error
		within(t, 10*time.Second, how, func() { err = s.RequestClientCertificate(context.Background()) })
		if p.hits.Load() != 1 || !tells(err) {
			t.Errorf("%s: after %d hits the call ends with %v", how, p.hits.Load(), err)
		}
		afterwards(t, how, s)
		c.Close()
	}
}
