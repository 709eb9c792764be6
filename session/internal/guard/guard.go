// Package guard stands between a client library and the store's server: what the server says is
// looked at line by line before the library sees it. A server that talks nonsense ends its
// connection. Without that some libraries allocate as much as a server claims, or panic.
package guard

import (
	"bytes"
	"errors"
	"net"
)

const (
	// MaxBlob is the most bytes of a value in any of our stores.
	MaxBlob = 512 << 10
	// maxLine bounds a line, and what waits for the rest of one.
	maxLine = 64 << 10
)

// ErrNonsense says that the server does not speak the store's protocol, or not as it should.
var ErrNonsense = errors.New("the server does not speak the store's protocol")

// A Scanner divides a stream into lines, and into bytes between them.
type Scanner struct {
	// Line is called for each line, without its end. It returns how many bytes follow that are
	// no lines.
	Line func(line []byte) (skip int, err error)

	line []byte // the beginning of one
	skip int
}

// Feed takes in what comes next.
func (s *Scanner) Feed(p []byte) error {
	for len(p) > 0 {
		if s.skip > 0 {
			n := min(s.skip, len(p))
			s.skip -= n
			p = p[n:]
			continue
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			s.line = append(s.line, p...)
			if len(s.line) > maxLine {
				return ErrNonsense
			}
			return nil
		}
		line := p[:end]
		if len(s.line) > 0 {
			line = append(s.line, line...)
			s.line = nil
		}
		p = p[end+1:]
		if len(line) > maxLine {
			return ErrNonsense
		}
		var err error
		if s.skip, err = s.Line(bytes.TrimSuffix(line, []byte("\r"))); err != nil {
			return err
		}
		if s.skip < 0 {
			return ErrNonsense
		}
	}
	return nil
}

// Conn is a connection whose bytes pass scanners; a nil one lets all pass.
type Conn struct {
	net.Conn
	In, Out *Scanner
}

// Read returns what the server has said, if it makes sense. Else the connection is over.
func (c *Conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.In != nil && n > 0 {
		if bad := c.In.Feed(p[:n]); bad != nil {
			c.Conn.Close()
			return 0, bad
		}
	}
	return n, err
}

// Write looks at p before the server can answer it.
func (c *Conn) Write(p []byte) (int, error) {
	if c.Out != nil {
		if err := c.Out.Feed(p); err != nil {
			return 0, err
		}
	}
	return c.Conn.Write(p)
}

// Number reads a decimal number of at most most, without a sign.
func Number(text []byte, most int) (int, error) {
	if len(text) == 0 || len(text) > 10 {
		return 0, ErrNonsense
	}
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, ErrNonsense
		}
		n = 10*n + int(c-'0')
	}
	if n > most {
		return 0, ErrNonsense
	}
	return n, nil
}
