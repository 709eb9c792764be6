package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// Options are what a handler works by.
type Options struct {
	// HTTP is the listener's part of the configuration; nil is an empty one.
	HTTP *config.HTTP
	// Route returns where requests for a name go; nil for none. It is called with the name of
	// the request's Host, in lower case and without a port, and with the connection's server
	// name, if it has one. It is called from many goroutines.
	Route func(r *http.Request, name string) *Route
	// Failed, if not nil, is told why a request was not answered by a service behind. The id and
	// the status are in the answer that the client gets; what err says is not.
	Failed func(r *http.Request, id string, status int, err error)
	// IdleTimeout is how long a body of a request may bring nothing; 0 is 2 minutes.
	IdleTimeout time.Duration
	// BodyRate is how many bytes a second a client must bring of a request's body, averaged over 10 s in which the
	// proxy waits for it. 0 holds clients to 240, and only while Crowded reports that room runs short; a nil Crowded
	// never does.
	BodyRate int64
	Crowded  func() bool
}

// A Route is where requests for some names go.
type Route struct {
	// Rules are what decides on clients, as a value that can be compared: a connection for a
	// name with the same rules may carry requests for this one.
	Rules any
	// Allow, if not nil, judges the client of a request for a name, which is the one that Route
	// was called with for its Host. Its error is not shown to the client.
	Allow func(r *http.Request, name string) error
	// Pinned says that Allow lets in no certificate but by its key. So the one that a client has shown
	// is sent on although no authority vouches for it.
	Pinned bool
	// Places returns addresses of the target in the order in which to try them. At most three are tried.
	Places func() []Place
}

// A Place is one address of a target.
type Place struct {
	// URL has the scheme and host that requests are made for.
	URL       *url.URL
	Transport http.RoundTripper
	// Begin, if not nil, is called when a request is sent there; what it returns is called
	// once, when the answer with its body is through, or with why there is none.
	Begin func() (end func(err error))
}

const defaultIdleTimeout = 2 * time.Minute

// servicePatience is how long a service may take nothing of a request, or not begin its answer.
const servicePatience = 60 * time.Second

// handler is an http.Handler.
type handler struct {
	Options
	trust    trust
	hsts     string
	reverse  *httputil.ReverseProxy
	patience time.Duration // with a service that takes nothing of a request
	grace    time.Duration // for a client that brings too little
}

// New makes a handler of HTTP mode, or says what is wrong with the configuration.
func New(o Options) (http.Handler, error) {
	if o.HTTP == nil {
		o.HTTP = new(config.HTTP)
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = defaultIdleTimeout
	}
	switch o.HTTP.ClientCert {
	case "", "off", "leaf", "chain":
	default:
		return nil, fmt.Errorf("client-cert: %q is not one of off, leaf and chain", o.HTTP.ClientCert)
	}
	h := &handler{Options: o, hsts: hstsOf(o.HTTP), patience: servicePatience, grace: bodyGrace}
	var err error
	if h.trust, err = newTrust(o.HTTP.ForwardedFrom); err != nil {
		return nil, fmt.Errorf("forwarded-from: %w", err)
	}
	h.reverse = &httputil.ReverseProxy{
		Rewrite: h.rewrite, Transport: sender{}, ModifyResponse: h.answer, ErrorHandler: h.failed,
		FlushInterval: 100 * time.Millisecond, // answers of unknown length are flushed at once
		BufferPool:    buffers{},
		ErrorLog:      quiet,
	}
	return h, nil
}

// mostStreams bounds the requests at the same time on one connection of HTTP/2: each takes a
// connection to a service. RFC 9113 §6.5.2 recommends no less.
const mostStreams = 100

// Server returns a server for a handler of HTTP mode, with limits against slow and large
// requests: 10 s for a header of at most 64 KB, and 2 minutes between requests. Bodies have no
// limit but that they go on, and how fast: see Options.
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: quiet,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: mostStreams},
	}
}

// ServeHTTP answers a request.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Opaque != "" { // a target such as x:@other/, which a service could take for another's
		h.refuse(w, r, http.StatusBadRequest, fmt.Errorf("the target %q has no form that services know", r.RequestURI))
		return
	}
	if r.Method == http.MethodConnect {
		h.refuse(w, r, http.StatusMethodNotAllowed, errors.New("CONNECT is for forward proxies"))
		return
	}
	name := nameOf(r.Host)
	route := h.Route(r, name)
	if route == nil {
		h.refuse(w, r, http.StatusMisdirectedRequest, fmt.Errorf("no route is for the host %q", name))
		return
	}
	if r.TLS != nil && r.TLS.ServerName != "" && nameOf(r.TLS.ServerName) != name {
		if other := h.Route(r, nameOf(r.TLS.ServerName)); other == nil || other.Rules != route.Rules {
			h.refuse(w, r, http.StatusMisdirectedRequest, fmt.Errorf("the host %q has other rules than %q, for which the connection was made", name, r.TLS.ServerName))
			return
		}
	}
	if route.Allow != nil {
		if err := route.Allow(r, name); err != nil {
			h.refuse(w, r, http.StatusForbidden, err)
			return
		}
	}
	e := &exchange{route: route}
	ctx, cancel := context.WithCancel(withExchange(r.Context(), e))
	defer cancel()
	if r.Body != nil && r.Body != http.NoBody {
		e.body = newBody(r, http.NewResponseController(w), h.IdleTimeout, h.patience, h.newPace(h.grace), cancel)
		defer e.body.end()
		r.Body = e.body
	}
	h.reverse.ServeHTTP(w, r.WithContext(ctx))
}

// nameOf is the name in a Host: in lower case, without port and final dot.
func nameOf(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

// answer readies a response on its way to the client.
func (h *handler) answer(resp *http.Response) error {
	if h.hsts != "" && resp.Request.TLS != nil {
		resp.Header.Set("Strict-Transport-Security", h.hsts)
	}
	return nil
}

// hstsOf is the value of Strict-Transport-Security; empty for none. RFC 6797 §6.1.
func hstsOf(c *config.HTTP) string {
	if c.HSTS <= 0 {
		return ""
	}
	value := fmt.Sprintf("max-age=%d", int64(time.Duration(c.HSTS)/time.Second))
	if c.HSTSSubdomains {
		value += "; includeSubDomains"
	}
	if c.HSTSPreload {
		value += "; preload"
	}
	return value
}

// buffers are what answers are copied through.
type buffers struct{}

const bufferSize = 32 << 10

var bufferPool = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

func (buffers) Get() []byte  { return *bufferPool.Get().(*[]byte) }
func (buffers) Put(b []byte) { bufferPool.Put(&b) }
