package httptls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/tls"
)

// clientConn is a connection after its handshake, of a type that net/http does
// not take for its own TLS.
type clientConn struct {
	net.Conn
	state  tls.ConnectionState
	broken atomic.Pointer[error]
	early  atomic.Bool // its first request was taken as early data, and is not answered
	closed func()      // nil, or called by the first Close
}

// Read notes why the connection broke. In TLS 1.3 a server refuses a client's
// certificate after the client's side of the handshake is done, and net/http's
// HTTP/2 drops that reason.
func (c *clientConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, net.ErrClosed) {
		c.broken.Store(&err)
	}
	return n, err
}

func (c *clientConn) Close() error {
	if c.closed != nil {
		c.closed()
	}
	return c.Conn.Close()
}

func (c *clientConn) proto() string {
	if c.state.NegotiatedProtocol == protoHTTP2 {
		return protoHTTP2
	}
	return protoHTTP1
}

// dialFor returns a connection on which the server agreed to proto. One of the
// other protocol is kept for the next try.
func (t *Transport) dialFor(ctx context.Context, proto, network, addr string) (net.Conn, error) {
	a, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok {
		return nil, errors.New("httptls: a dial without its request")
	}
	c := a.host.takeSpare(proto)
	if c == nil {
		if a.http2() && a.host.speaksOther(proto) {
			return nil, errOtherProtocol // known since the request began
		}
		var err error
		if c, err = t.dial(ctx, a, network, addr); err != nil {
			return nil, err
		}
	}
	if a.http2() {
		a.host.learn(c.proto())
	}
	if c.proto() != proto {
		a.keep(c)
		return nil, errOtherProtocol
	}
	a.noteDialled(c)
	return c, nil
}

// dial returns a new connection, which counts as a user of its route until it is closed.
func (t *Transport) dial(ctx context.Context, a *attempt, network, addr string) (*clientConn, error) {
	if err := t.dialOn(a.route); err != nil {
		return nil, err
	}
	c, err := t.dialServer(ctx, a, network, addr)
	if err != nil {
		t.leave(a.route)
		return nil, err
	}
	c.closed = sync.OnceFunc(func() { t.leave(a.route) })
	return c, nil
}

func (t *Transport) dialServer(ctx context.Context, a *attempt, network, addr string) (*clientConn, error) {
	raw, err := t.reach(ctx, a.route.proxy, network, addr)
	if err != nil {
		return nil, err
	}
	if a.early && slices.Contains(a.offer, protoHTTP1) && (!a.http2() || a.host.speaksOther(protoHTTP2)) {
		return t.later(ctx, raw, addr), nil
	}
	c, err := t.handshake(ctx, raw, addr, a.offer)
	if err == nil && !slices.Contains(t.offered, c.proto()) {
		c.Conn.Close()
		return nil, fmt.Errorf("httptls: %s speaks %s only, which Transport.HTTP.Protocols does not allow", addr, c.proto())
	}
	return c, err
}

// handshake runs TLS on raw, and closes raw if that fails.
func (t *Transport) handshake(ctx context.Context, raw net.Conn, addr string, offer []string) (*clientConn, error) {
	conn := tls.Client(raw, t.clientConfig(addr, offer))
	state, err := t.shake(ctx, conn, addr, conn.HandshakeContext)
	if err != nil {
		return nil, err
	}
	return &clientConn{Conn: conn, state: state}, nil
}

// clientConfig is that of a connection to addr.
func (t *Transport) clientConfig(addr string, offer []string) *tls.Config {
	config := &tls.Config{}
	if t.TLS != nil {
		config = t.TLS // the caller's, and may be shared
	}
	config = config.ForProtocols(offer...)
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(addr) // as net/http and reachProxy have made it
	}
	return config
}

// shake has run do the handshake, and closes conn if that fails.
func (t *Transport) shake(ctx context.Context, conn *tls.Conn, addr string, run func(context.Context) error) (tls.ConnectionState, error) {
	if limit := t.settings.TLSHandshakeTimeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, &timeoutError{"the TLS handshake with " + addr, limit})
		defer cancel()
	}
	watch := httptrace.ContextClientTrace(ctx)
	if watch != nil && watch.TLSHandshakeStart != nil {
		watch.TLSHandshakeStart()
	}
	err := run(ctx)
	if err != nil {
		conn.NetConn().Close()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
	}
	state := conn.ConnectionState()
	if watch != nil && watch.TLSHandshakeDone != nil {
		watch.TLSHandshakeDone(state, err)
	}
	return state, err
}
