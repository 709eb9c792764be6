package proxy

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/proxy/web"
	"github.com/vitrine-tls/vitrine/tls"
)

// httpSide serves the connections of a door in HTTP mode.
type httpSide struct {
	door   *door
	over   *httptls.Server // nil in the clear
	server *http.Server
	inbox  *inbox
	routes map[*route]*web.Route
	handle http.Handler
	links  sync.Map // by the socket, net.Conn to *link
}

// linkKey is what a request's link is found by in its context.
type linkKey struct{}

func linkOf(ctx context.Context) *link {
	l, _ := ctx.Value(linkKey{}).(*link)
	return l
}

func (n *plan) newHTTP(d *door) (*httpSide, error) {
	h := &httpSide{door: d, inbox: newInbox(), routes: make(map[*route]*web.Route)}
	for _, r := range append(d.routes[:len(d.routes):len(d.routes)], d.fallback) {
		if r != nil && !r.passthrough {
			h.routes[r] = h.route(r)
		}
	}
	var err error
	h.handle, err = web.New(web.Options{
		HTTP: d.config.HTTP, IdleTimeout: d.idleTimeout, BodyRate: int64(n.config.Limits.BodyRate), Crowded: n.p.limits.crowded, Failed: n.p.requestFailed,
		Route: func(r *http.Request, name string) *web.Route { return h.routes[d.route(name, protocolOf(r))] },
	})
	if err != nil {
		return nil, err
	}
	h.server = web.Server(http.HandlerFunc(h.serve))
	h.server.ConnContext = h.connContext
	h.server.ConnState = h.state
	if d.idleTimeout > 0 {
		h.server.IdleTimeout = min(h.server.IdleTimeout, d.idleTimeout)
	}
	if d.tls != nil {
		h.over = &httptls.Server{HTTP: h.server, TLS: d.tls, HandshakeTimeout: d.handshakeTimeout, OnHandshake: h.shaken}
	}
	return h, nil
}

// requestFailed tells the hooks of a request that this proxy answers itself.
func (p *Proxy) requestFailed(r *http.Request, id string, status int, err error) {
	if l := linkOf(r.Context()); l != nil && p.hooks.RequestFailed != nil {
		l.mutex.Lock() // the handshake of a request in early data may end at the same time
		defer l.mutex.Unlock()
		p.hooks.RequestFailed(&l.About, event.Request{ID: id, Method: r.Method, Host: r.Host, Path: r.URL.Path, Status: status, Err: err})
	}
}

func protocolOf(r *http.Request) []string {
	if r.TLS == nil {
		return nil
	}
	return []string{r.TLS.NegotiatedProtocol}
}

// arrive says that the first request is being answered, or that the connection ends.
func (l *link) arrive() {
	if l.arriving.Load() && l.arriving.Swap(false) {
		l.p.arriving.Done()
	}
}

// firstRequest is how long a stop waits for the first request of a client that is connected. It
// is what net/http has.
const firstRequest = 5 * time.Second

func (l *link) arriveSoon() { time.AfterFunc(firstRequest, l.arrive) }

// run serves what take gives, until close.
func (h *httpSide) run() {
	if h.over != nil {
		_ = h.over.Serve(h.inbox) // it says that it was closed
		return
	}
	_ = h.server.Serve(h.inbox)
}

// take serves the connection of a link, which ends with it.
func (h *httpSide) take(l *link) {
	if h.over == nil {
		l.client.SetDeadline(noDeadline)
	}
	h.links.Store(l.client, l)
	if !h.inbox.put(l.client) {
		h.links.Delete(l.client)
		l.end(errStopped)
	}
}

func (h *httpSide) linkAt(c net.Conn) *link {
	l, _ := h.links.Load(below(c))
	found, _ := l.(*link)
	return found
}

// connContext is that of a connection's requests. It ends with the link, or when that is cut off.
func (h *httpSide) connContext(ctx context.Context, c net.Conn) context.Context {
	l := h.linkAt(c)
	ctx, cancel := context.WithCancel(context.WithValue(ctx, linkKey{}, l))
	if l != nil {
		if h.over != nil {
			h.delivered(l, c)
		}
		l.delivered.Store(true)
		if l.p.stopping.Load() {
			l.arriveSoon()
		}
	}
	if l == nil || !l.abortWith(cancel) {
		cancel()
		return ctx
	}
	l.watchIdle()
	return ctx
}

// request counts a request in. A connection has room for one; each beside it takes a place in
// limits.connections, as it takes a connection to a target.
func (l *link) request() (done func(), why event.Reason) {
	leave := func() { l.requests.Add(-1) }
	if l.requests.Add(1) == 1 {
		return leave, ""
	}
	if why = l.p.limits.enter(); why != "" {
		leave()
		return nil, why
	}
	return func() { l.p.limits.leave(); leave() }, ""
}

// betweenRequests reports that a connection of HTTP mode waits for its client's next request.
func (l *link) betweenRequests() bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.requests.Load() == 0 && !l.cutOff
}

// shaken is told of each handshake.
func (h *httpSide) shaken(s httptls.Handshake) {
	l := h.linkAt(s.Conn)
	if l == nil {
		return
	}
	l.mutex.Lock()
	over := l.cutOff && l.delivered.Load() // it was served in early data, and its end is told of
	if l.client != net.Conn(s.Conn) {
		l.client = s.Conn
	}
	l.failed = s.Err
	l.mutex.Unlock()
	if over {
		return
	}
	_ = l.tell(s.Conn, s.Duration, s.Err)
}

