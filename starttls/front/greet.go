package front

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/vitrine-tls/vitrine/starttls"
)

// Options are what clients are told.
type Options struct {
	// Name is the name of the server, which mail's greetings have; empty for that of this machine.
	Name string
}

// Error says why a connection does not come to TLS, or a server behind cannot be used.
type Error struct {
	Protocol string // "smtp"
	// Why is what is wrong.
	Why string
	// Said is what the other side said, as far as it is text; it is quoted, for it may be anything.
	Said string
	// Err is the error of the connection, where that is what failed.
	Err error
}

func (e *Error) Error() string {
	s := "starttls " + e.Protocol + ": " + e.Why
	if e.Said != "" {
		s += fmt.Sprintf("; it said %.200s", strconv.Quote(e.Said))
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// ErrLeft is in the chain of an error for a client that left in good order before TLS.
var ErrLeft = errors.New("the client left before TLS")

// greeters has what each protocol says before TLS.
var greeters = map[string]func(*talk) error{
	"smtp": smtp, "imap": imap, "pop3": pop3, "ftp": ftpClear, "ldap": ldap, "postgres": postgres,
}

// Protocols returns the names of all protocols, sorted. They are those of package starttls.
func Protocols() []string { return slices.Sorted(maps.Keys(greeters)) }

// Greet speaks the protocol of that name with a client, up to its request for TLS and our
// agreement. It reads no byte of TLS: hand client to a TLS server next. Its time ends with ctx,
// which leaves a deadline of the caller's on client as it is. On an error the connection is of
// no use any more, and the caller closes it; the client was told why where its protocol can.
// Bytes behind the request are an error with [starttls.ErrInjected] in its chain. Nothing that
// a client says makes it use more than 16 KB.
func Greet(ctx context.Context, protocol string, client net.Conn, o Options) error {
	greeter, known := greeters[protocol]
	if !known {
		return &Error{Protocol: protocol, Why: fmt.Sprintf("no protocol of that name is known, but %v", Protocols())}
	}
	if o.Name == "" {
		o.Name, _ = os.Hostname()
		o.Name = cmp.Or(o.Name, "localhost")
	}
	return within(ctx, protocol, client, func(t *talk) error {
		t.Options = o
		return greeter(t)
	})
}

// within runs f, whose time ends with ctx.
func within(ctx context.Context, protocol string, conn net.Conn, f func(*talk) error) error {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	limit := &io.LimitedReader{R: conn, N: mostBytes}
	t := &talk{protocol: protocol, in: bufio.NewReaderSize(limit, longestLine), limit: limit, out: conn}
	err := f(t)
	if !stop() { // which is why the rest failed, and the deadline is set
		return t.fail("the time ended", ctx.Err())
	}
	return err
}

// The other side may say this much before TLS: bytes in all, bytes of one line, and commands.
const (
	mostBytes    = 16 << 10
	longestLine  = 4 << 10
	mostCommands = 32
)

// talk is what is said before TLS.
type talk struct {
	Options
	protocol string
	in       *bufio.Reader
	limit    *io.LimitedReader
	out      io.Writer
	heard    string
}

func (t *talk) fail(why string, err error) *Error {
	return &Error{Protocol: t.protocol, Why: why, Said: t.heard, Err: err}
}

// left is the error for a client that said goodbye.
func (t *talk) left() error {
	t.heard = ""
	return t.fail("TLS does not begin", ErrLeft)
}

func (t *talk) say(text string) error {
	if _, err := io.WriteString(t.out, text); err != nil {
		return t.fail("an answer cannot be sent", err)
	}
	return nil
}

// agree says yes to TLS. What has come behind the request would be read after TLS has begun.
func (t *talk) agree(text string) error {
	if t.in.Buffered() > 0 {
		return t.fail("TLS does not begin", starttls.ErrInjected)
	}
	return t.say(text)
}

// broken is the error for what could not be read.
func (t *talk) broken(err error) error {
	t.heard = ""
	switch {
	case t.limit.N <= 0:
		return t.fail(fmt.Sprintf("more than %d bytes were said before TLS", mostBytes), nil)
	case errors.Is(err, bufio.ErrBufferFull):
		return t.fail(fmt.Sprintf("a line has more than %d bytes", longestLine), nil)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return t.fail("the connection was closed before TLS", io.ErrUnexpectedEOF)
	}
	return t.fail("the connection cannot be read", err)
}

// read reads exactly as much as b holds.
func (t *talk) read(b []byte) error {
	if _, err := io.ReadFull(t.in, b); err != nil {
		return t.broken(err)
	}
	return nil
}
