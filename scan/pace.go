package scan

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// A pace keeps the limits of one host, whatever its ports, and goes slower where it refuses:
// it is the machine, and what stands before it, that connections cost.
type pace struct {
	gate *gate

	mu sync.Mutex
	// interval is the time between two connections; 0 for none.
	interval time.Duration
	next     time.Time
	// spoke are the addresses at which a connection has come about: a refusal there is no
	// closed port.
	spoke map[string]bool
}

const (
	// tries is how often a connection is tried that a server refuses which took others.
	tries = 4
	// slowest is the longest interval that refusals lead to.
	slowest = time.Second
	// firstBackOff is what a pace without an interval goes on with after a refusal.
	firstBackOff = 20 * time.Millisecond
)

// newPace has the limits; a rate of 0 is none.
func newPace(connections int, rate float64) *pace {
	p := &pace{spoke: map[string]bool{}, gate: &gate{limit: connections}}
	if rate > 0 {
		p.interval = time.Duration(float64(time.Second) / rate)
	}
	return p
}

// freePace is that of a server of this machine: as much as it answers quickly.
func freePace() *pace {
	p := newPace(leastAtOnce, 0)
	p.gate.grows = true
	return p
}

// turn waits until one more connection may begin. done gives its place back.
func (p *pace) turn(ctx context.Context) (done func(), err error) {
	if err := p.gate.enter(ctx); err != nil {
		return nil, err
	}
	p.mu.Lock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(p.interval)
	p.mu.Unlock()
	if wait := at.Sub(now); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			p.gate.leave()
			return nil, context.Cause(ctx)
		}
	}
	return p.gate.leave, nil
}

// judge sees how a connection to an address went. It reports that it is to be tried again: the server
// has taken others and refuses this one, so it has enough of us for the moment.
func (p *pace) judge(address string, end Kind, try int) (again bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if end.Connected() {
		p.spoke[address] = true
		return false
	}
	if !p.spoke[address] || end != Refused && end != Unreachable || try+1 >= tries {
		return false
	}
	p.interval = min(slowest, max(2*p.interval, firstBackOff))
	p.next = time.Now().Add(p.interval << try)
	return true
}

// loopback reports a host of this machine.
func loopback(host string) bool {
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}
