package tls

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Conn is a TLS connection. It is a net.Conn whose methods may be called at
// the same time.
type Conn struct {
	// Three locks order the work: shaking for the handshake; readMutex for
	// the call that waits for the peer, and within it in for the engine's In half; out
	// for the Out half and the socket's writing side. in and out are never held
	// while waiting for the other.

	conn    net.Conn
	raw     syscall.RawConn // of a TCP or Unix socket, else nil
	config  *Config
	engine  *engine.Engine
	options engine.Options

	shaking        atomic.Pointer[shaking] // nil once the handshake is complete
	aborted        atomic.Pointer[error]   // why, where a callback did not return
	renegotiations renegotiations

	readMutex sync.Mutex
	in        sync.Mutex
	reader    *reader // on sockets, in use
	out       sync.Mutex
	sender    *sender // in use
	reset     reset
	writeErr  *error // nil while nothing has failed

	idler atomic.Pointer[time.Timer] // nil while the connection is idle

	scratch    *scratch // of a handshake under way, or about to resume
	ticketKeys *session.TicketKeys

	writeDeadline atomic.Pointer[time.Time]
	readers       atomic.Int32 // that have readMutex, or wait for it
	flags         flags
	role          wire.Role
	stuck         bool // output is left over: sending it has timed out
	drained       bool // the next Read has to receive; readMutex guards it

	// What net/http is told by: see net_http.go.
	listened, heard, spoken bool // made by a listener; something was read, and written
}

// scratch is what is made once for a handshake. A server has the hello, a client the key.
type scratch struct {
	hello    *ClientHelloInfo
	cacheKey string // made by sessionKey
	hasKey   bool
}

// ofHandshake is the scratch, made when it is first asked for.
func (c *Conn) ofHandshake() *scratch {
	if c.scratch == nil {
		c.scratch = new(scratch)
	}
	return c.scratch
}

// forgetHello drops what a server has shown to the application.
func (c *Conn) forgetHello() {
	if c.role == wire.Server {
		c.scratch = nil
	}
}

// shaking is what only the first handshake needs.
type shaking struct {
	turn      turn
	interrupt interrupt
	err       error
	resolved  *handshake.Config
	offered   *ClientSessionState // a session, to resume
	early     *earlyShaking       // nil without early data
}

// flags are what is true of a Conn, for anybody to see at any time.
type flags struct{ bits atomic.Uint32 }

type mark uint32

const (
	complete  mark = 1 << iota // the first handshake is
	closed                     // Close was called, or a callback did not return
	speaks                     // the alert that ends the connection is being sent
	refused                    // it has been sent
	asksLater                  // RequestClientCertificate was called: Config.LaterClientAuth holds
	prefaced                   // the client has begun HTTP/2, see net_http.go
	answered                   // it was answered in the clear
	warm                       // used since the idler looked last
	ticking                    // the idler is set
)

func (f *flags) has(one mark) bool { return f.bits.Load()&uint32(one) != 0 }

// set and unset report whether the flag was set before.
func (f *flags) set(one mark) bool   { return f.bits.Or(uint32(one))&uint32(one) != 0 }
func (f *flags) unset(one mark) bool { return f.bits.And(^uint32(one))&uint32(one) != 0 }

func (f *flags) put(one mark, on bool) {
	if on {
		f.set(one)
	} else {
		f.unset(one)
	}
}

// Server returns the server side of a TLS connection over conn. The Config
// must have a certificate, or the means to get one.
func Server(conn net.Conn, config *Config) *Conn { return newConn(conn, config, wire.Server) }

// Client returns the client side of a TLS connection over conn. The Config
// must have ServerName or InsecureSkipVerify.
func Client(conn net.Conn, config *Config) *Conn { return newConn(conn, config, wire.Client) }

func newConn(conn net.Conn, config *Config, role wire.Role) *Conn {
	if config == nil {
		config = &emptyConfig
	}
	c := &Conn{conn: conn, raw: rawConn(conn), config: config, role: role}
	c.shaking.Store(new(shaking))
	return c
}

var emptyConfig Config

func (c *Conn) LocalAddr() net.Addr  { return c.conn.LocalAddr() }
func (c *Conn) RemoteAddr() net.Addr { return c.conn.RemoteAddr() }

// SetDeadline sets the deadlines for reading and writing; a zero time means
// none. Unlike in crypto/tls a Write that has timed out may be tried again: n
// says how much is taken care of.
func (c *Conn) SetDeadline(t time.Time) error {
	c.writeDeadline.Store(&t)
	return c.conn.SetDeadline(t)
}
func (c *Conn) SetReadDeadline(t time.Time) error { return c.conn.SetReadDeadline(t) }
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.writeDeadline.Store(&t)
	return c.conn.SetWriteDeadline(t)
}

// late reports that the deadline for writing has passed. What is sealed must be
// sent one day, so nothing is sealed then.
func (c *Conn) late() bool {
	t := c.writeDeadline.Load()
	return t != nil && !t.IsZero() && !time.Now().Before(*t)
}

