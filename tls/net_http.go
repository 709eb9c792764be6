package tls

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// net/http of Go 1.26 knows TLS by *crypto/tls.Conn. On a Conn of ours it speaks
// HTTP/1.1 whatever ALPN says, and learns of a failed handshake by Read. Package
// httptls is what joins the two; here the mistake is named where it shows.

const (
	http2 = "h2"

	// preface is what a client of HTTP/2 sends first. RFC 9113 §3.4.
	preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

	useHTTPTLS = "net/http knows HTTP/2 on crypto/tls's own type only: use Server or Transport of package httptls, or leave h2 out of NextProtos"
)

// hear notes that a client speaks HTTP/2: p is what it sent first. readMutex is held.
func (c *Conn) hear(p []byte) {
	if c.heard || len(p) == 0 {
		return
	}
	c.heard = true
	begun := p[:min(len(p), len(preface))]
	c.flags.put(prefaced, c.role == wire.Server && strings.HasPrefix(preface, string(begun)) && c.engine.Result().ALPN == http2)
}

// speak refuses HTTP/1 on a connection for which HTTP/2 was agreed on: p is what the
// application writes first. A server must have heard HTTP/2, so that it may tell a
// client that does the same in HTTP/1. out is held.
func (c *Conn) speak(p []byte) error {
	if c.spoken || len(p) == 0 {
		return nil
	}
	c.spoken = true
	switch {
	case c.role == wire.Client && isHTTP1Request(p) && c.engine.Result().ALPN == http2:
	case c.role == wire.Server && bytes.HasPrefix(p, []byte("HTTP/1.")) && c.flags.has(prefaced):
		_, err := c.engine.Write(http11Required, c.batch(len(http11Required)))
		if err == nil {
			_ = c.send() // best effort: the error that follows says more
		}
	default:
		return nil
	}
	return &handshake.Error{
		Rule: "HTTP/2 (h2) was agreed on for this connection, and the application speaks HTTP/1 on it",
		Ref:  "RFC 9113 §3.4", Hint: useHTTPTLS,
	}
}

// isHTTP1Request reports whether p begins as "GET / HTTP/1.1".
func isHTTP1Request(p []byte) bool {
	line, _, _ := bytes.Cut(p, []byte("\r\n"))
	i := bytes.LastIndexByte(line, ' ')
	return i > 0 && bytes.HasPrefix(line[i+1:], []byte("HTTP/1."))
}

// http11Required is an empty SETTINGS frame and a GOAWAY frame with HTTP_1_1_REQUIRED
// and the reason, by which a client can fall back and its user read why.
// RFC 9113 §6.5, §6.8, §7.
var http11Required = func() []byte {
	const why = "the server speaks HTTP/1.1 only: " + useHTTPTLS
	frames := []byte{0, 0, 0, 4, 0, 0, 0, 0, 0}
	frames = append(frames, 0, 0, byte(8+len(why)), 7, 0, 0, 0, 0, 0)
	frames = append(frames, 0, 0, 0, 0, 0, 0, 0, 0x0d)
	return append(frames, why...)
}()

// httpRequests are the first five bytes of requests in the clear, those of net/http.
var httpRequests = []string{"GET /", "HEAD ", "POST ", "PUT /", "OPTIO"}

const inTheClear = "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n" +
	"Client sent an HTTP request to an HTTPS server.\n"

// answerInTheClear answers HTTP in the clear, as net/http does on crypto/tls: there it
// sees the error of the handshake, and here that of a Read. Only a listener's
// connections are answered for, and once; a caller of Handshake answers itself.
func (c *Conn) answerInTheClear(err error) {
	var header RecordHeaderError
	if !c.listened || !errors.As(err, &header) || header.Conn == nil || !slices.Contains(httpRequests, string(header.RecordHeader[:])) || c.flags.set(answered) {
		return
	}
	_ = c.conn.SetDeadline(time.Now().Add(lingerTime)) // best effort, as what follows
	_, _ = io.WriteString(c.conn, inTheClear)
	c.linger()
}
