package tls

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// renegotiations is what a connection knows of its further handshakes.
type renegotiations struct {
	current  atomic.Pointer[attempt]
	complete atomic.Int32
	byPeer   int32 // that the peer has started; under Conn.in
	last     int64 // when it did, in nanoseconds since 1970
}

// attempt is a further handshake under way.
//
// It advances when somebody receives: a caller in Read or, without one and if a caller
// waits for the end, a goroutine. The goroutine gives way to Read, or
// a Read would have to wait for the end of the handshake for what is already there.
type attempt struct {
	ctx     context.Context // that callbacks are shown; over when the attempt is
	cancel  context.CancelCauseFunc
	done    chan struct{}
	err     error       // once done is closed
	timer   *time.Timer // nil for no bound
	waiting atomic.Int32
	// read is set once a Read has ended: then there will be another.
	read    atomic.Bool
	blocked chan error // why the goroutine cannot go on, where nobody reads
}

// begin registers an attempt and starts it, or returns one that is under way.
func (c *Conn) begin(ctx context.Context, start func(context.Context) error) (a *attempt, begun bool, err error) {
	c.in.Lock()
	defer c.in.Unlock()
	err = errInterrupted
	defer c.guard(&err, inBroken)
	if a := c.renegotiations.current.Load(); a != nil {
		return a, false, nil
	}
	a = c.newAttempt(ctx)
	if err := start(a.ctx); err != nil {
		c.ended(a, err)
		return nil, false, err
	}
	return a, true, nil
}

// newAttempt makes the current one, under ctx and bounded in time. in is held.
func (c *Conn) newAttempt(ctx context.Context) *attempt {
	a := &attempt{done: make(chan struct{}), blocked: make(chan error, 1)}
	a.ctx, a.cancel = context.WithCancelCause(ctx)
	if limit := c.config.handshakeTimeout(); limit > 0 {
		a.timer = time.AfterFunc(limit, func() { c.absorb(func() { c.giveUp(a, os.ErrDeadlineExceeded) }) })
	}
	c.renegotiations.current.Store(a)
	if c.flags.has(closed) { // Close may have come before there was anything to cancel
		a.cancel(net.ErrClosed)
	}
	return a
}

// giveUp ends an attempt that takes too long: with the connection, unless the
// client has not answered our HelloRequest.
func (c *Conn) giveUp(a *attempt, why error) {
	a.cancel(why) // a callback may wait for it, with in held
	if c.endLate(a, why) {
		c.conn.Close() // without in: it waits for a reader, which may wait for in
	}
}

// endLate is giveUp under the lock of the In half. It reports whether the connection
// has ended too.
func (c *Conn) endLate(a *attempt, why error) bool {
	c.in.Lock()
	defer c.in.Unlock()
	if c.renegotiations.current.Load() != a {
		return false
	}
	fault := &handshake.Error{Alert: wire.AlertUserCanceled, Err: why}
	if errors.Is(why, os.ErrDeadlineExceeded) {
		fault.Hint = "see Config.HandshakeTimeout"
	}
	if c.engine.Cancel() {
		fault.Rule = "the client has not answered the HelloRequest; the connection goes on as it was"
		c.ended(a, fault)
		return false
	}
	fault.Rule = "a handshake inside the connection was given up, so the connection is closed"
	c.engine.Fail(fault)
	c.ended(a, fault)
	return true
}

// unsent ends a connection in which the messages of a further handshake cannot be
// sent. A reader would wait for the peer, which waits for them.
func (c *Conn) unsent(why error) {
	if a := c.renegotiations.current.Load(); a != nil {
		a.cancel(why) // as in giveUp
	}
	if c.endUnsent(why) {
		c.conn.Close() // as in giveUp
	}
}

func (c *Conn) endUnsent(why error) bool {
	c.in.Lock()
	defer c.in.Unlock()
	if c.engine.Err() != nil {
		return false
	}
	c.engine.Fail(&handshake.Error{Alert: wire.AlertInternalError, Rule: "a handshake inside the connection cannot go on, because its messages cannot be sent", Err: why})
	return true
}

