package tls

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Handshake runs the handshake if it has not been run. Read and Write do so
// by themselves.
func (c *Conn) Handshake() error {
	if c.flags.has(complete) {
		return nil
	}
	return c.HandshakeContext(context.Background())
}

// HandshakeContext is Handshake under a context. If it ends before the
// handshake does, the connection is closed and the context's error returned, also
// where another goroutine runs the handshake. Once the handshake is complete, the
// context has no effect.
//
// Callbacks find a context in ClientHelloInfo and CertificateRequestInfo. It has the
// values of this one, and is cancelled when the handshake ends, by HandshakeTimeout
// and by Close too; context.Cause says why.
func (c *Conn) HandshakeContext(ctx context.Context) error {
	if c.flags.has(complete) {
		return nil
	}
	s := c.shaking.Load()
	if s == nil { // complete by now
		return nil
	}
	if err := s.turn.take(ctx); err != nil {
		c.interruptBy(err)
		return err
	}
	defer c.wipeIfClosed()
	defer s.turn.give()
	if c.flags.has(complete) || s.err != nil {
		return s.err
	}
	return c.handshake(ctx, s)
}

// handshake runs the handshake, whose end s.err keeps. One that pauses may be gone on with.
func (c *Conn) handshake(ctx context.Context, s *shaking) error {
	err := c.handshakeUnder(ctx, s)
	if !s.paused() {
		s.err = err
	}
	return err
}

func (c *Conn) handshakeUnder(ctx context.Context, s *shaking) error {
	ctx = c.bounded(ctx, s)
	defer c.unboundedUnlessPaused(s)
	err := c.shake(ctx, s)
	if s.paused() {
		return err
	}
	if why := c.unbounded(s); why != nil { // whatever else happened
		if why != net.ErrClosed { // that is Close's, which may still be at it
			c.conn.Close()
		}
		return why
	}
	if err != nil {
		return c.explain(err)
	}
	c.flags.set(complete)
	c.shaking.Store(nil)
	c.touch()
	return nil
}

// shake is run with a guard around all of it.
func (c *Conn) shake(ctx context.Context, s *shaking) (err error) {
	err = errInterrupted
	defer c.guard(&err, shakingBroken)
	return c.run(ctx, s)
}

// run makes the engine, and drives it to the end of the handshake.
func (c *Conn) run(ctx context.Context, s *shaking) (err error) {
	err = errInterrupted
	defer func() { c.settle(s, err) }()
	if c.engine == nil {
		if err := c.start(s); err != nil {
			return err
		}
	}
	return c.drive(ctx, s)
}

// settle gives back what only a handshake needs. It is not over well where err says so.
func (c *Conn) settle(s *shaking, err error) {
	if s.paused() {
		return
	}
	if c.engine != nil && (err != nil || !c.engine.FurtherUnderWay()) { // which may have come with the last flight
		c.forgetHello()
		c.engine.Abandon()
	}
	*s.resolved = handshake.Config{}
	configs.Put(s.resolved)
	offered := s.offered
	s.resolved, s.offered = nil, nil
	if err != nil && !rejectsECH(err) {
		c.drop(offered)
	}
}

// rejectsECH: a server that did not take the encrypted hello has not seen the session in it.
func rejectsECH(err error) bool {
	var rejected *ECHRejectionError // on the heap
	return errors.As(err, &rejected)
}

// configs are those of handshakes under way.
var configs = sync.Pool{New: func() any { return new(handshake.Config) }}

// start reads the Config and makes the engine.
func (c *Conn) start(s *shaking) error {
	h := configs.Get().(*handshake.Config)
	s.resolved = h
	resolve := (*Config).resolveClient
	if c.role == wire.Server {
		resolve = (*Config).resolveServer
	}
	if err := resolve(c.config, h, (*host)(c)); err != nil {
		return err
	}
	c.resolveEarly(h)
	c.options = engine.Options{Hooks: c.hooks(), Further: (*further)(c)}
	c.config.fill(&c.options)
	if h.Sessions && h.Tickets && c.role == wire.Client {
		c.options.Saves = true
	}
	c.engine = engine.New(c.role, h, &c.options)
	return nil
}

// hooks are those for this connection.
func (c *Conn) hooks() *trace.Hooks {
	if all := c.config.Trace; all != nil && all.Connection != nil {
		return all.Connection()
	}
	return c.config.Trace
}

// fill sets what a Config that takes the place of another changes of a connection.
func (c *Config) fill(o *engine.Options) {
	o.Padding, o.MaxFragment = c.Record.Padding, int32(max(0, min(c.Record.MaxFragment, 1<<14)))
	o.RefuseFatally, o.UnsafeRenegotiation = c.Renegotiate.RefuseFatally, c.Legacy.UnsafeRenegotiation
	o.UnannouncedEnd = c.Legacy.UnannouncedEnd
}

// compute does what can be done of the handshake without the peer, when it is our turn.
func (c *Conn) compute(ctx context.Context, costs bool) error {
	turn := c.config.HandshakeTurn
	if turn == nil || !costs {
		return c.engine.Handshake(ctx)
	}
	done, err := turn(ctx)
	if err != nil {
		c.engine.Fail(err)
		return c.engine.Err()
	}
	if done != nil {
		defer done()
	}
	return c.engine.Handshake(ctx)
}

// readShaking reads with in and out held. Behind early data the application may answer meanwhile.
func (c *Conn) readShaking(s *shaking) (int, error) {
	room := c.engine.Lend(c.engine.Want())
	if s.early != nil && s.early.conn != nil {
		c.out.Unlock()
		defer c.out.Lock()
	}
	return c.read(room)
}

// drive moves bytes between the socket and the engine until it is done.
func (c *Conn) drive(ctx context.Context, s *shaking) error {
	c.readMutex.Lock()
	defer c.readMutex.Unlock()
	c.in.Lock()
	defer c.in.Unlock()
	c.out.Lock()
	defer c.out.Unlock()
	heard := c.role == wire.Client // the side that begins has work before anything has come
	for {
		err := c.compute(ctx, heard)
		if flushErr := c.engine.Flush(); err == nil {
			err = flushErr
		}
		if c.engine.CanWait() {
			return err // sent now, it would wait for a peer that itself waits in Write
		}
		if err == engine.ErrWantInput {
			if earlyErr := c.sendEarly(s); earlyErr != nil {
				err = earlyErr
			}
		}
		sendErr := c.awaitEarly(s)
		if sendErr == nil {
			sendErr = c.send()
		}
		if err != nil && !errors.Is(err, engine.ErrWantInput) {
			c.flags.put(refused, sendErr == nil && c.engine.Refused())
			return err
		}
		if err == nil || sendErr != nil {
			s.pauseFor(sendErr)
			return sendErr
		}
		if c.pauses(s) {
			return errPaused
		}
		n, err := c.readShaking(s)
		heard = true
		c.engine.Filled(n)
		switch {
		case n > 0 || err == nil:
		case s.pauseFor(err):
			c.engine.Unlend()
			return err
		default:
			c.engine.EOF(err)
		}
	}
}
