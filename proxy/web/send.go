package web

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/tls"
)

// quiet takes what net/http would write about clients' errors: Options.Failed is told.
var quiet = log.New(io.Discard, "", 0)

// exchange is one request on its way.
type exchange struct {
	route *Route
	body  *body // nil for none
}

type exchangeKey struct{}

func withExchange(ctx context.Context, e *exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, e)
}

func exchangeOf(ctx context.Context) *exchange {
	e, _ := ctx.Value(exchangeKey{}).(*exchange)
	return e
}

// mostPlaces is how many addresses are tried for one request.
const mostPlaces = 3

var errNoPlace = errors.New("the target has no address that is up")

// sender sends a request to one place after the other.
type sender struct{}

func (sender) RoundTrip(r *http.Request) (*http.Response, error) {
	e := exchangeOf(r.Context())
	places := e.route.Places()
	err := errNoPlace
	for _, at := range places[:min(len(places), mostPlaces)] {
		var resp *http.Response
		var begun bool
		if resp, begun, err = at.send(r, e.body); err == nil {
			return resp, nil
		}
		if r.Context().Err() != nil || begun && !repeatable(r) {
			break
		}
	}
	if e.body != nil {
		err = cmp.Or(e.body.failed(), err)
	}
	return nil, err
}

// repeatable reports whether a request that may have arrived can be sent again. RFC 9110 §9.2.2.
func repeatable(r *http.Request) bool {
	if r.Body != nil && r.Body != http.NoBody || r.Header.Get("Upgrade") != "" {
		return false
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	}
	return false
}

// send sends a request. begun reports that a part of it may have gone.
func (at *Place) send(r *http.Request, held *body) (resp *http.Response, begun bool, err error) {
	end := func(error) {}
	if at.Begin != nil {
		end = once(at.Begin())
	}
	var got atomic.Bool
	ctx := httptrace.WithClientTrace(r.Context(), &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Store(true) }})
	out := r.Clone(ctx)
	out.URL.Scheme, out.URL.Host = at.URL.Scheme, at.URL.Host
	if held != nil && r.Body != nil {
		out.Body, out.Trailer = keptOpen{held}, r.Trailer // the map that the body's end fills
	}
	resp, err = at.Transport.RoundTrip(out)
	if err != nil {
		end(err)
		return nil, got.Load(), err
	}
	if held != nil {
		held.answer()
	}
	resp.Request = r
	resp.Body = ending(resp.Body, end)
	return resp, true, nil
}

// keptOpen is a body for one try: the next may need it.
type keptOpen struct{ *body }

func (keptOpen) Close() error { return nil }

// ending calls end when a body is through. One that can be written to as well stays so.
func ending(b io.ReadCloser, end func(error)) io.ReadCloser {
	e := &ended{ReadCloser: b, end: end}
	if both, is := b.(io.ReadWriteCloser); is {
		return &endedBoth{ended: e, Writer: both}
	}
	return e
}

type ended struct {
	io.ReadCloser
	end func(error)
}

func (e *ended) Read(p []byte) (int, error) {
	n, err := e.ReadCloser.Read(p)
	if err == io.EOF {
		e.end(nil)
	} else if err != nil {
		e.end(err)
	}
	return n, err
}

func (e *ended) Close() error {
	err := e.ReadCloser.Close()
	e.end(nil)
	return err
}

type endedBoth struct {
	*ended
	io.Writer
}

// Transport returns what sends requests to one address, which dial connects to. With a
// configuration it speaks TLS, and HTTP/2 where the service does; without, HTTP/1.1 in the clear.
// A service has 60 s to begin its answer once it has the request. The caller closes idle connections in the end.
func Transport(dial func(context.Context) (net.Conn, error), over *tls.Config) http.RoundTripper {
	own := &http.Transport{
		DialContext:           func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		DisableCompression:    true, // what the client and the service agree on passes through
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       60 * time.Second,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: servicePatience,
		ExpectContinueTimeout: time.Second,
	}
	if over == nil {
		own.Protocols = new(http.Protocols)
		own.Protocols.SetHTTP1(true)
		return own
	}
	return &httptls.Transport{HTTP: own, TLS: over}
}

// once has the first call count.
func once(f func(error)) func(error) {
	var first sync.Once
	return func(err error) { first.Do(func() { f(err) }) }
}
