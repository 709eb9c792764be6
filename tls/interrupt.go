package tls

import (
	"context"
	"net"
	"os"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/internal/handshake"
)

// interrupt is how the first handshake is ended from outside: by its context, by
// HandshakeTimeout, by Close, by the context of a caller that waits for it. Callbacks
// learn of it through the context that they are shown, which it is.
type interrupt struct {
	mutex    sync.Mutex
	underWay bool
	why      error
	parent   context.Context // the caller's
	leave    func() bool     // ends what waits for the parent; nil for nothing
	// made is a context of package context, cancel its end. Only where somebody waits for
	// the handshake's end, or looks for a value, is there one.
	made   context.Context
	cancel context.CancelCauseFunc
}

// handshakeTimeout is the default of Config.HandshakeTimeout.
const handshakeTimeout = 30 * time.Second

func (c *Config) handshakeTimeout() time.Duration {
	if c.HandshakeTimeout == 0 {
		return handshakeTimeout
	}
	return c.HandshakeTimeout
}

var errTooLong error = &handshake.Error{Rule: "the handshake took too long", Err: os.ErrDeadlineExceeded, Hint: "see Config.HandshakeTimeout"}

// bounded begins what interrupt can end, until unbounded is called.
func (c *Conn) bounded(ctx context.Context, s *shaking) (within context.Context) {
	i := &s.interrupt
	i.mutex.Lock()
	again := i.underWay // after a pause, during which the timer goes on
	if s.early != nil {
		s.early.paused = false
	}
	i.parent, i.underWay = ctx, true
	i.mutex.Unlock()
	if c.flags.has(closed) { // Close may have come before there was anything to cancel
		i.cut(net.ErrClosed)
	}
	if ctx.Done() != nil {
		i.leave = context.AfterFunc(ctx, func() { c.absorb(func() { c.interruptBy(ctx.Err()) }) })
	}
	if limit := c.config.handshakeTimeout(); limit > 0 && !again {
		c.idler.Store(time.AfterFunc(limit, c.ring))
	}
	return i
}

// unboundedUnlessPaused is unbounded, but for a handshake that goes on after the early data: it
// stays bounded in time, and its context no longer has an effect.
func (c *Conn) unboundedUnlessPaused(s *shaking) {
	if !s.paused() {
		c.unbounded(s)
		return
	}
	i := &s.interrupt
	if i.leave != nil {
		i.leave()
		i.leave = nil
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.cancel != nil {
		i.cancel(nil)
	}
	i.parent, i.made, i.cancel = context.Background(), nil, nil
}

// unbounded tells why the handshake was interrupted, nil if it was not; from now on it is
// not, and the context is over. It may be called again.
func (c *Conn) unbounded(s *shaking) error {
	i := &s.interrupt
	if i.leave != nil {
		i.leave()
	}
	if timer := c.idler.Load(); timer != nil && i.underWay && !timer.Stop() {
		c.idler.CompareAndSwap(timer, nil) // it is at work, or Close has stopped it
	}
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.underWay && i.why == nil { // callbacks may know before interruptBy does
		i.why = i.parent.Err()
	}
	i.underWay = false
	if i.cancel != nil {
		i.cancel(nil)
	}
	return i.why
}

// ring is what a connection's one timer does: first it bounds the handshake, then it looks
// whether the connection is idle.
func (c *Conn) ring() {
	if !c.flags.has(complete) {
		c.absorb(func() { c.interruptBy(errTooLong) })
		return
	}
	c.absorb(c.idle)
}

// interruptBy ends a handshake that is under way, with the connection.
func (c *Conn) interruptBy(why error) {
	if s := c.shaking.Load(); s != nil && s.interrupt.cut(why) {
		c.conn.Close()
	}
}

// cut cancels the context, and reports whether a handshake is under way.
func (i *interrupt) cut(why error) bool {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if !i.underWay {
		return false
	}
	if i.why == nil {
		i.why = why
	}
	if i.cancel != nil {
		if i.parent.Err() != nil { // then both tell of it, in any order
			why = context.Cause(i.parent)
		}
		i.cancel(why)
	}
	return true
}

// real makes the context, with what has happened so far.
func (i *interrupt) real() context.Context {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	if i.made == nil {
		i.made, i.cancel = context.WithCancelCause(i.parent)
		if i.why != nil || !i.underWay {
			i.cancel(i.why)
		}
	}
	return i.made
}

func (i *interrupt) Done() <-chan struct{} { return i.real().Done() }
func (i *interrupt) Value(key any) any     { return i.real().Value(key) } // context.Cause looks in here, too

func (i *interrupt) Deadline() (time.Time, bool) {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	return i.parent.Deadline()
}

// Err is Done's error. Nobody needs a context for it.
func (i *interrupt) Err() error {
	i.mutex.Lock()
	defer i.mutex.Unlock()
	switch {
	case i.made != nil:
		return i.made.Err()
	case i.parent.Err() != nil:
		return i.parent.Err()
	case i.why != nil || !i.underWay:
		return context.Canceled
	}
	return nil
}
