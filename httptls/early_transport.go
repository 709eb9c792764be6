package httptls

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// A Transport with EarlyData dials for a request that may be early without a handshake. That comes
// with the first bytes to be sent, which may be another request's: net/http shares connections. So
// it is these bytes that decide.

// mayBeEarly reports that r may go as early data: a server, or somebody on the path, may do it again.
func (t *Transport) mayBeEarly(r *http.Request) bool {
	return t.EarlyData && safely[cmp.Or(r.Method, http.MethodGet)] && (r.Body == nil || r.Body == http.NoBody) && r.Header.Get("Upgrade") == ""
}

// isWholeAndSafe reports that b is one whole request of HTTP/1.1 that may go as early data.
func isWholeAndSafe(b []byte) bool {
	in := bufio.NewReader(bytes.NewReader(b))
	r, err := http.ReadRequest(in)
	if err != nil || in.Buffered() > 0 {
		return false
	}
	return safely[r.Method] && r.ContentLength == 0 && len(r.TransferEncoding) == 0 && r.Header.Get("Upgrade") == ""
}

// lateConn is a client's connection whose handshake comes with the first Write, or lateWait after the
// first Read. net/http may have another connection take the request, and keep this one: idle, it must
// notice an end by the server like any other.
type lateConn struct {
	*tls.Conn
	begin  func(first []byte) (taken bool, err error)
	once   sync.Once
	begun  chan struct{} // closed when begin has returned
	closed chan struct{}
	shut   sync.Once
	err    error
}

const lateWait = 100 * time.Millisecond

// start does the handshake, if that was not begun, with the first bytes to be sent.
func (c *lateConn) start(first []byte) (taken bool, err error) {
	c.once.Do(func() {
		defer close(c.begun)
		taken, c.err = c.begin(first)
		c.begin = nil // it holds a request's context
	})
	return taken, c.err
}

func (c *lateConn) Write(b []byte) (int, error) {
	switch taken, err := c.start(b); {
	case err != nil:
		return 0, err
	case taken:
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *lateConn) Read(b []byte) (int, error) {
	if err := c.wait(); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// wait returns when the handshake is over.
func (c *lateConn) wait() error {
	select {
	case <-c.begun:
		return c.err
	default:
	}
	late := time.NewTimer(lateWait)
	defer late.Stop()
	select {
	case <-c.begun:
		return c.err
	case <-c.closed:
		return net.ErrClosed
	case <-late.C:
		_, err := c.start(nil)
		return err
	}
}

func (c *lateConn) Close() error {
	c.shut.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// later returns a connection for HTTP/1.1 whose handshake is yet to come.
func (t *Transport) later(ctx context.Context, raw net.Conn, addr string) *clientConn {
	conn := tls.Client(raw, t.clientConfig(addr, []string{protoHTTP1}))
	c := &clientConn{state: tls.ConnectionState{NegotiatedProtocol: protoHTTP1}}
	late := &lateConn{Conn: conn, begun: make(chan struct{}), closed: make(chan struct{})}
	ctx = context.WithoutCancel(ctx) // net/http closes the connection of a request that is given up
	late.begin = func(first []byte) (taken bool, err error) {
		c.state, err = t.shake(ctx, conn, addr, func(ctx context.Context) (err error) {
			if t.confirmed.Load() > 0 || !isWholeAndSafe(first) {
				return conn.HandshakeContext(ctx)
			}
			taken, err = conn.HandshakeEarly(ctx, first)
			return err
		})
		c.early.Store(taken)
		return taken, err
	}
	c.Conn = late
	return c
}

// tooEarly reports that resp says 425 to a request that this Transport has sent early, which is to be sent
// again. One that came early to the caller is the caller's business. RFC 8470 §5.2.
func (a *attempt) tooEarly(resp *http.Response) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	sent := a.used != nil && a.used.early.Swap(false) // for whichever request used it first
	return sent && a.early && resp.StatusCode == http.StatusTooEarly && len(a.request.Header[earlyHeader]) == 0
}

// again sends the request once more, and nothing early while it is on its way.
func (t *Transport) again(a *attempt, resp *http.Response) (*http.Response, error) {
	io.CopyN(io.Discard, resp.Body, 4<<10) // so that the connection can be used again
	resp.Body.Close()
	t.confirmed.Add(1)
	defer t.confirmed.Add(-1)
	a.early = false
	return a.send(protoHTTP1)
}
