package tls

import (
	"context"
	"io"
	"os"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// Early data has methods of its own, on both sides, and never goes through Read and Write:
// nobody can take by mistake what may be a copy, or send what must not be copied.

// earlyShaking is what a first handshake with early data needs.
type earlyShaking struct {
	data   []byte     // client: what to send
	sent   chan error // client: the end of sending it; nil before that has begun
	paused bool       // server: the handshake waits, and can be gone on with
	conn   *EarlyConn // server: what the application gets; nil before
}

// HandshakeEarly is HandshakeContext for a client that has something to send at once, of which
// it says by this call that it may be done twice: anyone on the path can record it and send it
// again, and the server may do it again.
//
// data is sent as early data (0-RTT) behind the ClientHello, as a whole, if there is a session to
// resume whose ticket allows that much. taken says that the server has accepted it. Where taken is
// false and err is nil, the server has done nothing with it: send it by Write, or leave it. Where
// err is not nil, whether the server has done it is not known.
//
// The server is known by the session alone at that moment. Its chain is judged again before, by
// the Config's authorities, or the raw key by RawPublicKeys; VerifyPeerCertificate and
// VerifyConnection are asked when it has answered. A client that relies on them for pins drops
// its sessions when it withdraws one.
//
// data is sealed before HandshakeEarly returns, and may then be changed. After the
// handshake has begun it is an error. RFC 8446 §4.2.10.
func (c *Conn) HandshakeEarly(ctx context.Context, data []byte) (taken bool, err error) {
	if c.role != wire.Client {
		return false, &handshake.Error{Rule: "HandshakeEarly was called on a server; AcceptEarly is for servers"}
	}
	if err := c.shakeEarly(ctx, &earlyShaking{data: data}); err != nil {
		return false, err
	}
	return c.engine.Result().EarlyData == handshake.EarlyAccepted, nil
}

// shakeEarly runs the handshake, which must not have begun, with early data.
func (c *Conn) shakeEarly(ctx context.Context, early *earlyShaking) error {
	s := c.shaking.Load()
	if s == nil {
		return errBegun
	}
	if err := s.turn.take(ctx); err != nil {
		c.interruptBy(err)
		return err
	}
	defer c.wipeIfClosed()
	defer s.turn.give()
	if c.engine != nil || s.err != nil || c.flags.has(complete) {
		return errBegun
	}
	s.early = early
	err := c.handshake(ctx, s)
	if err == errPaused {
		return nil
	}
	return err
}

var errBegun error = &handshake.Error{Rule: "early data was to be handled after the handshake has begun: that is the first thing to do on a connection"}

// errPaused ends a call of the handshake where the application is to get early data.
var errPaused error = &handshake.Error{Rule: "the handshake waits for the end of early data"}

// resolveEarly adds what early data needs of the Config. A GetConfigForClient may have brought
// another one.
func (c *Conn) resolveEarly(h *handshake.Config) {
	s := c.shaking.Load()
	if s == nil {
		return
	}
	if c.role == wire.Client {
		if s.early != nil {
			h.EarlySize = len(s.early.data)
		}
		return
	}
	e := &c.config.EarlyData
	if e.MaxBytes == 0 {
		return
	}
	h.Early = &handshake.Early{Max: uint32(e.MaxBytes), Window: e.window(), Wanted: s.early != nil, Protocols: e.Protocols, Replay: replay{e.Replay}}
}

// sendEarly seals the early data of a client that has announced it, and has it sent
// beside the handshake: a server that answers before it reads must find somebody that reads.
func (c *Conn) sendEarly(s *shaking) error {
	e := s.early
	if e == nil || e.sent != nil || c.role != wire.Client || !c.engine.OffersEarly() {
		return nil
	}
	var sealed []byte
	for rest := e.data; len(rest) > 0; {
		n, err := c.engine.Write(rest, engine.Whole)
		if err != nil {
			return err
		}
		rest = rest[n:]
		sealed = append(sealed, c.engine.Output()...)
		c.engine.Sent(len(c.engine.Output()))
	}
	sent := make(chan error, 1)
	e.sent = sent
	c.alone(func() {
		err := errInterrupted
		defer func() { sent <- err }() // also if the connection below panics
		var n int
		if n, err = c.conn.Write(sealed); err == nil && n < len(sealed) {
			err = io.ErrShortWrite
		}
	})
	return nil
}

// awaitEarly waits until the early data is sent, before anything else is.
func (c *Conn) awaitEarly(s *shaking) error {
	if s.early == nil || s.early.sent == nil || len(c.engine.Output()) == 0 {
		return nil
	}
	err := <-s.early.sent
	s.early.sent = nil
	s.early.data = nil
	return err
}

// pauses reports that a server's application is to get early data now. What it gets is made here,
// while nobody else goes on with the handshake.
func (c *Conn) pauses(s *shaking) bool {
	if e := s.early; e == nil || e.conn != nil || c.role != wire.Server || !c.engine.TakesEarly() {
		return false
	}
	state := connectionState(c.engine.Result(), false)
	state.TLSUnique = nil
	handshake.SetExporter(&state, c.engine.EarlyExporter())
	s.early.conn, s.early.paused = &EarlyConn{c: c, state: state}, true
	return true
}

// paused reports that the handshake's end is not known, though nobody is at it.
func (s *shaking) paused() bool { return s.early != nil && s.early.paused }

// pauseFor has the handshake wait behind early data where err is a deadline that has passed. The
// application has the connection by then, and its deadlines are for its own reads and writes.
func (s *shaking) pauseFor(err error) bool {
	if s.early == nil || s.early.conn == nil || !isTimeout(err) {
		return false
	}
	s.early.paused = true
	return true
}

// EarlyConn is a server's connection whose client has not yet proved that it is there: what
// Read returns is early data, and may be a copy of what was sent once. A server should do with it only what
// may be done twice.
type EarlyConn struct {
	c       *Conn
	state   ConnectionState
	writing sync.Mutex
}

// AcceptEarly runs the handshake of a server as far as the client's early data can be read, and
// returns that as an EarlyConn. Where there is none that the Config accepts, it returns nil, and
// the handshake is complete. Only a handshake that begins by AcceptEarly accepts early data.
//
// In any case the connection goes on as usual: its first Read, Write or Handshake waits for the
// rest of the handshake. What of the early data is not read by then stays to be read from the EarlyConn.
// A deadline that passes meanwhile ends the call and not the handshake, which a later one goes on
// with. Config.HandshakeTimeout bounds all of it. RFC 8446 §4.2.10.
func (c *Conn) AcceptEarly(ctx context.Context) (*EarlyConn, error) {
	if c.role != wire.Server {
		return nil, &handshake.Error{Rule: "AcceptEarly was called on a client; HandshakeEarly is for clients"}
	}
	early := new(earlyShaking)
	if err := c.shakeEarly(ctx, early); err != nil {
		return nil, err
	}
	return early.conn, nil
}

// ConnectionState is what was agreed on. HandshakeComplete is false. What its
// ExportKeyingMaterial exports is by the early exporter: a client's copy exports the same again.
// RFC 8446 §7.5.
func (e *EarlyConn) ConnectionState() ConnectionState { return e.state }

// Read returns early data. Its end is io.EOF: what the client sends from then on comes from the
// connection's own Read.
func (e *EarlyConn) Read(p []byte) (int, error) {
	c := e.c
	if len(p) == 0 {
		return 0, nil
	}
	defer c.wipeIfClosed()
	c.readMutex.Lock()
	defer c.readMutex.Unlock()
	for {
		if c.flags.has(closed) {
			return 0, c.gone()
		}
		n, err := c.takeEarly(p)
		if err != engine.ErrWantInput {
			c.answerAside(err)
			return n, c.explain(err)
		}
		if err := c.receive(); err != nil {
			return 0, c.explain(err)
		}
	}
}

func (c *Conn) takeEarly(p []byte) (n int, err error) {
	c.in.Lock()
	defer c.in.Unlock()
	if c.flags.has(closed) { // and perhaps wiped, which must not look like the end of the data
		return 0, c.gone()
	}
	err = errInterrupted
	defer c.guard(&err, inBroken)
	n, err = c.engine.ReadEarly(p)
	return n, err
}

// Write sends an answer before the client has proved that it is there. Only the client that
// has made the session can read it. A client that still sends early data, and does not read
// meanwhile, can be waited for in vain: read first, and write then.
func (e *EarlyConn) Write(p []byte) (n int, err error) {
	defer e.c.wipeIfClosed()
	e.writing.Lock()
	defer e.writing.Unlock()
	for n < len(p) && err == nil {
		var m int
		if e.c.flags.has(complete) {
			m, err = e.c.Write(p[n:])
		} else {
			m, err = e.c.writeEarly(p[n:])
		}
		n += m
	}
	return n, err
}

// writeEarly writes some of p. Between two of its kind the rest of the handshake has its turn.
func (c *Conn) writeEarly(p []byte) (n int, err error) {
	c.out.Lock()
	defer c.out.Unlock()
	switch {
	case c.flags.has(closed):
		return 0, c.gone()
	case c.late():
		return 0, os.ErrDeadlineExceeded
	}
	err = errInterrupted
	defer c.guard(&err, outBroken)
	if n, err = c.engine.Write(p, c.batch(len(p))); err == nil {
		err = c.send()
	}
	return n, err
}

// Conn returns the connection, for what is to come after the early data.
func (e *EarlyConn) Conn() *Conn { return e.c }
