package tls

import (
	"context"
	"sync"
)

// turn is a mutex that can be waited for under a context.
type turn struct {
	mutex sync.Mutex
	taken bool
	given chan struct{} // made by the first that waits; closed when the turn is given back
}

// take waits for the turn, or for the end of ctx, whose error it returns.
func (t *turn) take(ctx context.Context) error {
	for {
		given := t.try()
		if given == nil {
			return nil
		}
		select {
		case <-given:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// try takes the turn if it is free. If not, it returns what to wait for.
func (t *turn) try() <-chan struct{} {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if !t.taken {
		t.taken = true
		return nil
	}
	if t.given == nil {
		t.given = make(chan struct{})
	}
	return t.given
}

func (t *turn) give() {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.taken = false
	if t.given != nil {
		close(t.given)
		t.given = nil
	}
}
