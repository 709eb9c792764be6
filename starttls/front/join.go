package front

import (
	"context"
	"io"
	"net"
	"strings"
)

// greetings say how a server begins that speaks first, by protocol.
var greetings = map[string]struct{ good, more string }{
	"smtp": {"220", "220-"}, "imap": {"* OK", ""}, "pop3": {"+OK", ""}, "ftp": {"220", "220-"},
}

// Join readies the connection to a server behind, which speaks the protocol of that name in the
// clear: it reads the greeting, whose place was before TLS. Its time ends with ctx. The
// connection that it returns stands on backend, and has all that comes from there on; its
// CloseWrite ends our direction. A server that refuses, says nothing, or is of another
// protocol is an error. Then the caller closes backend.
func Join(ctx context.Context, protocol string, backend net.Conn) (net.Conn, error) {
	g, speaks := greetings[protocol]
	if !speaks {
		return backend, nil
	}
	c := &joined{Conn: backend}
	switch protocol {
	case "smtp":
		c.edit = new(smtpEditor)
	case "imap":
		c.edit = new(imapEditor)
	}
	return c, within(ctx, protocol, backend, func(t *talk) error {
		line, err := t.line()
		for err == nil && g.more != "" && strings.HasPrefix(line, g.more) {
			line, err = t.line()
		}
		if err == nil && !isCoded(line, g.good) {
			err = t.fail("the server behind does not greet", nil)
		}
		if n := t.in.Buffered(); n > 0 { // it may say more at once
			early, _ := t.in.Peek(n) // as much as is there
			c.early = append(c.early, early...)
		}
		return err
	})
}

// isCoded reports whether line is code, or begins with it and a blank.
func isCoded(line, code string) bool { return line == code || strings.HasPrefix(line, code+" ") }

// joined is the connection to a server whose answers are edited.
type joined struct {
	net.Conn
	edit  editor // nil for none
	early []byte // came with the greeting
	ready []byte // edited, but not yet read
	err   error  // comes when all of ready was read
	room  []byte // of the last read, for the next
}

// An editor takes bytes as they come, and appends to out what is passed on of them.
type editor interface {
	take(out, in []byte) []byte
	// rest is what is held back when no more comes.
	rest(out []byte) []byte
}

// NetConn is the connection below.
func (c *joined) NetConn() net.Conn { return c.Conn }

// CloseWrite ends our direction.
func (c *joined) CloseWrite() error {
	if half, is := c.Conn.(interface{ CloseWrite() error }); is {
		return half.CloseWrite()
	}
	return c.Conn.Close()
}

const roomSize = 16 << 10

// Read reads what the server says.
func (c *joined) Read(b []byte) (int, error) {
	for len(c.ready) == 0 {
		if c.err != nil {
			return 0, c.err
		}
		if len(b) == 0 {
			return 0, nil
		}
		if c.edit == nil && len(c.early) == 0 {
			return c.Conn.Read(b)
		}
		c.fill()
	}
	n := copy(b, c.ready)
	if c.ready = c.ready[n:]; len(c.ready) == 0 {
		c.ready = nil
	}
	return n, nil
}

// WriteTo passes all that the server says on to w, up to its end.
func (c *joined) WriteTo(w io.Writer) (n int64, err error) {
	for {
		for len(c.ready) > 0 {
			written, err := w.Write(c.ready)
			n, c.ready = n+int64(written), c.ready[written:]
			if err != nil {
				return n, err
			}
		}
		if c.err == io.EOF {
			return n, nil
		}
		if c.err != nil {
			return n, c.err
		}
		c.fill()
	}
}

// fill makes ready what has come, edited.
func (c *joined) fill() {
	in := c.early
	if c.early = nil; len(in) == 0 {
		if c.room == nil {
			c.room = make([]byte, roomSize)
		}
		var n int
		n, c.err = c.Conn.Read(c.room)
		in = c.room[:n]
	}
	if c.edit == nil {
		c.ready = in
		return
	}
	c.ready = c.edit.take(nil, in)
	if c.err == io.EOF {
		c.ready = c.edit.rest(c.ready)
	}
}

