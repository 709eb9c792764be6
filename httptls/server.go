package httptls

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

const (
	protoHTTP1  = "http/1.1"
	protoHTTP2  = "h2"
	protoHTTP10 = "http/1.0"

	defaultHandshakeTimeout = 10 * time.Second
	defaultMaxHandshakes    = 4096
)

// Server is an HTTPS server for HTTP/1.1 and HTTP/2. Its fields must not be
// changed after the first call of a method.
type Server struct {
	// HTTP is the server as net/http knows it: address, handler, timeouts and
	// hooks; nil is an empty one, which serves http.DefaultServeMux. Its
	// Protocols (nil: HTTP/1.1 and HTTP/2) choose what is offered by ALPN. Serve
	// takes it over: it sets Protocols and wraps Handler, ConnContext and
	// ConnState, whose connections are of type *tls.Conn. ConnState is told of a
	// connection before its handshake, and ConnContext after it. HTTP may also serve
	// listeners in the clear; their connections come to the hooks as they are.
	HTTP *http.Server

	// TLS is required and needs a certificate or a callback that finds one. It is not
	// changed, and servers may share it; its ticket keys may be rotated while they
	// run. An empty NextProtos means what HTTP.Protocols allow.
	TLS *tls.Config

	// HandshakeTimeout bounds the whole handshake; 0 is 10 seconds.
	HandshakeTimeout time.Duration

	// MaxHandshakes bounds the connections whose handshake runs, on all listeners
	// together; 0 is 4096. Those whose handshake has failed count for the half
	// second that they linger, so that the peer can read why. One connection more
	// ends the oldest that lingers, else the oldest handshake, so that peers which
	// connect and stay silent cannot shut out those which do not.
	MaxHandshakes int

	// OnHandshake, if not nil, is called when a handshake has ended, well or
	// not, before the connection is served, from many goroutines. Where it is
	// nil, failures are written to HTTP.ErrorLog. A panic in it costs the connection and
	// is written there too.
	OnHandshake func(Handshake)

	once     sync.Once
	setupErr error
	config   *tls.Config // TLS with NextProtos
	places   places
}

// Handshake is the outcome of a handshake.
type Handshake struct {
	// Conn is for asking about the connection, not for reading and writing.
	Conn     *tls.Conn
	Duration time.Duration
	// Err is nil for a completed handshake. A connection with early data may be served and
	// closed before, which is an error here, and is not logged.
	Err error
}

// ListenAndServe serves handler over HTTPS on the TCP address addr, ":443" if
// empty. It returns only with an error.
func ListenAndServe(addr string, handler http.Handler, config *tls.Config) error {
	return (&Server{HTTP: &http.Server{Addr: addr, Handler: handler}, TLS: config}).ListenAndServe()
}

// ListenAndServe serves on the TCP address HTTP.Addr, ":443" if empty. It
// returns as [Server.Serve] does.
func (s *Server) ListenAndServe() error {
	if err := s.setup(); err != nil {
		return err
	}
	addr := s.HTTP.Addr
	if addr == "" {
		addr = ":https"
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return s.Serve(l)
}

// Serve serves the connections that l accepts, on which TLS is yet to begin,
// until an error that lasts, or until Shutdown or Close: then it closes l and
// returns http.ErrServerClosed. It may run for several listeners.
func (s *Server) Serve(l net.Listener) error {
	if err := s.setup(); err != nil {
		l.Close()
		return err
	}
	return s.HTTP.Serve(s.newListener(l))
}

// Shutdown stops accepting, ends the handshakes that still run, waits for the
// requests in flight, and closes the connections. It returns ctx's error if that
// is done before. See [http.Server.Shutdown].
func (s *Server) Shutdown(ctx context.Context) error {
	s.setup() // only to have HTTP; its error is Serve's
	return s.HTTP.Shutdown(ctx)
}

// Close closes listeners and connections at once. See [http.Server.Close].
func (s *Server) Close() error {
	s.setup() // as in Shutdown
	return s.HTTP.Close()
}

func (s *Server) setup() error {
	s.once.Do(func() {
		if s.HTTP == nil {
			s.HTTP = &http.Server{}
		}
		if s.places.max = s.MaxHandshakes; s.places.max <= 0 {
			s.places.max = defaultMaxHandshakes
		}
		s.setupErr = s.takeOver()
	})
	return s.setupErr
}

// takeOver prepares HTTP and TLS. What would silently do nothing, or bring
// crypto/tls back in, is an error.
func (s *Server) takeOver() error {
	switch {
	case s.TLS == nil:
		return errors.New("httptls: Server.TLS is nil; it needs at least a certificate")
	case s.HTTP.TLSConfig != nil:
		return errors.New("httptls: http.Server.TLSConfig is crypto/tls's; set Server.TLS instead")
	case s.HTTP.TLSNextProto != nil:
		return errors.New("httptls: http.Server.TLSNextProto is crypto/tls's; choose versions of HTTP with Protocols instead")
	}
	users := s.HTTP.Protocols
	offered := protocols(users)
	if s.config = s.TLS; len(s.TLS.NextProtos) == 0 {
		names := offered
		if slices.Contains(offered, protoHTTP1) {
			names = append(slices.Clip(offered), protoHTTP10) // net/http answers in it too
		}
		s.config = s.TLS.ForProtocols(names...) // TLS is the caller's, and may be shared
	}
	served := new(http.Protocols)
	served.SetHTTP1(slices.Contains(offered, protoHTTP1))
	served.SetUnencryptedHTTP2(slices.Contains(s.config.NextProtos, protoHTTP2))
	s.HTTP.Protocols = served
	clearHTTP2 := users != nil && users.UnencryptedHTTP2()
	s.HTTP.Handler = restoreTLS(s.HTTP.Handler, clearHTTP2)
	s.HTTP.ConnContext = connContext(s.HTTP.ConnContext)
	s.HTTP.ConnState = connState(s.HTTP.ConnState)
	return nil
}

// protocols returns the ALPN names for what p allows over TLS, best first.
func protocols(p *http.Protocols) []string {
	if p == nil {
		return []string{protoHTTP2, protoHTTP1}
	}
	var names []string
	if p.HTTP2() {
		names = append(names, protoHTTP2)
	}
	if p.HTTP1() {
		names = append(names, protoHTTP1)
	}
	return names
}
