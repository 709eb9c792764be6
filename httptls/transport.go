package httptls

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// Transport is an [http.RoundTripper] for HTTP/1.1 and HTTP/2 over vitrine's
// TLS. Its zero value is ready to use. Its fields must not be changed after the
// first request. It is safe for concurrent use.
type Transport struct {
	// HTTP holds the settings as net/http knows them: proxies, timeouts, limits,
	// DialContext. It is copied at the first request; nil is
	// http.DefaultTransport, or a copy of what net/http has there where the
	// program replaced it. Its Protocols (nil: HTTP/1.1 and HTTP/2) choose what
	// is offered by ALPN. Proxies for https are reached by CONNECT over http or
	// https, or by SOCKS5 (socks5 and socks5h, which are the same). What belongs to crypto/tls is not used:
	// TLSClientConfig, TLSNextProto, DialTLS and DialTLSContext.
	HTTP *http.Transport

	// TLS is the configuration; nil is an empty one. An empty ServerName is the
	// request's host. An empty NextProtos means those of HTTP.Protocols.
	TLS *tls.Config

	once         sync.Once
	settings     *http.Transport
	offered      []string // by ALPN
	inner        map[string]*http.Transport
	proxyTimeout time.Duration // for tests; 0 is proxyTimeout's

	mu     sync.Mutex
	speaks map[string]string // the protocol a host chose last, by URL host
}

// errOtherProtocol tells RoundTrip that the server chose the other protocol.
var errOtherProtocol = errors.New("httptls: the server changed its choice of HTTP version during the request")

func (t *Transport) setup() {
	t.settings = baseSettings(t.HTTP)
	t.offered = protocols(t.settings.Protocols)
	t.speaks = make(map[string]string)
	t.inner = map[string]*http.Transport{
		protoHTTP1: t.innerTransport(protoHTTP1),
		protoHTTP2: t.innerTransport(protoHTTP2),
	}
}

// baseSettings returns a copy of users, of http.DefaultTransport where it is
// nil, and of what net/http puts there where that is another RoundTripper.
func baseSettings(users *http.Transport) *http.Transport {
	if users != nil {
		return users.Clone()
	}
	if usual, ok := http.DefaultTransport.(*http.Transport); ok && usual != nil {
		return usual.Clone()
	}
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		MaxIdleConns:          100,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
}

// innerTransport returns the transport that runs one protocol on connections
// which we dial. HTTP/2 is the one "with prior knowledge": net/http of Go 1.26
// starts it on no connection of ours otherwise.
func (t *Transport) innerTransport(proto string) *http.Transport {
	inner := t.settings.Clone()
	inner.TLSClientConfig, inner.TLSNextProto = nil, nil
	inner.ForceAttemptHTTP2 = false
	inner.Protocols = new(http.Protocols)
	inner.Protocols.SetHTTP1(proto == protoHTTP1)
	inner.Protocols.SetUnencryptedHTTP2(proto == protoHTTP2)
	inner.Proxy = func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme == "https" || t.settings.Proxy == nil {
			return nil, nil // dialTLS goes through the proxy itself
		}
		return t.settings.Proxy(r)
	}
	inner.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		return t.dialFor(ctx, proto, network, addr)
	}
	return inner
}

// CloseIdleConnections closes the connections that no request uses.
func (t *Transport) CloseIdleConnections() {
	t.once.Do(t.setup)
	for _, inner := range t.inner {
		inner.CloseIdleConnections()
	}
}

// RoundTrip sends a request and returns the response with its TLS state.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.once.Do(t.setup)
	if r.URL == nil || r.URL.Scheme != "https" {
		return t.inner[protoHTTP1].RoundTrip(r)
	}
	a := &attempt{request: r, http1Only: isWebSocket(r)}
	defer a.finish()
	proto := t.firstGuess(a)
	resp, err := t.inner[proto].RoundTrip(a.newRequest())
	// Twice: the first guess may be wrong, and so may be what a server chose
	// a moment ago, where several stand behind one name.
	for range 2 {
		if !errors.Is(err, errOtherProtocol) {
			break
		}
		proto = t.learn(a, proto)
		resp, err = t.inner[proto].RoundTrip(a.newRequest())
	}
	if err != nil {
		return nil, a.explain(err)
	}
	resp.Request = r
	resp.TLS = a.state()
	return resp, nil
}

