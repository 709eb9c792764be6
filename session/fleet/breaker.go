package fleet

import (
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// breakAfter failures in a row the store is left alone.
	breakAfter = 5
	firstRest  = 100 * time.Millisecond
	longRest   = 2 * time.Second
)

// A breaker keeps calls from a store that fails. While it is open one call at a time is let
// through after each rest; the first that succeeds closes it. Rests double up to longRest, and
// half of each is chance, so that the members of a fleet do not come all at once.
type breaker struct {
	mu     sync.Mutex
	failed int // in a row
	probes bool
	rest   time.Duration
	until  time.Time
}

// allow reports whether a call may be made, and whether it is one that tries.
func (b *breaker) allow(now time.Time) (probe, allowed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed < breakAfter {
		return false, true
	}
	if b.probes || now.Before(b.until) {
		return false, false
	}
	b.probes = true
	return true, true
}

// note takes in what came of a call that was allowed.
func (b *breaker) note(now time.Time, good bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if good {
		b.failed, b.probes, b.rest, b.until = 0, false, 0, time.Time{}
		return
	}
	open := b.failed >= breakAfter
	b.failed++
	switch {
	case b.failed < breakAfter:
		return
	case !open:
		b.rest = firstRest
	case !b.probes: // one that was on its way when it opened
		return
	default:
		b.rest = min(2*b.rest, longRest)
	}
	b.probes = false
	b.until = now.Add(b.rest/2 + rand.N(b.rest/2+1))
}
