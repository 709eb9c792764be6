package httptls

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// Requests in early data (0-RTT), RFC 8470. A server with [tls.Config].EarlyData serves them for
// the protocols listed there. They may be copies of what somebody has recorded, so that only a
// request with a safe method and no body is served before the client has proved that it
// is there, with the header "Early-Data: 1". A handler that must not do such a request twice
// answers 425 (Too Early), or calls [Confirm]. All others wait for the rest of the handshake.

const earlyHeader = "Early-Data"

// unconfirmed is a connection whose client sends early data.
type unconfirmed struct {
	*tls.EarlyConn
	timeout time.Duration
	report  func(Handshake)
	begun   time.Time

	over  bool // the early data has all been read
	once  sync.Once
	err   error
	mu    sync.Mutex
	state *tls.ConnectionState // once the handshake is complete
}

// confirm waits for the rest of the handshake, and tells of it.
func (u *unconfirmed) confirm() error {
	u.once.Do(func() {
		ctx, cancel := context.WithTimeoutCause(context.Background(), u.timeout, &timeoutError{"the TLS handshake with a client", u.timeout})
		defer cancel()
		u.err = u.Conn().HandshakeContext(ctx)
		if u.err == nil {
			state := u.Conn().ConnectionState()
			u.mu.Lock()
			u.state = &state
			u.mu.Unlock()
		}
		u.report(Handshake{Conn: u.Conn(), Duration: time.Since(u.begun), Err: u.err})
	})
	return u.err
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

// admit has a request that came early be served, or waits until it is no longer early. A header
// of the client's own is replaced then, and else left: it may be of a proxy before us.
func (c *serverConn) admit(r *http.Request) error {
	u := c.early
	if u == nil || u.confirmed() != nil {
		return nil
	}
	if safely[r.Method] && r.ContentLength == 0 {
		r.Header.Set(earlyHeader, "1")
		return nil
	}
	return u.confirm()
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

// Confirm waits until the client that sent r has proved that it is there, so that r is no copy of
// a request that somebody has recorded, and takes the header Early-Data away. It returns at once for
// requests that were not early, and nil for those of other servers. RFC 8470 §3.
func Confirm(r *http.Request) error {
	c, ours := r.Context().Value(connKey{}).(*serverConn)
	if !ours || c.early == nil {
		return nil
	}
	if err := c.early.confirm(); err != nil {
		return err
	}
	r.Header.Del(earlyHeader)
	r.TLS = c.tlsState()
	return nil
}
