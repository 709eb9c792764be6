// Package bound ends the waiting for calls that know no contexts, or look at them too late.
package bound

import (
	"context"
	"sync"
)

// maxCalls may go on at once, those included that nobody waits for any more.
const maxCalls = 512

// Calls are those to one store. The zero value is not ready: see New.
type Calls struct {
	going   chan struct{}
	drained *sync.Once
}

// New returns calls of which none goes on.
func New() Calls { return Calls{make(chan struct{}, maxCalls), new(sync.Once)} }

// Drain waits for those that go on. Others that are made later wait for their contexts.
func (c Calls) Drain() {
	c.drained.Do(func() {
		for range cap(c.going) {
			c.going <- struct{}{}
		}
	})
}

// Run does f and waits for it until ctx is done; f may go on then.
func Run[T any](ctx context.Context, c Calls, f func() (T, error)) (result T, err error) {
	select {
	case c.going <- struct{}{}:
	case <-ctx.Done():
		return result, ctx.Err()
	}
	type answer struct {
		result T
		err    error
	}
	done := make(chan answer, 1)
	go func() {
		r, err := f()
		done <- answer{r, err}
		<-c.going
	}()
	select {
	case a := <-done:
		return a.result, a.err
	case <-ctx.Done():
		return result, ctx.Err()
	}
}
