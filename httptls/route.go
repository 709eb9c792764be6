package httptls

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
)

// maxRoutes bounds the proxies that a Transport remembers; beyond it remain those
// which requests or connections use.
const maxRoutes = 64

// route is a way to servers: through one proxy, or through none. Each has net/http
// transports of its own, for they keep connections by the server's address alone.
type route struct {
	proxy *url.URL                   // nil: none
	inner map[string]*http.Transport // by protocol
	users int                        // requests, dials and open connections; guarded by Transport.mu
	gone  bool                       // forgotten; guarded by Transport.mu
}

func (t *Transport) newRoute(proxy *url.URL) *route {
	r := &route{proxy: proxy, inner: make(map[string]*http.Transport)}
	for _, proto := range []string{protoHTTP1, protoHTTP2} {
		inner := t.innerTransport(proto)
		inner.Proxy = nil // we go through it ourselves
		inner.DialTLSContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			return t.dialFor(ctx, proto, network, addr)
		}
		r.inner[proto] = inner
	}
	return r
}

func (r *route) closeIdle() {
	for _, inner := range r.inner {
		inner.CloseIdleConnections()
	}
}

// enter returns the way through proxy, which counts one user more, and what is
// known of the host there.
func (t *Transport) enter(proxy *url.URL, addr string) (*route, *host) {
	var via string
	if proxy != nil {
		via = proxy.String()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	r, known := t.routes.get(via)
	if !known {
		r = t.newRoute(proxy)
		t.routes.put(via, r)
		t.routes.trim(maxRoutes, func(old *route) bool {
			if old.users > 0 {
				go old.closeIdle() // and perhaps it can go the next time
				return false
			}
			old.gone = true
			return true
		})
	}
	r.users++
	key := hostKey{via, addr}
	h, known := t.hosts.get(key)
	if !known {
		h = new(host)
		t.hosts.put(key, h)
		t.hosts.trim(maxHosts, func(*host) bool { return true })
	}
	return r, h
}

// dialOn counts a dial in. A dial may begin after its request has ended.
func (t *Transport) dialOn(r *route) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if r.gone {
		return errors.New("httptls: the request of this dial has ended")
	}
	r.users++
	return nil
}

// leave counts a user out.
func (t *Transport) leave(r *route) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r.users--
}
