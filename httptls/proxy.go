package httptls

import (
	"bufio"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// reach returns a transport connection to addr, through the proxy unless it is nil.
func (t *Transport) reach(ctx context.Context, proxy *url.URL, network, addr string) (net.Conn, error) {
	if proxy == nil {
		return t.connect(ctx, network, addr)
	}
	conn, err := t.throughProxy(ctx, proxy, network, addr)
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

// proxyPorts are the ports of proxies whose URL names none. A URL without a scheme
// means http, as in net/http.
var proxyPorts = map[string]string{"": "80", "http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// throughProxy returns a connection to addr that the proxy has made.
func (t *Transport) throughProxy(ctx context.Context, proxy *url.URL, network, addr string) (net.Conn, error) {
	port, ok := proxyPorts[proxy.Scheme]
	if !ok {
		return nil, fmt.Errorf("the scheme %q is not supported, only http, https, socks5 and socks5h", proxy.Scheme)
	}
	at := net.JoinHostPort(proxy.Hostname(), cmp.Or(proxy.Port(), port))
	var conn net.Conn
	var err error
	switch proxy.Scheme {
	case "socks5", "socks5h":
		return t.socks(ctx, proxy.User, network, at, addr)
	case "https":
		conn, err = t.dialProxy(ctx, network, at)
	default:
		conn, err = t.connect(ctx, network, at)
	}
	if err != nil {
		return nil, err
	}
	return conn, t.tunnel(ctx, conn, proxy, addr)
}

// dialProxy returns a connection over TLS to the proxy at addr, for HTTP/1.1.
func (t *Transport) dialProxy(ctx context.Context, network, addr string) (net.Conn, error) {
	raw, err := t.connect(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c, err := t.handshake(ctx, raw, addr, []string{protoHTTP1})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// A proxy's answer has a header of so many bytes at most, and comes within this time.
// The request's own end does not end a dial: net/http keeps what comes of it for
// another.
const (
	maxProxyAnswer = 64 << 10
	proxyTimeout   = time.Minute
)

// tunnel asks the proxy for a connection to addr (RFC 9110 §9.3.6), and closes
// conn if it does not get one.
func (t *Transport) tunnel(ctx context.Context, conn net.Conn, proxy *url.URL, addr string) (err error) {
	limit := cmp.Or(t.proxyTimeout, proxyTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &timeoutError{"the proxy's answer", limit})
	defer cancel()
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() {
			err = context.Cause(ctx)
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
		return &answerError{err}
	}
	if decide := t.settings.OnProxyConnectResponse; decide != nil {
		if err := decide(ctx, proxy, ask, answer); err != nil {
			return err
		}
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("it refused the connection to %s: %q", addr, clip(answer.Status))
	}
	return nil
}

// answerError is why a proxy's answer could not be read. The errors of net/http repeat
// what came, as it came.
type answerError struct{ err error }

func (e *answerError) Error() string {
	return fmt.Sprintf("no answer of HTTP came: %q", clip(e.err.Error()))
}
func (e *answerError) Unwrap() error { return e.err }

// clip bounds what a peer can write into a log.
func clip(s string) string {
	const most = 120
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