// smtpEditor takes the offer of STARTTLS out of answers to EHLO. A line that another follows is
// held until that comes, since the last line of an answer looks different.
type smtpEditor struct {
	line []byte // what has come of one
	held []byte // a line of an answer that goes on
	long bool   // the line is longer than one that counts, and has passed on so far
}

func (e *smtpEditor) take(out, in []byte) []byte {
	for _, b := range in {
		e.line = append(e.line, b)
		switch {
		case b == '\n' && e.long:
			out, e.line, e.long = append(out, e.line...), e.line[:0], false
		case b == '\n':
			out = e.whole(out)
			e.line = e.line[:0]
		case len(e.line) >= longestLine:
			out, e.long = append(e.release(out), e.line...), true
			e.line = e.line[:0]
		}
	}
	return out
}

// whole passes on the line that is complete, or the one that is held in its place.
func (e *smtpEditor) whole(out []byte) []byte {
	more := len(e.line) > 3 && e.line[3] == '-'
	offer := len(e.line) > 4 && string(e.line[:3]) == "250" && strings.EqualFold(strings.TrimSpace(string(e.line[4:])), "STARTTLS")
	switch {
	case offer && more:
		return out
	case offer && e.held != nil: // the one before is the last now
		e.held[3] = ' '
		return e.release(out)
	}
	out = e.release(out)
	if more {
		e.held = append([]byte(nil), e.line...)
		return out
	}
	return append(out, e.line...)
}

func (e *smtpEditor) release(out []byte) []byte {
	out = append(out, e.held...)
	e.held = nil
	return out
}

func (e *smtpEditor) rest(out []byte) []byte { return append(e.release(out), e.line...) }

// imapEditor takes STARTTLS out of untagged CAPABILITY answers. All else passes on at once, and
// literals unseen.
type imapEditor struct {
	line    []byte // what has come of one that may be such an answer
	tail    []byte // the end of a line that is not, as far as a literal's length may stand in it
	passes  bool   // the line is not such an answer
	literal int64  // bytes of one that are yet to come
}

const (
	capability  = "* CAPABILITY "
	longestTail = 24
)

func (e *imapEditor) take(out, in []byte) []byte {
	for len(in) > 0 {
		if e.literal > 0 {
			n := min(e.literal, int64(len(in)))
			out, in = append(out, in[:n]...), in[n:]
			e.literal -= n
			continue
		}
		b := in[0]
		in = in[1:]
		if e.tail = append(e.tail, b); len(e.tail) > longestTail {
			e.tail = e.tail[1:]
		}
		if e.passes {
			out = append(out, b)
		} else {
			e.line = append(e.line, b)
			n := min(len(e.line), len(capability))
			if !strings.EqualFold(string(e.line[:n]), capability[:n]) || len(e.line) > longestLine {
				out, e.line, e.passes = append(out, e.line...), e.line[:0], true
			}
		}
		if b == '\n' {
			if !e.passes {
				out = append(out, withoutOffer(string(e.line))...)
			}
			e.literal = literalLength(e.tail)
			e.line, e.tail, e.passes = e.line[:0], e.tail[:0], e.literal > 0 // its line goes on behind it
		}
	}
	return out
}

func (e *imapEditor) rest(out []byte) []byte { return append(out, e.line...) }

// withoutOffer is a line of capabilities without STARTTLS.
func withoutOffer(line string) string {
	words := strings.Split(strings.TrimRight(line, "\r\n"), " ")
	kept := words[:0]
	for _, w := range words {
		if !strings.EqualFold(w, "STARTTLS") {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ") + "\r\n"
}

// literalLength is how many bytes a line announces at its end, as in {42}. RFC 9051 §4.3.
func literalLength(line []byte) int64 {
	s := strings.TrimRight(string(line), "\r\n")
	open := strings.LastIndexByte(s, '{')
	if open < 0 || !strings.HasSuffix(s, "}") {
		return 0
	}
	var n int64
	for _, d := range strings.TrimSuffix(s[open+1:len(s)-1], "+") {
		if d < '0' || d > '9' || n > 1<<40 {
			return 0
		}
		n = 10*n + int64(d-'0')
	}
	return n
}
