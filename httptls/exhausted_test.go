package httptls

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// pipes is a listener of connections in memory, so that tests with it run in a
// bubble of testing/synctest. Once those have come it has only errors.
type pipes struct {
	conns chan net.Conn
	err   error // nil: it waits for the next connection

	once   sync.Once
	closed chan struct{}
}

// newPipes returns the listener of n connections, and their clients' ends.
func newPipes(n int, err error) (l *pipes, clients []net.Conn) {
	l = &pipes{conns: make(chan net.Conn, n), err: err, closed: make(chan struct{})}
	for range n {
		client, server := net.Pipe()
		l.conns <- server
		clients = append(clients, client)
	}
	return l, clients
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	default:
	}
	if l.err != nil {
		return nil, l.err
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *pipes) Close() error   { l.once.Do(func() { close(l.closed) }); return nil }
func (l *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// server is ours, or net/http's.
type server interface {
	Serve(net.Listener) error
	Close() error
}

// serveOn runs s on l within a bubble, until stop. What ends by itself has time for it before and after:
// net/http closes connections under its lock, and for those that wait for that the bubble's clock stands still.
func serveOn(t *testing.T, s server, l net.Listener) (stop func()) {
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	return func() {
		time.Sleep(5 * time.Second)
		s.Close()
		time.Sleep(5 * time.Second)
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
	}
}

// Where no descriptors are left, connections that are accepted already are served
// at once: they are what frees descriptors.
func TestExhaustionHoldsUpNoHandshake(t *testing.T) {
	config, trust := serverConfig(t), clientConfig()
	trust.ServerName, trust.Time = "localhost", clockOutside()
	synctest.Test(t, func(t *testing.T) {
		l, clients := newPipes(1, &net.OpError{Op: "accept", Err: syscall.EMFILE})
		stop := serveOn(t, &Server{TLS: config, HTTP: &http.Server{
			Handler: http.HandlerFunc(describe), ErrorLog: log.New(io.Discard, "", 0)}}, l)
		time.Sleep(3*time.Second + 100*time.Millisecond) // until the pauses are long
		begun := time.Now()
		conn := tls.Client(clients[0], trust)
		io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
		answer, err := io.ReadAll(conn)
		if took := time.Since(begun); err != nil || len(answer) == 0 || took > 0 {
			t.Errorf("%q, %v, after %v", answer, err, took)
		}
		conn.Close()
		stop()
	})
}

// A client of HTTP/2 that says nothing after its handshake, or not enough, is
// dropped as net/http drops it, and one that has sent its preface may be silent.
func TestSilentHTTP2ClientIsDropped(t *testing.T) {
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	config, trust := serverConfig(t), clientConfig()
	trust.ServerName, trust.NextProtos, trust.Time = "localhost", []string{"h2"}, clockOutside()
	for sent, want := range map[string]time.Duration{
		"":           prefaceTimeout,
		preface[:23]: prefaceTimeout,
		preface + "\x00\x00\x00\x04\x00\x00\x00\x00\x00": time.Minute,
	} {
		synctest.Test(t, func(t *testing.T) {
			l, clients := newPipes(1, nil)
			stop := serveOn(t, &Server{TLS: config, HTTP: &http.Server{ErrorLog: log.New(io.Discard, "", 0)}}, l)
			begun := time.Now()
			conn := tls.Client(clients[0], trust)
			if _, err := io.WriteString(conn, sent); err != nil {
				t.Error(err)
			}
			conn.SetReadDeadline(begun.Add(time.Minute))
			io.Copy(io.Discard, conn)
			if took := time.Since(begun); took != want {
				t.Errorf("after %q the connection lasted %v, want %v", sent, took, want)
			}
			clients[0].Close()
			stop()
		})
	}
}

// clockOutside returns a clock that stands at the time of now. A bubble's clock
// begins long before the test's certificates do.
func clockOutside() func() time.Time {
	now := time.Now()
	return func() time.Time { return now }
}
