package scan

import (
	"context"
	"time"
)

// A line is a row of probes each of which follows from the answer to the one before. While
// one runs, the connection for the next is made already: half of the way of each. It holds one
// of the places that a server gives, so what a line does in between must need no other.
type line struct {
	x      *audit
	probes int
	next   chan *opened // of which one comes; nil where none is being made
}

// stale is when a connection that waits is not used any more: servers hang up on silent
// clients.
const stale = time.Second

func (x *audit) line() *line { return &line{x: x} }

// do carries a probe out; nil once the context has ended. Connections are made ahead from
// the second probe on: the first may be the last.
func (l *line) do(ctx context.Context, probe Probe) *Answer {
	ready := l.take()
	if ready == nil {
		// A server that takes one connection after the other must not meet the next one first.
		ready = l.x.p.open(ctx, l.x.at)
	}
	if l.probes++; l.probes > 1 && ready.err == nil {
		next := make(chan *opened, 1)
		go func() { next <- l.x.p.open(ctx, l.x.at) }()
		l.next = next
	}
	return l.x.doOn(ctx, probe, ready)
}

// take is the connection that was made ahead; nil for none that is good.
func (l *line) take() *opened {
	if l.next == nil {
		return nil
	}
	c := <-l.next
	l.next = nil
	if c.err != nil && !c.late {
		l.x.p.paceOf(l.x.at).judge(l.x.at.Address, kindOfDial(c.err), 0) // where it has enough of us, go slower
	}
	if c.err != nil || time.Since(c.began) > stale {
		c.close()
		return nil
	}
	c.began = time.Now()
	return c
}

// end closes a connection that was made ahead and is not needed.
func (l *line) end() {
	if c := l.take(); c != nil {
		c.close()
	}
}
