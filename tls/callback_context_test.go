package tls

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// A waiting callback is in a handshake's middle and waits for its context.
type waiting struct {
	in    chan struct{} // closed once it waits
	cause chan error    // why the context ended
	block bool
	asked context.Context
}

func (w *waiting) wait(ctx context.Context) error {
	w.asked = ctx
	if !w.block {
		return nil
	}
	close(w.in)
	select {
	case <-ctx.Done():
		w.cause <- context.Cause(ctx)
		return ctx.Err()
	case <-time.After(10 * time.Second):
		w.cause <- errors.New("the callback was never told")
		return errors.New("the test is over")
	}
}

func newWaiting() *waiting {
	return &waiting{in: make(chan struct{}), cause: make(chan error, 1), block: true}
}

// waitingCallbacks are those that are shown a context, each with the side it is on.
var waitingCallbacks = []struct {
	name   string
	client bool
	set    func(client, server *Config, w *waiting)
}{
	{"GetConfigForClient", false, func(_, server *Config, w *waiting) {
		server.GetConfigForClient = func(info *ClientHelloInfo) (*Config, error) { return nil, w.wait(info.Context()) }
	}},
	{"GetCertificate", false, func(_, server *Config, w *waiting) {
		cert := server.Certificates[0]
		server.Certificates = nil
		server.GetCertificate = func(info *ClientHelloInfo) (*Certificate, error) { return &cert, w.wait(info.Context()) }
	}},
	{"GetClientCertificate", true, func(client, server *Config, w *waiting) {
		server.ClientAuth = RequestClientCert
		client.GetClientCertificate = func(info *CertificateRequestInfo) (*Certificate, error) {
			return new(Certificate), w.wait(info.Context())
		}
	}},
}

type valueKey struct{}

// A callback that waits for its context waits no longer than the handshake may take,
// and is told why it ends.
func TestCallbacksAreToldOfTheEnd(t *testing.T) {
	mine := errors.New("mine")
	for _, end := range []struct {
		name        string
		set         func(*Config)
		run         func(c *Conn, in <-chan struct{}) error
		want, cause error
	}{
		{"HandshakeTimeout", func(c *Config) { c.HandshakeTimeout = 50 * time.Millisecond },
			func(c *Conn, _ <-chan struct{}) error { return c.Handshake() }, os.ErrDeadlineExceeded, os.ErrDeadlineExceeded},
		{"Close", nil, func(c *Conn, in <-chan struct{}) error {
			closed := make(chan struct{})
			go func() { defer close(closed); <-in; c.Close() }()
			defer func() { <-closed }()
			return c.Handshake()
		}, net.ErrClosed, net.ErrClosed},
		{"its context", nil, func(c *Conn, in <-chan struct{}) error {
			ctx, cancel := context.WithCancelCause(context.Background())
			go func() { <-in; cancel(mine) }()
			return c.HandshakeContext(ctx)
		}, context.Canceled, mine},
		{"a context that waits for it", nil, func(c *Conn, in <-chan struct{}) error {
			ctx, cancel := context.WithCancel(context.Background())
			go func() {
				<-in
				time.AfterFunc(20*time.Millisecond, cancel)
				c.HandshakeContext(ctx)
			}()
			return c.Handshake()
		}, context.Canceled, context.Canceled},
	} {
		for _, callback := range waitingCallbacks {
			for _, version := range bothVersions {
				t.Run(end.name+"/"+callback.name+"/"+VersionName(version), func(t *testing.T) {
					t.Parallel()
					client, server := testPKI().client(), testPKI().server("ecdsa-p256")
					at(version, client, server)
					w := newWaiting()
					callback.set(client, server, w)
					a, b := tcpPair(t)
					own, peer := Server(b, server), Client(a, client)
					if callback.client {
						own, peer = peer, own
					}
					if end.set != nil {
						end.set(own.config)
					}
					go peer.Handshake()
					var err error
					within(t, 5*time.Second, "the handshake", func() { err = end.run(own, w.in) })
					if !errors.Is(err, end.want) {
						t.Errorf("the handshake ends with %v, want %v", err, end.want)
					}
					if cause := <-w.cause; !errors.Is(cause, end.cause) {
						t.Errorf("the callback is told of %v, want %v", cause, end.cause)
					}
					if _, err := own.NetConn().Write([]byte{1}); !errors.Is(err, net.ErrClosed) {
						t.Errorf("the connection is open: %v", err)
					}
				})
			}
		}
	}
}

// The context has the values of the handshake's, and ends with the handshake.
func TestCallbacksContextEndsWithTheHandshake(t *testing.T) {
	for _, callback := range waitingCallbacks {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		w := newWaiting()
		w.block = false
		callback.set(client, server, w)
		a, b := memoryPipe()
		own, peer := Server(b, server), Client(a, client)
		if callback.client {
			own, peer = peer, own
		}
		go peer.Handshake()
		if err := own.HandshakeContext(context.WithValue(context.Background(), valueKey{}, "mine")); err != nil {
			t.Fatal(err)
		}
		if w.asked.Value(valueKey{}) != "mine" || w.asked.Err() != context.Canceled {
			t.Errorf("%s: the context has %v, and ended with %v", callback.name, w.asked.Value(valueKey{}), w.asked.Err())
		}
		own.Close()
		peer.Close()
	}
}

