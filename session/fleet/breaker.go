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
	// calm is how long a store must do well before the next rest is a short one again.
	calm = 10 * time.Second
)

// A breaker keeps calls from a store that fails. While it is open one call at a time is let
// through after each rest; the first that succeeds in time closes it. Rests double up to longRest, and
// half of each is chance, so that the members of a fleet do not come all at once.
type breaker struct {
	mu     sync.Mutex
	failed int // in a row
	probes bool
	rest   time.Duration
	until  time.Time // of a rest
	closed time.Time // when it last closed
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

// note takes in what came of a call that was allowed. good says that it succeeded in the time of a look-up.
func (b *breaker) note(now time.Time, probe, good bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	open := b.failed >= breakAfter
	switch {
	case open && !probe: // it was on its way when the breaker opened
		return
	case good:
		if open {
			b.closed = now
		}
		b.failed, b.probes = 0, false
		return
	}
	if b.failed++; b.failed < breakAfter {
		return
	}
	switch {
	case b.rest == 0 || !open && now.Sub(b.closed) > calm:
		b.rest = firstRest
	default:
		b.rest = min(2*b.rest, longRest)
	}
	b.probes = false
	b.until = now.Add(b.rest/2 + rand.N(b.rest/2+1))
}
