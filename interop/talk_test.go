package interop

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
)

// talkStdio sends through our connection what the child must print, and
// through the child's standard input what our connection must bring: lines of
// 3,000 bytes, both times.
func (r *run) talkStdio(c *conn, p *proc, lines int) error {
	there, back := newPayload(lines), newPayload(lines)
	if err := r.send(c, there); err != nil {
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
	if err := r.send(c, r.payload); err != nil {
		return err
	}
	return expect(c, r.payload)
}

// send sends data, and in the middle of it does what the cell has us do midway.
func (r *run) send(c *conn, data []byte) error {
	half := len(data) / 2
	if _, err := c.Write(data[:half]); err != nil {
		return err
	}
	if err := r.doMidway(); err != nil {
		return err
	}
	_, err := c.Write(data[half:])
	return err
}

// doMidway does once what the cell has us do midway on this connection.
func (r *run) doMidway() error {
	do := r.pending
	if do == nil {
		return nil
	}
	r.pending = nil
	if err := do(r.ctx); err != nil {
		return fmt.Errorf("midway: %w", err)
	}
	return nil
}

// lineLen is how long a line is that a child sends.
func (r *run) lineLen() int {
	if r.SizeLimit == 0 {
		return lineLen
	}
	return min(lineLen, r.SizeLimit-1)
}

// talkChild has the child send to our echoing server and print what comes back.
func (r *run) talkChild(p *proc, lines int) error {
	return r.tellChild(p, newPayload(lines))
}

// tellChild is talkChild with given data.
func (r *run) tellChild(p *proc, data []byte) error {
	if _, err := p.Write(data); err != nil {
		return err
	}
	return p.awaitPayload(r.ctx, data)
}

func expect(c io.Reader, want []byte) error {
	got := make([]byte, len(want))
	if n, err := io.ReadFull(c, got); err != nil {
		return fmt.Errorf("after %d of %d bytes: %w", n, len(want), err)
	}
	for i := range got {
		if got[i] != want[i] {
			return fmt.Errorf("of %d bytes, those from %d on are not the ones that were sent, but %.40q", len(got), i, got[i:])
		}
	}
	return nil
}

// answer is our server: it sends back what it gets until the peer closes, or
// where that is HTTP, answers as many requests as the cell has rounds.
func (r *run) answer(c *conn) error {
	in := bufio.NewReaderSize(c, 16<<10)
	if start, _ := in.Peek(4); string(start) != "GET " && string(start) != "POST" {
		return r.echo(c, in)
	}
	for n := range r.rounds() {
		if err := r.answerHTTP(c, in, n == r.rounds()-1); err != nil {
			return err
		}
	}
	return nil
}

// echo acts midway with the rest of the data under way, or where the peer
// could not take that, with none.
func (r *run) echo(c io.Writer, in *bufio.Reader) error {
	first := in.Buffered()
	if r.peer.quiet {
		first = fullLines * r.lineLen()
	}
	if r.pending != nil {
		switch _, err := io.CopyN(c, in, int64(first)); {
		case err == io.EOF && r.peer.lastOnly:
			return nil
		case err != nil:
			return fmt.Errorf("echo: %w", err)
		}
		if err := r.doMidway(); err != nil {
			return err
		}
	}
	if _, err := io.Copy(c, in); err != nil {
		return fmt.Errorf("echo: %w", err)
	}
	return nil
}

// answerHTTP answers one request and leaves closing to the caller. A POST gets
// its body back, a GET its header X-Payload, or as a script its query.
func (r *run) answerHTTP(c *conn, in *bufio.Reader, last bool) error {
	req, err := http.ReadRequest(in)
	if err != nil {
		return fmt.Errorf("the request: %w", err)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return fmt.Errorf("the request's body: %w", err)
	}
	if err := r.doMidway(); err != nil {
		return err
	}
	if r.Renegotiate == "theirs" {
		go in.Peek(1)
		if err := c.renegotiated(r.ctx); err != nil {
			return err
		}
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
	_, err = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: %s\r\n\r\n%s",
		kind, len(body), then, body)
	return err
}