// Somebody else's handshake is waited for no longer than the context allows; then the
// connection is closed, as where the handshake is one's own.
func TestHandshakeContextOfOneThatWaits(t *testing.T) {
	for side, make := range sides {
		ours, _ := tcpPair(t)
		c := make(ours, nil)
		first := goHandshake(c)
		time.Sleep(20 * time.Millisecond)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		defer cancel()
		var err error
		within(t, 5*time.Second, "HandshakeContext", func() { err = c.HandshakeContext(ctx) })
		if err != context.DeadlineExceeded {
			t.Errorf("%s: the one that waits gets %v", side, err)
		}
		if err := <-first; err != context.DeadlineExceeded {
			t.Errorf("%s: the other one gets %v", side, err)
		}
	}
}

func goHandshake(c *Conn) <-chan error {
	done := make(chan error, 1)
	go func() { done <- c.Handshake() }()
	return done
}

// One that waits gets what the other one has got, and its context then has no power.
func TestHandshakeContextAfterWaiting(t *testing.T) {
	a, b := memoryPipe()
	c, s := Client(a, testPKI().client()), Server(b, testPKI().server("ecdsa-p256"))
	first := goHandshake(c)
	ctx, cancel := context.WithCancel(context.Background())
	second := make(chan error, 1)
	go func() { second <- c.HandshakeContext(ctx) }()
	time.Sleep(10 * time.Millisecond)
	if err := s.Handshake(); err != nil {
		t.Fatal(err)
	}
	for _, done := range []<-chan error{first, second} {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	exchange(t, c, s)
	c.Close()
	s.Close()
}

// The same inside a connection: in a renegotiation, and where TLS 1.3 asks for a
// certificate after the handshake.
func TestCallbacksAreToldOfTheEndInside(t *testing.T) {
	certificate := func(client, _ *Config, w *waiting) {
		client.GetClientCertificate = func(info *CertificateRequestInfo) (*Certificate, error) {
			return new(Certificate), w.wait(info.Context())
		}
	}
	hello := func(_, server *Config, w *waiting) {
		cert := server.Certificates[0]
		server.GetConfigForClient = func(info *ClientHelloInfo) (*Config, error) {
			next := server.Clone()
			next.GetConfigForClient, next.Certificates = nil, nil
			next.GetCertificate = func(info *ClientHelloInfo) (*Certificate, error) { return &cert, w.wait(info.Context()) }
			return next, nil
		}
	}
	byRequest := func(_ context.Context, _, s *Conn) error { return s.RequestClientCertificate(context.Background()) }
	byClient := func(ctx context.Context, c, _ *Conn) error { return c.Renegotiate(ctx) }
	byServer := func(ctx context.Context, _, s *Conn) error { return s.Renegotiate(ctx) }
	for _, middle := range []struct {
		name    string
		version uint16
		set     func(client, server *Config, w *waiting)
		client  bool // the callback is its
		own     bool // the handshake is begun by the side that has the callback
		begin   func(ctx context.Context, c, s *Conn) error
	}{
		{"a certificate that TLS 1.2 asks for", VersionTLS12, certificate, true, false, byRequest},
		{"a certificate that TLS 1.3 asks for", VersionTLS13, certificate, true, false, byRequest},
		{"the client's renegotiation, in the server", VersionTLS12, hello, false, false, byClient},
		{"the server's renegotiation, in the server", VersionTLS12, hello, false, true, byServer},
	} {
		for _, end := range []struct {
			name  string
			ours  bool // only where we have begun it
			set   func(*Config)
			end   func(own *Conn, cancel func())
			cause error
		}{
			{"HandshakeTimeout", false, func(c *Config) { c.HandshakeTimeout = 300 * time.Millisecond }, func(*Conn, func()) {}, os.ErrDeadlineExceeded},
			{"Close", false, nil, func(own *Conn, _ func()) { own.Close() }, net.ErrClosed},
			{"its context", true, nil, func(_ *Conn, cancel func()) { cancel() }, context.Canceled},
		} {
			if end.ours && !middle.own {
				continue
			}
			t.Run(middle.name+"/"+end.name, func(t *testing.T) {
				t.Parallel()
				client, server := askable(middle.version)
				server.Renegotiate.FromClient = true
				w := newWaiting()
				w.block = false
				middle.set(client, server, w)
				if end.set != nil {
					end.set(map[bool]*Config{true: client, false: server}[middle.client])
				}
				c, s := open(t, "TCP", client, server)
				w.block = true
				own, peer := s, c
				if middle.client {
					own, peer = c, s
				}
				go io.Copy(io.Discard, peer)
				over := make(chan error, 1)
				go func() { _, err := io.Copy(io.Discard, own); over <- err }()
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				go middle.begin(ctx, c, s)
				within(t, 5*time.Second, "the start", func() { <-w.in })
				within(t, 5*time.Second, "the end", func() { end.end(own, cancel) })
				if cause := <-w.cause; !errors.Is(cause, end.cause) {
					t.Errorf("the callback is told of %v, want %v", cause, end.cause)
				}
				within(t, 5*time.Second, "Read", func() {
					if err := <-over; err == nil {
						t.Error("the connection ended as if all were well")
					}
				})
			})
		}
	}
}
