package scan

import (
	"context"
	"slices"
	"sync"
	"time"
)

// A gate lets so many connections to a host through at once. One that grows begins gently, and lets
// more through as long as answers come quickly: a server that starts a process for each connection,
// as Dovecot does, would keep a crowd waiting for longer than a probe waits.
type gate struct {
	grows bool

	mu          sync.Mutex
	limit, used int
	waiting     []chan struct{} // closed as its turn comes, the first first
}

// How a gate that grows goes by the time that an answer took.
const (
	leastAtOnce = DefaultConnections
	quickAnswer = 300 * time.Millisecond
	slowAnswer  = time.Second
)

// enter waits for a place.
func (g *gate) enter(ctx context.Context) error {
	g.mu.Lock()
	if g.used < g.limit {
		g.used++
		g.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	g.waiting = append(g.waiting, turn)
	g.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, turn); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	} else { // it came at the same moment
		g.used--
		g.admit()
	}
	return context.Cause(ctx)
}

// leave gives a place back.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.used--
	g.admit()
}

// admit lets callers in as long as there is a place.
func (g *gate) admit() {
	for ; g.used < g.limit && len(g.waiting) > 0; g.used++ {
		close(g.waiting[0])
		g.waiting = g.waiting[1:]
	}
}

// answered sees how long an answer took that was to come at once.
func (g *gate) answered(took time.Duration) {
	if !g.grows {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case took > slowAnswer:
		g.limit = max(leastAtOnce, g.limit/2)
	case took < quickAnswer:
		g.limit++
		g.admit()
	}
}
