package httptls

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/tls"
)

// isWebSocket reports whether r asks for WebSocket, which begins as HTTP/1.1
// only. RFC 6455 §4.1.
func isWebSocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket") &&
		slices.ContainsFunc(r.Header.Values("Connection"), func(v string) bool {
			return strings.Contains(strings.ToLower(v), "upgrade")
		})
}

// attempt is a request on its way. It travels in the request's context, which
// net/http hands to the dialling function.
type attempt struct {
	request *http.Request
	route   *route
	host    *host
	offer   []string      // by ALPN
	early   bool          // it may go as early data
	probe   chan struct{} // not nil: the request finds out which protocol the host speaks

	mu       sync.Mutex
	spare    *clientConn // dialled for it, but of the other protocol, so left at the host
	finished bool
	dialled  *clientConn // the last one dialled for the request
	used     *clientConn // the one it was sent on, which may be another
	body     *heldBody
}

type attemptKey struct{}

// newAttempt finds the request's way. Its proxy is worked out here, once: asked
// again, a function that picks one might pick another.
func (t *Transport) newAttempt(r *http.Request) (*attempt, error) {
	a := &attempt{request: r, offer: t.offer(), early: t.mayBeEarly(r)}
	var proxy *url.URL
	if t.settings.Proxy != nil {
		var err error
		if proxy, err = t.settings.Proxy(r); err != nil {
			return nil, err
		}
	}
	if isWebSocket(r) {
		a.offer = []string{protoHTTP1}
	}
	a.route, a.host = t.enter(proxy, r.URL.Host)
	return a, nil
}

// http2 reports whether the host may choose HTTP/2.
func (a *attempt) http2() bool { return slices.Contains(a.offer, protoHTTP2) }

// firstGuess returns the protocol to try first, perhaps once another request has
// found it out.
func (a *attempt) firstGuess(limited bool) (proto string, err error) {
	if !a.http2() {
		return protoHTTP1, nil
	}
	proto, a.probe, err = a.host.guess(a.request, limited)
	return proto, err
}

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
	a.host.found(a.probe) // only now does net/http share the connection, if it is one of HTTP/2
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

// keep leaves a connection to the next try, or to another request of the host.
func (a *attempt) keep(c *clientConn) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.finished || a.spare != nil {
		go c.Close()
		return
	}
	a.spare = c
	a.host.addSpare(c)
}

// finish ends what the last try left over: a connection that came when another
// had become free, and a body that nobody sent.
func (t *Transport) finish(a *attempt) {
	a.host.found(a.probe)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.finished = true
	if a.spare != nil && a.host.removeSpare(a.spare) {
		go a.spare.Close()
	}
	if a.body != nil {
		a.body.release()
	}
	t.leave(a.route)
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
