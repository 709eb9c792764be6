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
// learn of it through the context that they are shown.
type interrupt struct {
	mutex  sync.Mutex
	cancel context.CancelCauseFunc // nil while no handshake is under way
	why    error
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

// bounded begins what interrupt can end. end, which may be called again, tells why it
// did, nil if it did not; from then on nothing is interrupted, and the context is over.
func (c *Conn) bounded(ctx context.Context, s *shaking) (within context.Context, end func() error) {
	within, cancel := context.WithCancelCause(ctx)
	i := &s.interrupt
	i.mutex.Lock()
	i.cancel = cancel
	i.mutex.Unlock()
	if c.flags.has(closed) { // Close may have come before there was anything to cancel
		i.cut(net.ErrClosed)
	}
	stop, timer := func() bool { return true }, (*time.Timer)(nil)
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, func() { c.absorb(func() { c.interruptBy(ctx.Err()) }) })
	}
	if limit := c.config.handshakeTimeout(); limit > 0 {
		timer = time.AfterFunc(limit, func() { c.absorb(func() { c.interruptBy(errTooLong) }) })
	}
	return within, func() error {
		stop()
		if timer != nil {
			timer.Stop()
		}
		i.mutex.Lock()
		defer i.mutex.Unlock()
		if i.cancel != nil && i.why == nil { // callbacks may know before interruptBy does
			i.why = within.Err()
		}
		i.cancel = nil
		cancel(nil)
		return i.why
	}
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
	if i.cancel == nil {
		return false
	}
	if i.why == nil {
		i.why = why
	}
	i.cancel(why)
	return true
}
