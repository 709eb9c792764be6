package tls

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"
)

// endpoint is a connection of ours or of crypto/tls.
type endpoint interface {
	net.Conn
	HandshakeContext(context.Context) error
	CloseWrite() error
	ConnectionState() ConnectionState
}

// shake completes the handshake of both ends at once. An end that fails is
// closed, so that the other does not wait.
func shake(client, server endpoint) (clientErr, serverErr error) {
	done := make(chan error, 1)
	run := func(e endpoint) error {
		err := e.HandshakeContext(context.Background())
		if err != nil {
			e.Close()
		}
		return err
	}
	go func() { done <- run(server) }()
	clientErr = run(client)
	return clientErr, <-done
}

// connectInMemory is connect without sockets: what was written stays readable
// after Close, so that the last alert always arrives.
func connectInMemory(client, server *Config) (c, s *Conn, clientErr, serverErr error) {
	a, b := memoryPipe()
	c, s = Client(a, client), Server(b, server)
	clientErr, serverErr = shake(c, s)
	return c, s, clientErr, serverErr
}

// mustConnect returns the ends of a connection that is open.
func mustConnect(t testing.TB, client, server *Config) (c, s *Conn) {
	t.Helper()
	c, s, clientErr, serverErr := connectInMemory(client, server)
	if clientErr != nil || serverErr != nil {
		t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
	}
	t.Cleanup(func() { c.Close(); s.Close() })
	return c, s
}

// at sets both configs to one version.
func at(version uint16, configs ...*Config) {
	for _, c := range configs {
		c.MinVersion, c.MaxVersion = version, version
	}
}

var bothVersions = []uint16{VersionTLS12, VersionTLS13}

// memoryPipe returns two connected ends with a buffer of any size between them.
func memoryPipe() (a, b *memoryConn) { return narrowPipe(0) }

// narrowPipe has room for so many bytes under way in each direction; 0 for any.
func narrowPipe(room int) (a, b *memoryConn) {
	there, back := newStream(room), newStream(room)
	return &memoryConn{in: back, out: there}, &memoryConn{in: there, out: back}
}

type memoryConn struct{ in, out *stream }

func (c *memoryConn) Read(p []byte) (int, error)  { return c.in.read(p) }
func (c *memoryConn) Write(p []byte) (int, error) { return c.out.write(p) }
func (c *memoryConn) Close() error                { c.out.end(); c.in.abandon(); return nil }
func (c *memoryConn) LocalAddr() net.Addr         { return memoryAddr{} }
func (c *memoryConn) RemoteAddr() net.Addr        { return memoryAddr{} }

func (c *memoryConn) SetWriteDeadline(time.Time) error     { return nil } // it never blocks
func (c *memoryConn) SetReadDeadline(at time.Time) error   { c.in.setDeadline(at); return nil }
func (c *memoryConn) SetDeadline(deadline time.Time) error { return c.SetReadDeadline(deadline) }

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "" }

// stream is one direction.
type stream struct {
	mu               sync.Mutex
	more             sync.Cond
	data             []byte
	room             int
	ended, abandoned bool
	deadline         time.Time
}

func newStream(room int) *stream {
	s := &stream{room: room}
	s.more.L = &s.mu
	return s
}

func (s *stream) write(p []byte) (n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n < len(p) {
		if s.ended || s.abandoned && s.room > 0 {
			return n, net.ErrClosed
		}
		m := len(p) - n
		if s.room > 0 {
			m = min(m, s.room-len(s.data))
		}
		if m == 0 {
			s.more.Wait()
			continue
		}
		s.data = append(s.data, p[n:n+m]...)
		n += m
		s.more.Broadcast()
	}
	return n, nil
}

func (s *stream) read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.abandoned:
			return 0, net.ErrClosed
		case !s.deadline.IsZero() && !time.Now().Before(s.deadline):
			return 0, os.ErrDeadlineExceeded
		case len(s.data) > 0:
			n := copy(p, s.data)
			s.data = s.data[:copy(s.data, s.data[n:])]
			s.more.Broadcast()
			return n, nil
		case s.ended:
			return 0, io.EOF
		}
		s.more.Wait()
	}
}

func (s *stream) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.more.Broadcast()
}

func (s *stream) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.abandoned = true
	s.more.Broadcast()
}

func (s *stream) setDeadline(at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = at
	if !at.IsZero() {
		time.AfterFunc(time.Until(at)+time.Millisecond, s.more.Broadcast)
	}
}

func sendByte(c net.Conn) error {
	_, err := c.Write([]byte{1})
	return err
}
