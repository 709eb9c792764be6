package proxy

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// countedBody counts what a client sends.
type countedBody struct {
	io.ReadCloser
	l *link
}

func (b countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.l.received.Add(int64(n))
	b.l.noteActivity()
	return n, err
}

// countedWriter counts what a client gets, and notices where its connection is taken over, as for
// WebSocket.
type countedWriter struct {
	http.ResponseWriter
	l        *link
	hijacked bool
}

func (w *countedWriter) Write(p []byte) (int, error) {
	w.l.noteActivity()
	n, err := w.ResponseWriter.Write(p)
	w.l.sent.Add(int64(n))
	w.l.noteActivity()
	return n, err
}

// Unwrap lets http.ResponseController find what the server's own writer can do.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.hijacked = true
	return &countedConn{conn, w.l, buffered.Reader}, buffered, nil
}

// countedConn counts both ways of a connection that was taken over.
type countedConn struct {
	net.Conn
	l *link
	// early has what came together with the request; httputil.ReverseProxy reads the connection alone.
	early *bufio.Reader
}

func (c *countedConn) Read(p []byte) (n int, err error) {
	if c.early.Buffered() > 0 {
		n, err = c.early.Read(p)
	} else {
		n, err = c.Conn.Read(p)
	}
	c.l.received.Add(int64(n))
	c.l.noteActivity()
	return n, err
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.l.noteActivity()
	n, err := c.Conn.Write(p)
	c.l.sent.Add(int64(n))
	c.l.noteActivity()
	return n, err
}

// CloseWrite passes the end of one direction on.
func (c *countedConn) CloseWrite() error { return closeWrite(c.Conn) }
