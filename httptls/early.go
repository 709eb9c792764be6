package httptls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// Requests in early data (0-RTT), RFC 8470. A server with [tls.Config].EarlyData serves them for
// the protocols listed there. They may be copies of what somebody has recorded. So
// before the client has proved that it is there, only a request with a safe method and no
// body is served, with the header "Early-Data: 1". A handler that must not do such a request twice
// answers 425 (Too Early), or calls [Confirm]. All others wait for the rest of the handshake, and so
// does one that asks for another protocol, and a handler that hijacks the connection.

const earlyHeader = "Early-Data"

// unconfirmed is a connection whose client sends early data.
type unconfirmed struct {
	*tls.EarlyConn
	report func(Handshake)
	begun  time.Time
	place  *place      // among the handshakes of the Server
	limit  *time.Timer // HandshakeTimeout

	why   atomic.Pointer[error] // the handshake was ended, or the connection closed
	over  bool                  // the early data has all been read
	turn  sync.Mutex            // of the call that goes on with the handshake
	ended bool                  // guarded by turn, as err is
	err   error
	mu    sync.Mutex
	state *tls.ConnectionState // once the handshake is complete
}

// wait returns a connection that has early data. It keeps its place, and HandshakeTimeout goes on,
// until the handshake has ended.
func (l *listener) wait(early *tls.EarlyConn, p *place, begun time.Time) *unconfirmed {
	u := &unconfirmed{EarlyConn: early, begun: begun, place: p}
	u.report = func(h Handshake) { l.guarded("OnHandshake", h.Conn, func() { l.report(h) }) }
	u.turn.Lock() // the time may be up already
	u.limit = time.AfterFunc(l.timeout-time.Since(begun), func() {
		u.end(&timeoutError{"the TLS handshake with a client", l.timeout})
	})
	u.turn.Unlock()
	if !p.keep(func() { go u.end(errCrowdedOut) }) {
		u.end(errCrowdedOut)
	}
	return u
}

var errClosedEarly = errors.New("httptls: the connection was closed after early data, before the handshake was complete")

// closed has the end of the handshake told of, and what it keeps given back, once the connection is closed.
// It does not wait: OnHandshake may be what closes the server.
func (u *unconfirmed) closed() {
	if u.confirmed() == nil {
		u.why.CompareAndSwap(nil, &errClosedEarly)
		go u.confirm()
	}
}

// end ends a handshake that is not complete, with the connection.
func (u *unconfirmed) end(why error) {
	if u.confirmed() == nil && u.why.CompareAndSwap(nil, &why) {
		u.Conn().Close()
		u.confirm()
	}
}

// confirm waits for the rest of the handshake, and tells of it. net/http sets deadlines, also to have
// a Read of its own return: where one passes, the handshake has not ended, and the next call goes on with it.
func (u *unconfirmed) confirm() error {
	u.turn.Lock()
	defer u.turn.Unlock()
	if u.ended {
		return u.err
	}
	err := u.handshake()
	why := u.why.Load()
	if passed, is := err.(net.Error); is && passed.Timeout() && why == nil {
		return err
	}
	if err != nil && why != nil {
		err = fmt.Errorf("%w (%w)", *why, err)
	}
	if err == nil {
		state := u.Conn().ConnectionState()
		u.mu.Lock()
		u.state = &state
		u.mu.Unlock()
	}
	u.ended, u.err = true, err
	u.limit.Stop()
	u.place.leave()
	u.report(Handshake{Conn: u.Conn(), Duration: time.Since(u.begun), Err: err})
	return err
}

// handshake runs on goroutines of net/http too, where a callback's panic would end the process.
func (u *unconfirmed) handshake() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in the handshake: %v\n%s", p, debug.Stack())
		}
	}()
	return u.Conn().Handshake()
}

// confirmed is the connection's state once the handshake is complete, and nil before.
func (u *unconfirmed) confirmed() *tls.ConnectionState {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.state
}

// read reads early data and, behind it, what follows the handshake.
func (u *unconfirmed) read(b []byte) (int, error) {
	if !u.over {
		n, err := u.EarlyConn.Read(b)
		if err != io.EOF {
			return n, err
		}
		u.over = true
	}
	if err := u.confirm(); err != nil {
		return 0, err
	}
	return u.Conn().Read(b)
}

// safely is set for methods that change nothing. RFC 9110 §9.2.1; TRACE shows what others sent.
var safely = map[string]bool{http.MethodGet: true, http.MethodHead: true, http.MethodOptions: true}

// markKey finds in a request's context which header admit has set, so that it is known again.
type markKey struct{}

// admit has a request that came early be served, or waits until it is no longer early. A header
// of the client's own stays: it may be of a proxy before us. Whatever it says means 1 (RFC 8470 §5.1).
// A client that asks for another protocol would go on with it after an answer, in early data.
func (c *serverConn) admit(r *http.Request) (*http.Request, error) {
	u := c.early
	if u == nil || u.confirmed() != nil {
		return r, nil
	}
	if safely[r.Method] && r.ContentLength == 0 && r.Header.Get("Upgrade") == "" {
		if _, theirs := r.Header[earlyHeader]; theirs {
			r.Header.Set(earlyHeader, "1")
		} else {
			mark := []string{"1"} // each request's own: HTTP/2 serves several at once
			r.Header[earlyHeader] = mark
			r = r.WithContext(context.WithValue(r.Context(), markKey{}, &mark[0]))
		}
		return r, nil
	}
	return r, u.confirm()
}

// hijacked waits until the client has proved that it is there: what a handler reads from then on
// goes by no header. Where it has not, there is no connection to have, and Hijack has no way to say
// so: the goroutine that called it ends. A panic would end the process where that is not net/http's.
func (c *serverConn) hijacked() {
	if c.early != nil && c.early.confirm() != nil {
		c.Close()
		runtime.Goexit()
	}
}

// tlsState is what a request is shown of its connection.
func (c *serverConn) tlsState() *tls.ConnectionState {
	if c.early != nil {
		if state := c.early.confirmed(); state != nil {
			return state
		}
	}
	return &c.state
}

// Confirm waits until the client that sent r has proved that it is there. Then r is not a copy of
// a request that somebody has recorded, and Confirm removes the header Early-Data that the Server
// has set. That of a copy by [http.Request.Clone] stays, and so does one that the client has sent:
// the client may be a gateway, whose own client sent the request early (RFC 8470 §5.1). The handler
// judges that. Confirm returns at once for requests that were not early, and nil for those of other
// servers. RFC 8470 §3.
func Confirm(r *http.Request) error {
	c, ours := r.Context().Value(connKey{}).(*serverConn)
	if !ours || c.early == nil {
		return nil
	}
	if err := c.early.confirm(); err != nil {
		return err
	}
	if h := r.Header[earlyHeader]; len(h) == 1 && &h[0] == r.Context().Value(markKey{}) {
		delete(r.Header, earlyHeader)
	}
	r.TLS = c.tlsState()
	return nil
}