func (t *Transport) firstGuess(a *attempt) string {
	if a.http1Only {
		return protoHTTP1
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return cmp.Or(t.speaks[a.request.URL.Host], protoHTTP1)
}

// learn notes that the host does not speak proto, and returns what it speaks.
func (t *Transport) learn(a *attempt, proto string) string {
	other := protoHTTP1
	if proto == protoHTTP1 {
		other = protoHTTP2
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.speaks[a.request.URL.Host] = other
	return other
}

// isWebSocket reports whether r asks for WebSocket, which begins as HTTP/1.1
// only. RFC 6455 §4.1.
func isWebSocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
		slices.ContainsFunc(r.Header.Values("Connection"), func(v string) bool {
			return strings.Contains(strings.ToLower(v), "upgrade")
		})
}

// attempt is a request on its way. It travels in the request's context, which
// net/http hands to the dialling function, and carries a connection over from
// the transport that dialled it to the one that can use it.
type attempt struct {
	request   *http.Request
	http1Only bool

	mu       sync.Mutex
	spare    *clientConn // dialled, but of the other protocol
	finished bool
	dialled  *clientConn // the last one dialled for the request
	used     *clientConn // the one it was sent on, which may be another
	body     *heldBody
}

type attemptKey struct{}

// newRequest returns the request for one try.
func (a *attempt) newRequest() *http.Request {
	ctx := context.WithValue(a.request.Context(), attemptKey{}, a)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: a.gotConn})
	r := a.request.WithContext(ctx)
	if r.Body != nil && r.Body != http.NoBody {
		a.mu.Lock()
		a.body = &heldBody{ReadCloser: r.Body, held: true}
		r.Body = a.body
		a.mu.Unlock()
	}
	return r
}

func (a *attempt) gotConn(info httptrace.GotConnInfo) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used, _ = info.Conn.(*clientConn)
	if a.body != nil {
		a.body.release()
	}
}

// explain adds to err why the connection broke, where err does not say so.
func (a *attempt) explain(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := cmp.Or(a.used, a.dialled)
	if c == nil {
		return err
	}
	if why := c.broken.Load(); why != nil && !errors.Is(err, *why) {
		return fmt.Errorf("%w (%w)", err, *why)
	}
	return err
}

func (a *attempt) state() *tls.ConnectionState {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used == nil {
		return nil
	}
	state := a.used.state
	return &state
}

func (a *attempt) noteDialled(c *clientConn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.dialled = c
}

// keep takes a connection for the next try.
func (a *attempt) keep(c *clientConn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.finished || a.spare != nil {
		go c.Close()
		return
	}
	a.spare = c
}

func (a *attempt) takeSpare(proto string) *clientConn {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.spare
	if c == nil || c.proto() != proto {
		return nil
	}
	a.spare = nil
	return c
}

// finish ends what the last try left over: a connection that came when another
// had become free, and a body that nobody sent.
func (a *attempt) finish() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.finished = true
	if a.spare != nil {
		go a.spare.Close()
	}
	if a.body != nil {
		a.body.release()
	}
}

// heldBody is a request's body that is not closed while held: net/http closes
// the body when dialling fails, but the next try has to send it.
type heldBody struct {
	io.ReadCloser
	mu           sync.Mutex
	held, closed bool
}

func (b *heldBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.held {
		return nil
	}
	return b.ReadCloser.Close()
}

func (b *heldBody) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.held && b.closed {
		b.ReadCloser.Close()
	}
	b.held = false
}
