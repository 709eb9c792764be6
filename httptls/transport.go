package httptls

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// Transport is an [http.RoundTripper] for HTTP/1.1 and HTTP/2 over vitrine's
// TLS. Its zero value is ready to use. Its fields must not be changed after the
// first request. It is safe for concurrent use.
type Transport struct {
	// HTTP holds the settings as net/http knows them: proxies, timeouts, limits,
	// DialContext. Its Proxy is asked once for each request, and its limits on
	// connections hold for each proxy and version of HTTP by itself. As
	// in net/http, more requests over HTTP/2 than a server takes on one connection
	// open another, also beyond MaxConnsPerHost. It is copied at the first request; nil is
	// http.DefaultTransport, or a copy of what net/http has there where the
	// program replaced it. Its Protocols (nil: HTTP/1.1 and HTTP/2) choose what
	// is offered by ALPN. Proxies for https are reached by CONNECT over http or
	// https, or by SOCKS5 (socks5 and socks5h, which are the same). What belongs to crypto/tls is not used:
	// TLSClientConfig, TLSNextProto, DialTLS and DialTLSContext. Other schemes are those
	// that its RegisterProtocol was told of.
	HTTP *http.Transport

	// TLS is the configuration; nil is an empty one. An empty ServerName is the
	// request's host. An empty NextProtos means those of HTTP.Protocols.
	TLS *tls.Config

	// EarlyData sends requests with GET, HEAD or OPTIONS and without a body as early data (0-RTT)
	// over HTTP/1.1, which saves a round trip. TLS needs a ClientSessionCache with a session whose
	// ticket allows it. Anyone on the path can send them to the server again, which may do them
	// twice. What the server refuses is sent again behind the handshake, and a request
	// that it answers by 425 (Too Early) once. RFC 8470 §4, §5.2.
	EarlyData bool

	once         sync.Once
	settings     *http.Transport
	offered      []string        // by ALPN
	clear        *http.Transport // for http, perhaps through a proxy over TLS
	proxyTimeout time.Duration   // for tests; 0 is proxyTimeout's
	confirmed    atomic.Int32    // requests under way that must not go early

	mu     sync.Mutex
	routes recent[string, *route] // by the proxy's URL; empty: none
	hosts  recent[hostKey, *host]
}

// errOtherProtocol tells RoundTrip that the server chose the other protocol.
var errOtherProtocol = errors.New("httptls: the server changed its choice of HTTP version during the request")

func (t *Transport) setup() {
	t.settings = baseSettings(t.HTTP)
	t.offered = protocols(t.settings.Protocols)
	t.clear = t.innerTransport(protoHTTP1)
	t.clear.Proxy = t.settings.Proxy
	t.clear.DialTLSContext = t.dialProxy
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
	return inner
}

// CloseIdleConnections closes the connections that no request uses.
func (t *Transport) CloseIdleConnections() {
	t.once.Do(t.setup)
	t.mu.Lock()
	routes := t.routes.values()
	t.mu.Unlock()
	t.clear.CloseIdleConnections()
	for _, r := range routes {
		r.closeIdle()
	}
}

// RoundTrip sends a request and returns the response with its TLS state.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	t.once.Do(t.setup)
	switch {
	case r.URL != nil && r.URL.Scheme == "https":
	case r.URL != nil && r.URL.Scheme != "http" && t.HTTP != nil:
		return t.HTTP.RoundTrip(r) // perhaps it was registered there, and a copy does not have that
	default:
		return t.clear.RoundTrip(r)
	}
	a, err := t.newAttempt(r)
	if err != nil {
		closeBody(r)
		return nil, err
	}
	defer t.finish(a)
	proto, err := a.firstGuess(t.settings.MaxConnsPerHost > 0)
	if err != nil {
		closeBody(r)
		return nil, err
	}
	resp, err := a.send(proto)
	if err == nil && a.tooEarly(resp) {
		resp, err = t.again(a, resp)
	}
	if err != nil {
		return nil, a.explain(err)
	}
	resp.Request = r
	resp.TLS = a.state()
	return resp, nil
}

// send sends the request by proto first.
func (a *attempt) send(proto string) (*http.Response, error) {
	resp, err := a.route.inner[proto].RoundTrip(a.newRequest())
	// Twice: the first guess may be wrong, and so may be what a server chose
	// a moment ago, where several stand behind one name.
	for range 2 {
		if !errors.Is(err, errOtherProtocol) {
			break
		}
		proto = otherProtocol(proto)
		resp, err = a.route.inner[proto].RoundTrip(a.newRequest())
	}
	return resp, err
}

func otherProtocol(proto string) string {
	if proto == protoHTTP1 {
		return protoHTTP2
	}
	return protoHTTP1
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

// offer returns what is offered by ALPN.
func (t *Transport) offer() []string {
	if t.TLS != nil && len(t.TLS.NextProtos) > 0 {
		return t.TLS.NextProtos
	}
	return t.offered
}
