package interop

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// talkStdio sends through our connection what the child must print, and
// through the child's standard input what our connection must bring: lines of
// 3,000 bytes, both times.
func (r *run) talkStdio(c *conn, p *proc, lines int) error {
	there, back := newPayload(lines), newPayload(lines)
	if _, err := c.Write(there); err != nil {
		return err
	}
	if err := p.awaitPayload(r.ctx, there); err != nil {
		return err
	}
	if _, err := p.Write(back); err != nil {
		return err
	}
	return expect(c, back)
}

// talkEcho sends to a peer that sends it back.
func (r *run) talkEcho(c *conn) error {
	if _, err := c.Write(r.payload); err != nil {
		return err
	}
	return expect(c, r.payload)
}

// talkChild has the child send to our echoing server and print what comes back.
func (r *run) talkChild(p *proc, lines int) error {
	there := newPayload(lines)
	if _, err := p.Write(there); err != nil {
		return err
	}
	return p.awaitPayload(r.ctx, there)
}

func expect(c io.Reader, want []byte) error {
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", n, len(want), err)
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("the %d bytes that came differ from those that were sent", len(got))
	}
	return nil
}

// answer is our server: it sends back what it gets until the peer closes, or
// where that is HTTP, answers so many requests.
func answer(c io.ReadWriter, rounds int) error {
	in := bufio.NewReader(c)
	if start, _ := in.Peek(4); string(start) != "GET " && string(start) != "POST" {
		if _, err := io.Copy(c, in); err != nil {
			return fmt.Errorf("echo: %w", err)
		}
		return nil
	}
	for ; rounds > 0; rounds-- {
		if err := answerHTTP(c, in, rounds == 1); err != nil {
			return err
		}
	}
	return nil
}

// answerHTTP answers one request and leaves closing to the caller. A POST gets
// its body back, a GET its header X-Payload, or as a script its query.
func answerHTTP(w io.Writer, in *bufio.Reader, last bool) error {
	req, err := http.ReadRequest(in)
	if err != nil {
		return fmt.Errorf("the request: %w", err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return fmt.Errorf("the request's body: %w", err)
	}
	kind, then := "text/plain", "keep-alive"
	switch {
	case req.URL.RawQuery != "":
		kind, body = "text/javascript", fmt.Appendf(nil, "show(%q)", req.URL.RawQuery)
	case req.Method == http.MethodGet:
		body = []byte(req.Header.Get("X-Payload"))
	}
	if last {
		then = "close"
	}
	_, err = fmt.Fprintf(w, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n%s",
		kind, len(body), then, body)
	return err
}
