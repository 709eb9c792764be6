package starttls

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
)

// Options are what a server may have to be told.
type Options struct {
	// Host is the name of the server or its domain, which XMPP asks for.
	Host string
	// Name is our own, which mail asks for; empty for the name of this machine.
	Name string
	// Said, if it is not nil, is called with each line that was said in the clear.
	Said func(Line)
}

// A Line is something that one side said in the clear. Of protocols that are not text it
// is a description in brackets.
type Line struct {
	FromServer bool
	Text       string
}

// Error says why a connection does not turn to TLS.
type Error struct {
	Protocol string // "smtp"
	// Asked is what we had said, empty where the server speaks first.
	Asked string
	// Answer is what the server said, as far as it is text; quoted, for it may be anything.
	Answer string
	// Why is what is wrong with it.
	Why string
	// Kind says the same to a program.
	Kind Kind
	// Err is the error of the connection, where that is what failed.
	Err error
}

// A Kind is what keeps a connection from turning to TLS.
type Kind uint8

const (
	// Broken is all that no other kind is: the connection ended, or what came is no answer.
	Broken Kind = iota
	// NotOffered: the server says that it has no TLS here, or does not say that it has.
	NotOffered
	// Refused: the server answers the request to turn to TLS, or one before it, with no.
	Refused
	// Injected: bytes in the clear follow the agreement ([ErrInjected]).
	Injected
)

func (e *Error) Error() string {
	s := "starttls " + e.Protocol + ": " + e.Why
	if e.Answer != "" {
		s += fmt.Sprintf("; the server said %.200s", strconv.Quote(e.Answer))
	}
	if e.Asked != "" {
		s += fmt.Sprintf(" to %q", e.Asked)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

type saidKey struct{}

// Hearing is a context with which [Upgrade] tells said each line that was said in the clear, besides
// Options.Said: for those who do not dial themselves.
func Hearing(ctx context.Context, said func(Line)) context.Context {
	return context.WithValue(ctx, saidKey{}, said)
}

// ErrInjected is in the chain of an error for bytes that came between the agreement and
// TLS.
var ErrInjected = errors.New("bytes in the clear follow the agreement, which somebody on the way may have put there")

// A protocol is how one protocol turns to TLS.
type protocol struct {
	port int // on which it is usual, in the clear at first
	turn func(*talk) error
}

// protocols has all of them, by the names that other tools use as well.
var protocols = map[string]protocol{
	"smtp":        {25, smtp("EHLO ")},
	"lmtp":        {24, smtp("LHLO ")},
	"imap":        {143, imap},
	"pop3":        {110, pop3},
	"ftp":         {21, ftp},
	"nntp":        {119, nntp},
	"sieve":       {4190, sieve},
	"irc":         {6667, irc},
	"ldap":        {389, ldap},
	"xmpp":        {5222, xmpp("jabber:client")},
	"xmpp-server": {5269, xmpp("jabber:server")},
	"postgres":    {5432, postgres},
	"mysql":       {3306, mysql},
	"rdp":         {3389, rdp},
}

// further are ports that are usual as well.
var further = map[int]string{587: "smtp", 2525: "smtp", 2000: "sieve"}

// Protocols returns the names of all protocols, sorted.
func Protocols() []string { return slices.Sorted(maps.Keys(protocols)) }

// ProtocolOf returns the protocol that a port is known for, empty for none.
func ProtocolOf(port int) string {
	for name, p := range protocols {
		if p.port == port {
			return name
		}
	}
	return further[port]
}

// PortOf returns the port that a protocol is known for; 0 for an unknown protocol.
func PortOf(name string) int { return protocols[name].port }

// Upgrade has the server at the other end of conn turn to TLS, by the protocol of that
// name. It reads no byte of TLS: hand conn to a TLS client next. Its time ends with ctx.
// On an error the connection is of no use any more; the caller closes it. Nothing that
// the server says makes it use more than 64 KB.
func Upgrade(ctx context.Context, conn net.Conn, name string, o Options) error {
	p, ok := protocols[name]
	if !ok {
		return &Error{Protocol: name, Why: fmt.Sprintf("no protocol of that name is known, but %v", Protocols())}
	}
	if o.Name == "" {
		o.Name, _ = os.Hostname()
		o.Name = cmp.Or(o.Name, "localhost")
	}
	if said, ok := ctx.Value(saidKey{}).(func(Line)); ok {
		own := o.Said
		o.Said = func(l Line) {
			if said(l); own != nil {
				own(l)
			}
		}
	}
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	limit := &io.LimitedReader{R: conn, N: mostBytes}
	t := &talk{Options: o, protocol: name, in: bufio.NewReaderSize(limit, longestLine), limit: limit, out: conn}
	err := p.turn(t)
	if err == nil && t.in.Buffered() > 0 {
		err = t.kind(Injected, "TLS does not begin", ErrInjected)
	}
	if !stop() { // which is why the rest failed, and the deadline is set
		return t.fail("the time ended", ctx.Err())
	}
	return err
}

// A server may say this much before TLS begins: bytes in all, and of one line.
const (
	mostBytes   = 64 << 10
	longestLine = 8 << 10
)

// talk is what is said before TLS.
type talk struct {
	Options
	protocol string
	in       *bufio.Reader
	limit    *io.LimitedReader
	out      io.Writer
	asked    string
	answer   string
}

func (t *talk) fail(why string, err error) *Error {
	return &Error{Protocol: t.protocol, Asked: t.asked, Answer: t.answer, Why: why, Err: err}
}

// kind is fail for what is no broken connection.
func (t *talk) kind(k Kind, why string, err error) *Error {
	e := t.fail(why, err)
	e.Kind = k
	return e
}

func (t *talk) heard(text string) {
	t.answer = text
	if t.Said != nil {
		t.Said(Line{true, text})
	}
}

// send says something: b on the wire, as in text.
func (t *talk) send(b []byte, text string) error {
	t.asked, t.answer = text, ""
	if t.Said != nil {
		t.Said(Line{false, text})
	}
	if _, err := t.out.Write(b); err != nil {
		return t.fail("it cannot be sent", err)
	}
	return nil
}

// broken is the error for what could not be read.
func (t *talk) broken(err error) error {
	switch {
	case t.limit.N <= 0:
		return t.fail(fmt.Sprintf("the server says more than %d bytes before TLS", mostBytes), nil)
	case errors.Is(err, bufio.ErrBufferFull):
		return t.fail(fmt.Sprintf("the server says a line of more than %d bytes", longestLine), nil)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return t.fail("the server closed the connection", io.ErrUnexpectedEOF)
	}
	return t.fail("the server's answer cannot be read", err)
}

// read reads exactly as much as b holds.
func (t *talk) read(b []byte) error {
	if _, err := io.ReadFull(t.in, b); err != nil {
		return t.broken(err)
	}
	return nil
}
