package tls

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// Conn is a TLS connection. It is a net.Conn whose methods may be called at
// the same time.
//
// Three locks order its work: handshakeMutex for the handshake; readMutex for
// whoever waits for the peer, and within it in for the engine's In half; out
// for the Out half and the socket's writing side. in and out are never held
// while waiting for the other.
type Conn struct {
	conn   net.Conn
	raw    syscall.RawConn // of a TCP or Unix socket, else nil
	config *Config
	role   wire.Role

	handshakeMutex sync.Mutex
	handshakeErr   error
	complete       atomic.Bool
	timedOut       atomic.Bool
	closed         atomic.Bool

	engine  *engine.Engine
	options engine.Options

	readMutex sync.Mutex
	in        sync.Mutex
	reader    *reader // on sockets, once used
	out       sync.Mutex
	writeErr  error

	writeDeadline atomic.Pointer[time.Time]

	warm      atomic.Bool // used since the idler looked last
	idleMutex sync.Mutex
	idler     *time.Timer
	ticking   bool // idler is set

	// Of a handshake under way.
	hello      *ClientHelloInfo
	resolved   *handshake.Config
	ticketKeys *session.TicketKeys
	cacheKey   string
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
	return &Conn{conn: conn, raw: rawConn(conn), config: config, role: role}
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

// Handshake runs the handshake if it has not been run. Read and Write do so
// by themselves.
func (c *Conn) Handshake() error { return c.HandshakeContext(context.Background()) }

// HandshakeContext is Handshake under a context. If it ends before the
// handshake does, the connection is closed and the context's error returned.
// Once the handshake is complete, the context has no effect.
func (c *Conn) HandshakeContext(ctx context.Context) error {
	if c.complete.Load() {
		return nil
	}
	c.handshakeMutex.Lock()
	defer c.handshakeMutex.Unlock()
	if c.complete.Load() || c.handshakeErr != nil {
		return c.handshakeErr
	}
	c.handshakeErr = c.handshake(ctx)
	return c.handshakeErr
}

// handshakeTimeout is the default of Config.HandshakeTimeout.
const handshakeTimeout = 30 * time.Second

func (c *Conn) handshake(ctx context.Context) (err error) {
	limit := c.config.HandshakeTimeout
	if limit == 0 {
		limit = handshakeTimeout
	}
	if limit > 0 {
		timer := time.AfterFunc(limit, func() { c.timedOut.Store(true); c.conn.Close() })
		defer timer.Stop()
	}
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { c.conn.Close() })
		defer func() {
			if !stop() {
				err = ctx.Err() // the connection is closed, whatever else happened
			}
		}()
	}
	if err := c.start(); err != nil {
		return err
	}
	err = c.drive(ctx)
	c.hello = nil
	c.engine.Abandon()
	*c.resolved = handshake.Config{}
	configs.Put(c.resolved)
	c.resolved = nil
	if err != nil {
		return c.explain(err)
	}
	c.complete.Store(true)
	c.touch()
	return nil
}

// configs are those of handshakes under way.
var configs = sync.Pool{New: func() any { return new(handshake.Config) }}

// start reads the Config and makes the engine.
func (c *Conn) start() error {
	h := configs.Get().(*handshake.Config)
	c.resolved = h
	resolve := (*Config).resolveClient
	if c.role == wire.Server {
		resolve = (*Config).resolveServer
	}
	if err := resolve(c.config, h, (*host)(c)); err != nil {
		return err
	}
	c.options = engine.Options{Hooks: c.config.Trace, Padding: c.config.Record.Padding, MaxFragment: c.config.Record.MaxFragment}
	if h.Sessions && h.Tickets && c.role == wire.Client {
		c.options.Saver = (*host)(c)
	}
	c.engine = engine.New(c.role, h, &c.options)
	return nil
}

// drive moves bytes between the socket and the engine until it is done.
func (c *Conn) drive(ctx context.Context) error {
	c.readMutex.Lock()
	defer c.readMutex.Unlock()
	c.in.Lock()
	defer c.in.Unlock()
	c.out.Lock()
	defer c.out.Unlock()
	for {
		err := c.engine.Handshake(ctx)
		if flushErr := c.engine.Flush(); err == nil {
			err = flushErr
		}
		if c.engine.CanWait() {
			return err // sent now, it would wait for a peer that itself waits in Write
		}
		sendErr := c.send()
		if err != nil && !errors.Is(err, engine.ErrWantInput) {
			return err
		}
		if err == nil || sendErr != nil {
			return sendErr
		}
		n, err := c.conn.Read(c.engine.Lend(c.engine.Want()))
		c.engine.Filled(n)
		if err != nil {
			if n == 0 {
				c.engine.EOF(err)
			}
		}
	}
}

