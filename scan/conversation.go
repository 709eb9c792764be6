package scan

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// A conversation is one connection of a probe: the client's side of a handshake, which
// refuses little and remembers everything.
type conversation struct {
	conn  net.Conn
	ctx   context.Context
	a     *Answer
	built *built
	left  int // bytes that may still be read

	// wrote is when something was sent that nothing has come behind yet. away is how far the server
	// is: the time to connect or, up to quiet, that of an answer. Longer ones may be a queue: a
	// server of one connection at a time lets the others wait, and their waits must not add up.
	wrote time.Time
	away  time.Duration

	in, out record.Half
	unread  []byte
	hand    []byte // handshake bytes, of which no message is whole yet
	// transcript are the messages of both sides so far.
	transcript []byte

	suite *suite.Suite // nil for one that is not implemented
	s12   secrets12
	s13   secrets13
	// ended is how the server ended the conversation; empty while it goes on.
	ended Kind
}

// A failure ends a conversation.
type failure struct {
	kind Kind
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func fail(kind Kind, format string, args ...any) error {
	return &failure{kind, fmt.Errorf(format, args...)}
}

var closing = wire.Alert{Level: wire.LevelWarning, Code: wire.AlertCloseNotify}

// fatal reports an alert after which nothing can come.
func fatal(a wire.Alert) bool {
	return a.Level == wire.LevelFatal || a.Code == wire.AlertCloseNotify
}

// run does all of a probe.
func (c *conversation) run() (Kind, error) {
	err := c.begin()
	if err == nil {
		err = c.reach(c.a.Probe.Until)
	}
	if err == nil && c.a.SSL2 == nil {
		err = c.follow()
	}
	var f *failure
	switch {
	case err == nil:
		return Reached, nil
	case errors.As(err, &f):
		return f.kind, f.err
	}
	return Malformed, err
}

// follow does the steps. That the server ends the conversation during them is no
// failure: it is the answer that they ask for, and stands in its alerts.
func (c *conversation) follow() error {
	probe := &c.a.Probe
	for _, step := range probe.Then {
		if err := step.run(c); err != nil {
			return err
		}
	}
	if probe.Linger > 0 {
		return c.linger(probe.Linger)
	}
	return nil
}

// begin sends the hello, or what takes its place.
func (c *conversation) begin() error {
	probe := &c.a.Probe
	if probe.Raw != nil {
		return c.writePieces(probe.Raw, probe.Pieces)
	}
	c.a.Client = c.built.hello
	if probe.Hello.SSL2 {
		n := len(c.built.message)
		c.transcript = append(c.transcript, c.built.message...)
		return c.writePieces(append([]byte{0x80 | byte(n>>8), byte(n)}, c.built.message...), probe.Pieces)
	}
	if err := c.writePieces(c.helloRecords(probe), probe.Pieces); err != nil {
		return err
	}
	return c.sendEarly()
}

// helloRecords puts the hello into records.
func (c *conversation) helloRecords(probe *Probe) []byte {
	version := probe.Hello.Record
	if version == 0 {
		version = wire.TLS10
		if c.built.hello.LegacyVersion == wire.SSL30 {
			version = wire.SSL30
		}
	}
	c.transcript = append(c.transcript, c.built.message...)
	var out []byte
	rest, split := c.built.message, probe.Split
	for len(rest) > 0 {
		n := min(len(rest), record.MaxPlaintext)
		if len(split) > 0 {
			n, split = min(n, max(1, split[0])), split[1:]
		}
		out = record.AppendHeader(out, record.Header{Type: wire.ContentHandshake, Version: version, Length: n})
		out = append(out, rest[:n]...)
		rest = rest[n:]
	}
	return out
}

func (c *conversation) writePieces(b []byte, pieces []int) error {
	for len(pieces) > 0 && len(b) > 0 {
		n := min(len(b), max(1, pieces[0]))
		if err := c.write(b[:n]); err != nil {
			return err
		}
		b, pieces = b[n:], pieces[1:]
	}
	return c.write(b)
}

// write sends bytes as they are. An error of the connection ends nothing yet: what the
// server said before it can still be read.
func (c *conversation) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	c.log(wire.Client, b)
	if _, err := c.conn.Write(b); err != nil && timedOut(err) {
		return &failure{TimedOut, err}
	}
	if c.wrote.IsZero() {
		c.wrote = time.Now()
	}
	return nil
}

// farthest is the longest time to connect that counts as the way's.
const farthest = time.Second

// waitUntil is the end of a wait for what need not come: the time that a server at hand would need,
// and the way to this one.
func (c *conversation) waitUntil(wait time.Duration) time.Time {
	end, _ := c.ctx.Deadline()
	if at := time.Now().Add(wait + c.away); wait > 0 && at.Before(end) {
		return at
	}
	return end
}

