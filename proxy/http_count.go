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
	n, err := w.ResponseWriter.Write(p)
	w.l.sent.Add(int64(n))
	return n, err
}

// Unwrap lets http.ResponseController find what the server's own writer can do.
func (w *countedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *countedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(w.ResponseWriter).Hijack()
	w.hijacked = w.hijacked || err == nil
	return conn, buffered, err
}