// NetConn returns the connection below. Reading or writing it corrupts the
// TLS connection.
func (c *Conn) NetConn() net.Conn { return c.conn }

// Hooks returns those of this connection: what Config.Trace.Connection returned for it, or
// Config.Trace itself; nil without, and before the handshake has begun. Where nothing else
// uses the connection, as in OnHandshake of package httptls, a func in what Connection
// returned may be set to nil: that event is not reported from then on.
func (c *Conn) Hooks() *trace.Hooks { return c.options.Hooks }

// read is the connection's Read, which may return nothing for a while, but not for
// ever.
func (c *Conn) read(buf []byte) (n int, err error) {
	for range 100 {
		if n, err = c.conn.Read(buf); n != 0 || err != nil {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

func isTimeout(err error) bool {
	if err == nil { // mostly, and what follows allocates
		return false
	}
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// Read receives and decrypts into p. It returns io.EOF only after the peer's
// close_notify; a stream that just ends gives ErrUnexpectedEOF. For bulk data
// a p of 16 KiB and 256 bytes or more saves a copy.
func (c *Conn) Read(p []byte) (int, error) {
	if err := c.Handshake(); err != nil {
		c.answerInTheClear(err)
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	c.readers.Add(1)
	defer c.leave()
	if !c.readMutex.TryLock() {
		if n := c.takeHeld(p); n > 0 {
			return n, nil
		}
		c.readMutex.Lock()
	}
	defer c.readMutex.Unlock()
	for {
		if c.flags.has(closed) {
			return 0, c.gone()
		}
		if !c.drained {
			n, err := c.take(p)
			c.touch()
			c.answerAside(err)
			if n > 0 || err != engine.ErrWantInput {
				c.hear(p[:n])
				return n, c.explain(err)
			}
		}
		c.drained = false
		if err := c.receive(); err != nil {
			return 0, c.explain(err)
		}
	}
}

// take reads what has been received.
func (c *Conn) take(p []byte) (n int, err error) {
	c.in.Lock()
	defer c.in.Unlock()
	err = errInterrupted
	defer c.guard(&err, inBroken)
	n, err = c.engine.Read(p)
	c.drained = c.engine.Drained()
	return n, err
}

// takeHeld reads what a renegotiation has received and kept. It may still be
// receiving, which must not keep that from the reader.
func (c *Conn) takeHeld(p []byte) int {
	c.in.Lock()
	defer c.in.Unlock()
	return c.engine.Held(p)
}

// answer sends what the In half has asked for. If a Write is under way, that
// does it.
func (c *Conn) answer() {
	for c.pending() && c.out.TryLock() {
		c.flush()
	}
}

func (c *Conn) pending() bool { return c.engine.Pending() && c.aborted.Load() == nil }

// answerAside is answer for a caller that must go on receiving: if the peer did the same, and
// both waited for room to send, nobody would make any. Only the alert that ends the
// connection is waited for, so that a Close does not come before it. err is what
// receiving ended with.
func (c *Conn) answerAside(err error) {
	switch {
	case err != nil && err != engine.ErrWantInput && err != io.EOF:
		c.lastWords()
	case c.pending():
		c.alone(c.answer)
	}
}

// flush is answer's work under the lock of the writing side, which it gives back.
func (c *Conn) flush() {
	defer c.out.Unlock()
	if c.aborted.Load() != nil {
		return
	}
	err := errInterrupted
	defer c.guard(&err, outBroken)
	err = c.flushed() // Write and Close tell
}

func (c *Conn) flushed() error {
	if err := c.engine.Flush(); err != nil {
		return err
	}
	return c.send()
}

// receive waits for bytes from the peer and gives them to the engine.
// readMutex is held. A timeout is returned; the end of the stream is for the
// engine to judge.
func (c *Conn) receive() (err error) {
	if c.raw != nil {
		return c.receiveReady()
	}
	err = errInterrupted
	defer c.guard(&err, nil)
	n, err := c.read(c.lend())
	return c.received(n, err)
}

func (c *Conn) lend() []byte {
	c.in.Lock()
	defer c.in.Unlock()
	return c.engine.Lend(c.engine.Want())
}

func (c *Conn) received(n int, err error) error {
	c.in.Lock()
	defer c.in.Unlock()
	c.engine.Filled(n)
	if n == 0 {
		c.engine.Unlend()
	}
	if err == nil || n > 0 {
		return nil
	}
	if isTimeout(err) {
		return err
	}
	c.engine.EOF(c.reset.orEnd(err))
	return nil
}

// KeyUpdate renews the keys that we write with and, if requestPeer is set, asks
// the peer to renew its own. TLS 1.3 only; it is done by itself before a key
// has sealed more than is safe. RFC 8446 §4.6.3.
func (c *Conn) KeyUpdate(requestPeer bool) (err error) {
	if err := c.Handshake(); err != nil {
		return err
	}
	c.out.Lock()
	defer c.out.Unlock()
	if c.flags.has(closed) {
		return c.gone()
	}
	err = errInterrupted
	defer c.guard(&err, outBroken)
	if err := c.engine.KeyUpdate(requestPeer); err != nil {
		return err
	}
	return c.send()
}