// ended closes an attempt, unless that has been done. a may be nil.
func (c *Conn) ended(a *attempt, err error) {
	if a == nil || !c.renegotiations.current.CompareAndSwap(a, nil) {
		return
	}
	if err == nil && !handshake.ProfileOf(c.engine.Result().Version).Updates { // TLS 1.3 has no renegotiation
		c.renegotiations.complete.Add(1)
	}
	if a.timer != nil {
		a.timer.Stop()
	}
	a.cancel(err)
	a.err = err
	close(a.done)
}

// closedByPeer: a close_notify is no regular end where a handshake is due.
func closedByPeer(err error) error {
	if err == io.EOF {
		return &handshake.Error{Alert: wire.AlertCloseNotify, Received: true, Rule: "the peer has closed the connection, so there is no other handshake", Err: io.ErrUnexpectedEOF}
	}
	return err
}

// await waits for the end of an attempt, or of ctx.
func (c *Conn) await(ctx context.Context, a *attempt) error {
	a.waiting.Add(1)
	defer a.waiting.Add(-1)
	c.attend()
	select {
	case <-a.done:
		return c.explain(a.err)
	case err := <-a.blocked:
		return c.explain(err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave is the end of a Read.
func (c *Conn) leave() {
	c.readers.Add(-1)
	if a := c.renegotiations.current.Load(); a != nil {
		a.read.Store(true)
		c.attend()
	}
}

// attend has a goroutine receive, if that is called for. Everything that makes it
// so calls this afterwards: a wait, the end of a Read, and the goroutine before.
func (c *Conn) attend() {
	if c.wanted() && c.readMutex.TryLock() {
		c.alone(c.receiveFurther)
	}
}

// wanted reports that somebody waits for a further handshake, and nobody reads.
func (c *Conn) wanted() bool {
	a := c.renegotiations.current.Load()
	return a != nil && a.waiting.Load() > 0 && c.readers.Load() == 0
}

// receiveFurther receives while that is wanted. It has got readMutex.
func (c *Conn) receiveFurther() {
	err := c.receiveWanted()
	if err == nil {
		c.attend()
		return
	}
	if a := c.renegotiations.current.Load(); a != nil {
		time.AfterFunc(grace, func() { c.block(a, err) })
	}
}

// receiveWanted gives readMutex back.
func (c *Conn) receiveWanted() (err error) {
	defer c.readMutex.Unlock()
	for c.wanted() && err == nil {
		err = c.receiveOnce()
	}
	return err
}

// grace is how long a reader may be busy with what it has read before.
const grace = time.Second

// block tells a caller that waits that nothing more can be received, if nobody reads.
func (c *Conn) block(a *attempt, why error) {
	if a.read.Load() || c.readers.Load() > 0 {
		return
	}
	select {
	case a.blocked <- why:
	default:
	}
}

// receiveOnce handles a record, or receives what is missing of it. It cannot for
// lack of room, or where a deadline has passed.
func (c *Conn) receiveOnce() error {
	err := c.keep()
	c.answerAside(err)
	if err == engine.ErrWantInput && c.wanted() {
		err = c.receive()
	}
	if err == engine.ErrWantInput {
		return nil
	}
	return err
}

// keep handles a record, and keeps its data for Read.
func (c *Conn) keep() (err error) {
	c.in.Lock()
	defer c.in.Unlock()
	err = errInterrupted
	defer c.guard(&err, inBroken)
	c.drained = false
	return c.engine.Further()
}

// glance is how often a Write that waits looks at its deadline, which may be
// changed meanwhile.
const glance = 20 * time.Millisecond

// release waits, for a Write, until application data may be sent again. That a
// renegotiation was declined is no reason not to.
func (c *Conn) release() error {
	for {
		a := c.renegotiations.current.Load()
		switch {
		case c.flags.has(closed):
			return c.gone()
		case a == nil:
			return c.inErr()
		case c.late():
			return os.ErrDeadlineExceeded
		}
		ctx, cancel := context.WithTimeout(context.Background(), glance)
		err := c.await(ctx, a)
		if cancel(); err != nil && err != context.DeadlineExceeded && c.renegotiations.current.Load() == a {
			return err
		}
	}
}

// inErr is why the In half has ended, nil while it has not.
func (c *Conn) inErr() error {
	c.in.Lock()
	defer c.in.Unlock()
	return c.explain(closedByPeer(c.engine.Err()))
}