// send writes out what the engine has sealed. out is held.
func (c *Conn) send() error {
	if c.writeErr != nil {
		return c.writeErr
	}
	for b := c.engine.Output(); len(b) > 0; b = c.engine.Output() {
		n, err := c.conn.Write(b)
		c.engine.Sent(n)
		if err != nil {
			if !isTimeout(err) {
				c.writeErr = err
			}
			return err
		}
	}
	return nil
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

// Write encrypts and sends p, as many records at a time as fit a batch. After
// an error, n bytes of p are sealed: they are sent by the next Write if the
// error was a timeout, and lost with the connection if not.
func (c *Conn) Write(p []byte) (n int, err error) {
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	defer c.answer()
	c.out.Lock()
	defer c.out.Unlock()
	if c.closed.Load() {
		return 0, net.ErrClosed
	}
	if c.late() {
		return 0, os.ErrDeadlineExceeded
	}
	c.touch()
	if err := c.send(); err != nil { // what an earlier timeout has left
		return 0, err
	}
	for n < len(p) {
		m, err := c.engine.Write(p[n:])
		n += m
		if err == nil {
			err = c.send()
		}
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Read receives and decrypts into p. It returns io.EOF only after the peer's
// close_notify; a stream that just ends gives ErrUnexpectedEOF. For bulk data
// a p of 16 KiB and 256 bytes or more saves a copy.
func (c *Conn) Read(p []byte) (int, error) {
	if err := c.Handshake(); err != nil {
		return 0, err
	}
	if len(p) == 0 {
		return 0, nil
	}
	c.readMutex.Lock()
	defer c.readMutex.Unlock()
	for {
		if c.closed.Load() {
			return 0, net.ErrClosed
		}
		c.in.Lock()
		n, err := c.engine.Read(p)
		c.in.Unlock()
		c.touch()
		c.answer()
		if n > 0 || err != engine.ErrWantInput {
			return n, c.explain(err)
		}
		if err := c.receive(); err != nil {
			return 0, c.explain(err)
		}
	}
}

// answer sends what the In half has asked for. If a Write is under way, that
// does it.
func (c *Conn) answer() {
	for c.engine.Pending() && c.out.TryLock() {
		if err := c.engine.Flush(); err == nil {
			_ = c.send() // Write and Close tell
		}
		c.out.Unlock()
	}
}

// receive waits for bytes from the peer and gives them to the engine.
// readMutex is held. A timeout is returned; the end of the stream is for the
// engine to judge.
func (c *Conn) receive() error {
	if c.raw != nil {
		return c.receiveReady()
	}
	c.in.Lock()
	buf := c.engine.Lend(c.engine.Want())
	c.in.Unlock()
	n, err := c.conn.Read(buf)
	return c.received(n, err)
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
	c.engine.EOF(err)
	return nil
}

// CloseWrite sends a close_notify: we will write no more, but still read. It
// needs a complete handshake. RFC 8446 §6.1.
func (c *Conn) CloseWrite() error {
	if !c.complete.Load() {
		return &handshake.Error{Rule: "CloseWrite was called before the handshake was complete"}
	}
	c.out.Lock()
	defer c.out.Unlock()
	return c.closeNotify()
}

func (c *Conn) closeNotify() error {
	if err := c.engine.CloseNotify(); err != nil {
		return err
	}
	return c.send()
}

// closeTimeout is how long Close tries to send its close_notify.
const closeTimeout = time.Second

// Close sends a close_notify, if a handshake is complete and no Write is under
// way, and closes the connection. It interrupts Read and Write.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	var notifyErr error
	if c.complete.Load() && c.out.TryLock() {
		c.conn.SetWriteDeadline(time.Now().Add(closeTimeout))
		if notifyErr = c.closeNotify(); isTimeout(notifyErr) || c.writeErr != nil {
			notifyErr = nil // the peer is not there to hear it
		}
		c.out.Unlock()
	}
	c.stopIdler()
	if err := c.conn.Close(); err != nil {
		return err
	}
	return notifyErr
}

// KeyUpdate renews the keys that we write with and, if requestPeer is set, asks
// the peer to renew its own. TLS 1.3 only; it is done by itself before a key
// has sealed more than is safe. RFC 8446 §4.6.3.
func (c *Conn) KeyUpdate(requestPeer bool) error {
	if err := c.Handshake(); err != nil {
		return err
	}
	c.out.Lock()
	defer c.out.Unlock()
	if c.closed.Load() {
		return net.ErrClosed
	}
	if err := c.engine.KeyUpdate(requestPeer); err != nil {
		return err
	}
	return c.send()
}