// send protects content and sends it, as one record.
func (c *conversation) send(t wire.ContentType, content []byte) error {
	sealed, err := c.out.Seal(nil, t, c.recordVersion(), content, 0)
	if err != nil {
		return fail(Unsupported, "scan: a record cannot be sealed: %w", err)
	}
	return c.write(sealed)
}

func (c *conversation) alert(a wire.Alert) error { return c.send(wire.ContentAlert, a.Append(nil)) }

// recordVersion is what records say that we send.
func (c *conversation) recordVersion() wire.Version {
	switch {
	case c.a.Version == 0:
		return wire.TLS10
	case c.a.Version >= wire.TLS13:
		return wire.TLS12
	}
	return c.a.Version
}

// sendMessage sends a handshake message, which enters the transcript.
func (c *conversation) sendMessage(m wire.Message) error {
	raw := wire.AppendMessage(nil, m, c.context(wire.Client))
	c.transcript = append(c.transcript, raw...)
	return c.send(wire.ContentHandshake, raw)
}

// context is the grammar of messages from a side.
func (c *conversation) context(from wire.Role) wire.Context {
	return wire.Context{Version: c.a.Version, From: from, KeyExchange: exchangeOf(c.a.Suite)}
}

// fill reads until n bytes are there.
func (c *conversation) fill(n int) error {
	for len(c.unread) < n {
		if c.left <= 0 {
			return fail(TooMuch, "the server sends more than a probe reads")
		}
		const room = 4096
		have := len(c.unread)
		c.unread = slices.Grow(c.unread, room)
		got, err := c.conn.Read(c.unread[have : have+min(room, c.left)])
		c.left -= got
		c.unread = c.unread[:have+got]
		c.log(wire.Server, c.unread[have:])
		if got > 0 && !c.wrote.IsZero() {
			c.away, c.wrote = max(c.away, min(time.Since(c.wrote), quiet)), time.Time{}
		}
		if err != nil && len(c.unread) < n {
			return &failure{kindOfRead(err), err}
		}
	}
	return nil
}

// readRecord reads one record and opens it.
func (c *conversation) readRecord() (Record, error) {
	if err := c.fill(record.HeaderLen); err != nil {
		if len(c.a.Records) == 0 && len(c.unread) > 0 && !plausible(c.unread) {
			return Record{}, c.notTLS()
		}
		return Record{}, err
	}
	if !plausible(c.unread) {
		return Record{}, c.notTLS()
	}
	n := record.HeaderLen + int(binary.BigEndian.Uint16(c.unread[3:]))
	if err := c.fill(n); err != nil {
		return Record{}, err
	}
	if len(c.a.Records) >= maxRecords {
		return Record{}, fail(TooMuch, "the server sends more records than a probe reads")
	}
	raw := append([]byte(nil), c.unread[:n]...)
	c.unread = c.unread[n:]
	r := Record{Type: wire.ContentType(raw[0]), Version: wire.Version(binary.BigEndian.Uint16(raw[1:])), Content: raw[record.HeaderLen:]}
	if c.in.Epoch() > 0 && !(r.Type == wire.ContentChangeCipherSpec && c.a.Version >= wire.TLS13) {
		t, content, _, err := c.in.Open(raw)
		if err != nil {
			return Record{}, fail(Malformed, "a record of the server does not open: %w", err)
		}
		r.Type, r.Content, r.Protected = t, content, true
	}
	c.a.Records = append(c.a.Records, r)
	return r, nil
}

// maxRecords is how many a probe reads: each takes more memory than it has bytes, if these
// are few.
const maxRecords = 4096

// plausible reports that bytes begin a record: of a type from 20 to 24, of major
// version 3, and not too long.
func plausible(b []byte) bool {
	return b[0] >= 20 && b[0] <= 24 && (len(b) < 2 || b[1] == 3) &&
		(len(b) < 5 || int(binary.BigEndian.Uint16(b[3:])) <= record.MaxCiphertext12)
}

// maxBegin is how much is kept of what is not TLS.
const maxBegin = 64

func (c *conversation) notTLS() error {
	if len(c.a.Records) > 0 {
		return fail(Malformed, "the bytes after the server's records are not a record: %q", beginning(c.unread, 16))
	}
	// The rest of the first line tells more than five bytes.
	c.a.Begin = beginning(c.unread, maxBegin)
	return fail(NotTLS, "the server does not speak TLS: it begins with %q", beginning(c.unread, 24))
}

func beginning(b []byte, n int) []byte { return append([]byte(nil), b[:min(n, len(b))]...) }
