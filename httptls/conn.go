package httptls

import (
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// serverConn is a connection after its handshake. It hides what net/http of
// Go 1.26 takes for a sign of TLS, so that HTTP/2 is served on it.
type serverConn struct {
	net.Conn // a *tls.Conn, embedded as an interface: its other methods stay hidden
	state    tls.ConnectionState
	http2    bool
	early    *unconfirmed // nil without early data

	preface int         // how much of HTTP/2's is yet to come, in bytes
	late    *time.Timer // closes the connection unless it has come; nil for HTTP/1.1
}

// A client of HTTP/2 sends a preface of so many bytes (RFC 9113 §3.4), within so
// much time, which is net/http's over TLS.
const (
	prefaceLength  = 24
	prefaceTimeout = 10 * time.Second
)

// newServerConn returns conn as net/http gets it.
func newServerConn(conn *tls.Conn, early *unconfirmed) *serverConn {
	var state tls.ConnectionState
	if early != nil {
		state = early.EarlyConn.ConnectionState()
	} else {
		state = conn.ConnectionState()
	}
	c := &serverConn{Conn: conn, state: state, http2: state.NegotiatedProtocol == protoHTTP2, early: early}
	if c.http2 {
		c.preface = prefaceLength
		c.late = time.AfterFunc(prefaceTimeout, func() { conn.Close() })
	}
	return c
}

func (c *serverConn) Read(b []byte) (int, error) {
	read := c.Conn.Read
	if c.early != nil {
		read = c.early.read
	}
	n, err := read(b)
	if c.preface > 0 {
		if c.preface -= n; c.preface <= 0 {
			c.late.Stop()
		}
	}
	return n, err
}

// Write answers early data before the handshake is complete.
func (c *serverConn) Write(b []byte) (int, error) {
	if c.early != nil {
		return c.early.EarlyConn.Write(b)
	}
	return c.Conn.Write(b)
}

func (c *serverConn) Close() error {
	if c.late != nil {
		c.late.Stop()
	}
	err := c.Conn.Close()
	if c.early != nil {
		c.early.closed()
	}
	return err
}

// TLSConn returns the connection of TLS that c is or stands on: net/http has a Server's
// connections in a type of its own, which a handler that hijacks one gets too. It is nil
// for any other. What has been read through c or the hijacked buffer is not in it any more.
func TLSConn(c net.Conn) *tls.Conn {
	if ours, is := serverConnOf(c); is {
		c = ours.Conn
	}
	conn, _ := c.(*tls.Conn)
	return conn
}

// NetConn returns the *tls.Conn, as [TLSConn] does.
func (c *serverConn) NetConn() net.Conn { return c.Conn }

// CloseWrite lets net/http end a response before it closes the connection.
func (c *serverConn) CloseWrite() error {
	if c.early != nil {
		if err := c.early.confirm(); err != nil {
			return err
		}
	}
	return c.Conn.(*tls.Conn).CloseWrite()
}

// http1Conn shows the state, by which net/http knows that it must not look for
// HTTP/2 on the connection.
type http1Conn struct{ *serverConn }

func (c http1Conn) ConnectionState() tls.ConnectionState { return c.state }

// forNetHTTP returns c as net/http should see it.
func (c *serverConn) forNetHTTP() net.Conn {
	if c.http2 {
		return c
	}
	return http1Conn{c}
}

// serverConnOf returns the connection of ours that c is, if it is one.
func serverConnOf(c net.Conn) (sc *serverConn, ours bool) {
	if h1, ok := c.(http1Conn); ok {
		return h1.serverConn, true
	}
	sc, ours = c.(*serverConn)
	return sc, ours
}
