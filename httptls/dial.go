package httptls

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync/atomic"
	"time"
)

// clientConn is a connection after its handshake, of a type that net/http does
// not take for its own TLS.
type clientConn struct {
	net.Conn
	state  tls.ConnectionState
	broken atomic.Pointer[error]
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

func (c *clientConn) proto() string {
	if c.state.NegotiatedProtocol == protoHTTP2 {
		return protoHTTP2
	}
	return protoHTTP1
}

// dialFor returns a connection on which the server agreed to proto. One of the
// other protocol is kept for the next try.
func (t *Transport) dialFor(ctx context.Context, proto, network, addr string) (net.Conn, error) {
	a := ctx.Value(attemptKey{}).(*attempt)
	c := a.takeSpare(proto)
	if c == nil {
		var err error
		if c, err = t.dial(ctx, a, network, addr); err != nil {
			return nil, err
		}
	}
	if c.proto() != proto {
		a.keep(c)
		return nil, errOtherProtocol
	}
	a.noteDialled(c)
	return c, nil
}

func (t *Transport) dial(ctx context.Context, a *attempt, network, addr string) (*clientConn, error) {
	raw, err := t.reach(ctx, a.request, network, addr)
	if err != nil {
		return nil, err
	}
	offer := t.offered
	if t.TLS != nil && len(t.TLS.NextProtos) > 0 {
		offer = t.TLS.NextProtos
	}
	if a.http1Only {
		offer = []string{protoHTTP1}
	}
	c, err := t.handshake(ctx, raw, addr, offer)
	if err == nil && !slices.Contains(t.offered, c.proto()) {
		c.Close()
		return nil, fmt.Errorf("httptls: %s speaks %s only, which Transport.HTTP.Protocols does not allow", addr, c.proto())
	}
	return c, err
}

// handshake runs TLS on raw, and closes raw if that fails.
func (t *Transport) handshake(ctx context.Context, raw net.Conn, addr string, offer []string) (*clientConn, error) {
	config := &tls.Config{}
	if t.TLS != nil {
		config = t.TLS.Clone()
	}
	config.NextProtos = offer
	if config.ServerName == "" {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			raw.Close()
			return nil, err
		}
		config.ServerName = host
	}
	if limit := t.settings.TLSHandshakeTimeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, &timeoutError{"with " + addr, limit})
		defer cancel()
	}
	watch := httptrace.ContextClientTrace(ctx)
	if watch != nil && watch.TLSHandshakeStart != nil {
		watch.TLSHandshakeStart()
	}
	conn := tls.Client(raw, config)
	err := conn.HandshakeContext(ctx)
	if err != nil {
		raw.Close()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
	}
	state := conn.ConnectionState()
	if watch != nil && watch.TLSHandshakeDone != nil {
		watch.TLSHandshakeDone(state, err)
	}
	if err != nil {
		return nil, err
	}
	return &clientConn{Conn: conn, state: state}, nil
}

// reach returns a transport connection to addr, through the proxy where the
// settings name one for the request.
func (t *Transport) reach(ctx context.Context, r *http.Request, network, addr string) (net.Conn, error) {
	var proxy *url.URL
	if t.settings.Proxy != nil {
		var err error
		if proxy, err = t.settings.Proxy(r); err != nil {
			return nil, err
		}
	}
	if proxy == nil {
		return t.connect(ctx, network, addr)
	}
	conn, err := t.reachProxy(ctx, proxy, network)
	if err == nil {
		err = t.tunnel(ctx, conn, proxy, addr)
	}
	if err != nil {
		return nil, fmt.Errorf("httptls: proxy %s: %w", proxy.Host, err)
	}
	return conn, nil
}

func (t *Transport) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if t.settings.DialContext != nil {
		return t.settings.DialContext(ctx, network, addr)
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

var proxyPorts = map[string]string{"http": "80", "https": "443"}

func (t *Transport) reachProxy(ctx context.Context, proxy *url.URL, network string) (net.Conn, error) {
	port, ok := proxyPorts[proxy.Scheme]
	if !ok {
		return nil, fmt.Errorf("the scheme %q is not supported, only http and https", proxy.Scheme)
	}
	if p := proxy.Port(); p != "" {
		port = p
	}
	addr := net.JoinHostPort(proxy.Hostname(), port)
	raw, err := t.connect(ctx, network, addr)
	if err != nil || proxy.Scheme == "http" {
		return raw, err
	}
	c, err := t.handshake(ctx, raw, addr, []string{protoHTTP1})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// maxProxyAnswer bounds the header of a proxy's answer.
const maxProxyAnswer = 64 << 10

// tunnel asks the proxy for a connection to addr (RFC 9110 §9.3.6), and closes
// conn if it does not get one.
func (t *Transport) tunnel(ctx context.Context, conn net.Conn, proxy *url.URL, addr string) (err error) {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() && err == nil {
			err = ctx.Err()
		}
		if err != nil {
			conn.Close()
		}
	}()
	header := t.settings.ProxyConnectHeader.Clone()
	if t.settings.GetProxyConnectHeader != nil {
		if header, err = t.settings.GetProxyConnectHeader(ctx, proxy, addr); err != nil {
			return err
		}
	}
	if header == nil {
		header = http.Header{}
	}
	if user := proxy.User; user != nil {
		password, _ := user.Password()
		header = header.Clone()
		header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Username()+":"+password)))
	}
	ask := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: addr}, Host: addr, Header: header}
	if err := ask.Write(conn); err != nil {
		return err
	}
	// What the buffer holds after the answer may be dropped: a TLS server does
	// not speak first.
	answer, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxProxyAnswer)), ask)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("it refused the connection to %s: %q", addr, answer.Status)
	}
	return nil
}
