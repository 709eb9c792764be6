package explain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// page is what a browser shows that connects to --listen: the version and the suite.
const page = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>vitrine</title>
<style>:root{color-scheme:light dark}body{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:4rem auto;padding:0 1rem}</style>
<h1>Hello from behind the glass.</h1>
<p>This connection is <strong>%s</strong> with <strong>%s</strong>.
<p>vitrine explains it where <code>vitrine explain --listen</code> was started.
</html>
`

// answer answers one request of HTTP or does what --send says, does what is to follow,
// and closes. It says in words what was sent. The error is that of a further handshake;
// whatever else is not as it should be is a warning.
func (w *lookout) answer(ctx context.Context, conn *tls.Conn, warnings *[]string) (sent string, err error) {
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return "", err
	}
	switch {
	case w.options.sends && len(w.options.content) == 0:
		sent = "nothing was sent, as --send none says"
	case w.options.sends:
		sent = "sent: " + beginning(w.options.content)
		_, err = conn.Write(w.options.content)
	default:
		sent, err = w.respond(ctx, conn)
	}
	if w.options.sends && err == nil {
		err = listen(conn, deadline)
	}
	switch {
	case err == nil:
		if err := closeOurs(conn, deadline); err == nil {
			err = drain(conn)
			w.warn(err, warnings)
		}
	case report.IsHandshakeError(err) && !errors.Is(err, tls.ErrNoRenegotiation):
		return sent, err
	default:
		w.warn(err, warnings)
	}
	return sent, nil
}

// warn puts what went wrong after the handshake into words.
func (w *lookout) warn(err error, warnings *[]string) {
	switch {
	case err == nil, errors.Is(err, io.EOF):
	case errors.Is(err, io.ErrUnexpectedEOF):
		*warnings = append(*warnings, "the client ended the connection without close_notify: data may be missing at its end")
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		*warnings = append(*warnings, fmt.Sprintf("the client did not end the connection within %v (--timeout)", w.options.timeout.Duration))
	default:
		*warnings = append(*warnings, report.Describe(err, wire.Server, nil).Text)
	}
}

// respond answers one request of HTTP, after the handshake that is to follow it.
func (w *lookout) respond(ctx context.Context, conn *tls.Conn) (sent string, err error) {
	if agreed := conn.ConnectionState().NegotiatedProtocol; agreed != "" && !strings.HasPrefix(agreed, "http/1.") {
		return fmt.Sprintf("nothing was sent: the protocol is %q; say what with --send", agreed), nil
	}
	request, err := http.ReadRequest(bufio.NewReader(io.LimitReader(conn, most)))
	switch {
	case errors.Is(err, io.EOF):
		return "nothing was sent: the client asked for nothing", nil
	case err != nil && strings.HasPrefix(err.Error(), "malformed"):
		return "nothing was sent: the client did not send an HTTP request; use --send to answer it", nil
	case err != nil:
		return "", err
	}
	if w.further != nil {
		if err := w.further(conn, ctx); err != nil {
			return "", err
		}
	}
	s := conn.State()
	body := fmt.Sprintf(page, s.Version, s.CipherSuite)
	_, err = fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n%s", len(body), body)
	return fmt.Sprintf("answered: %s %q", request.Method, beforeLong(request.RequestURI)), err
}

// beforeLong is the beginning of what a client may make as long as it likes.
func beforeLong(text string) string {
	const most = 100
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}

// trust says what proves the identity of the client; empty for nothing.
func (w *lookout) trust(s tls.State, warnings *[]string) string {
	*warnings = append(certs.Warnings(s), *warnings...)
	switch {
	case len(s.VerifiedChains) > 0:
		return "the client's certificate was verified with the authorities in " + w.options.ca
	case len(s.PeerCertificates) > 0:
		*warnings = append(*warnings, "the client's certificate was not verified; give its authorities with --ca")
	case s.PSKIdentity != "":
		return "the client proved that it has the same pre-shared key"
	}
	return ""
}