// delivered is told that requests of a connection come next. They may be early: then its handshake
// is told of while they are served.
func (h *httpSide) delivered(l *link, c net.Conn) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.client != c {
		l.client = c
	}
	below(c).SetDeadline(noDeadline) // httptls has one for the rest of a handshake
}

// state is told what becomes of each connection.
func (h *httpSide) state(c net.Conn, s http.ConnState) {
	if s != http.StateClosed {
		return
	}
	if l := h.linkAt(c); l != nil {
		h.links.Delete(below(c))
		l.mutex.Lock()
		failed := l.failed
		l.mutex.Unlock()
		l.end(failed)
	}
}

// serve answers a request by the rules that are in force now.
func (h *httpSide) serve(w http.ResponseWriter, r *http.Request) {
	l := linkOf(r.Context())
	if l == nil {
		w.WriteHeader(http.StatusServiceUnavailable) // the connection has gone
		return
	}
	l.arrive()
	now := h
	if l.socket.closed.Load() { // a reload has taken the listener out, or the proxy stops
		w.Header().Set("Connection", "close")
	}
	if d := l.socket.door.Load(); d != h.door {
		w.Header().Set("Connection", "close") // the next one is made under the new rules
		if d.http != nil && !sameClients(d, h.door) {
			http.Error(w, "The rules for clients have changed. Make a new connection.", http.StatusMisdirectedRequest)
			return
		}
		if d.http != nil {
			now = d.http
		}
	}
	if l.About.Peer != l.client.RemoteAddr() {
		r.RemoteAddr = l.About.Peer.String()
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, l.local))
	}
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = countedBody{r.Body, l}
	}
	done, why := l.request()
	if why != "" {
		l.p.refuse(l.About.Listener, l.About.Peer, why, errors.New("a request beside others on one connection finds no room"))
		w.Header().Set("Retry-After", "1")
		http.Error(w, "Too much is under way at the moment.", http.StatusServiceUnavailable)
		return
	}
	defer done()
	counted := &countedWriter{ResponseWriter: w, l: l}
	defer func() {
		if counted.hijacked { // net/http tells no more of it
			h.links.Delete(below(l.client))
			l.end(nil)
		}
	}()
	now.handle.ServeHTTP(counted, r)
}

// sameClients reports that a client which one side has let in would be judged alike by the other.
// What was loaded decides: a file may have changed under its name. Pre-shared keys and
// revocation lists are not compared, so that clients always prove themselves again.
func sameClients(a, b *door) bool {
	if a.tls == nil || b.tls == nil {
		return a.tls == b.tls
	}
	for _, c := range []*config.ServerTLS{a.config.TLS, b.config.TLS} {
		if c.PSKFile != "" || len(c.CRL) > 0 {
			return false
		}
	}
	return a.tls.ClientAuth == b.tls.ClientAuth && a.tls.ClientCAs.Equal(b.tls.ClientCAs) && a.config.TLS.Revocation == b.config.TLS.Revocation
}

// route is what package web knows of a route.
func (h *httpSide) route(r *route) *web.Route {
	places := r.target.webPlaces()
	own := &web.Route{Rules: r.allow, Pinned: r.allow != nil && r.allow.PinsOnly(), Places: func() []web.Place {
		var list []web.Place
		for _, at := range r.target.order() {
			list = append(list, places[at])
		}
		return list
	}}
	if r.allow != nil {
		own.Allow = func(req *http.Request, name string) error {
			if err := httptls.Confirm(req); err != nil { // what is early may be a copy: nobody knows who sends it
				return err
			}
			return linkOf(req.Context()).allowed(r, name)
		}
	}
	return own
}

// allowed judges the client for a name, once as long as neither that nor the rules change. The
// name is the request's: one connection carries requests for several.
func (l *link) allowed(r *route, name string) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.cutOff { // the hooks that were told of the end read About without the mutex
		return errStopped
	}
	if l.admitted == (admission{r.allow, name}) {
		return nil
	}
	var state tls.State
	if conn, is := l.client.(*tls.Conn); is {
		state = conn.State()
		state.ServerName = name
	}
	identity, err := r.admit(state, l.About.Peer)
	if err != nil {
		l.p.refuse(l.About.Listener, l.About.Peer, event.NotAllowed, err)
		return err
	}
	l.admitted, l.About.Identity = admission{r.allow, name}, identity
	return nil
}

// webPlaces are the addresses of a target as package web takes them.
func (t *target) webPlaces() map[*place]web.Place {
	all := make(map[*place]web.Place)
	for _, at := range t.places {
		host := at.address
		if at.network == "unix" {
			host = "localhost"
		}
		scheme := "http"
		if at.tls != nil {
			scheme = "https"
		}
		if at.web == nil {
			at.web = web.Transport(func(ctx context.Context) (net.Conn, error) { return t.dialFor(ctx, at) }, at.tls)
		}
		all[at] = web.Place{URL: &url.URL{Scheme: scheme, Host: host}, Transport: at.web, Begin: func() func(error) {
			at.active.Add(1)
			return func(error) { at.leave() }
		}}
	}
	return all
}

// inbox is a listener for connections that were accepted elsewhere.
type inbox struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newInbox() *inbox { return &inbox{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (b *inbox) put(conn net.Conn) bool {
	select {
	case b.conns <- conn:
		return true
	case <-b.closed:
		return false
	}
}

func (b *inbox) Accept() (net.Conn, error) {
	select {
	case conn := <-b.conns:
		return conn, nil
	case <-b.closed:
		return nil, net.ErrClosed
	}
}

func (b *inbox) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func (b *inbox) Addr() net.Addr { return &net.UnixAddr{Name: "inbox", Net: "unix"} }
