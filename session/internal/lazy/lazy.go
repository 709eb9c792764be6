// Package lazy connects to a server when it is first needed, so that a program can start while
// the server is away.
package lazy

import (
	"context"
	"errors"
	"sync"
)

// Value is made when somebody first needs it, by one goroutine at a time.
type Value[T any] struct {
	// Make makes the value. It must come to an end by itself.
	Make func() (T, error)

	mu     sync.Mutex
	made   bool
	value  T
	making chan struct{} // closed at the end of the attempt that goes on
	err    error         // of the last attempt
	closed bool
	drop   func(T)
}

// ErrClosed says that the store was closed.
var ErrClosed = errors.New("the store is closed")

// Get returns the value. It waits for an attempt to make it until ctx is done; the attempt goes on.
func (v *Value[T]) Get(ctx context.Context) (value T, err error) {
	v.mu.Lock()
	if v.closed {
		v.mu.Unlock()
		return value, ErrClosed
	}
	if v.made {
		defer v.mu.Unlock()
		return v.value, nil
	}
	if v.making == nil {
		v.making = make(chan struct{})
		go v.try(v.making)
	}
	making := v.making
	v.mu.Unlock()
	select {
	case <-making:
	case <-ctx.Done():
		return value, ctx.Err()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.closed:
		return value, ErrClosed
	case v.made:
		return v.value, nil
	}
	return value, v.err
}

func (v *Value[T]) try(done chan struct{}) {
	value, err := v.Make()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.making = nil
	close(done)
	if v.err = err; err != nil {
		return
	}
	if v.closed {
		v.err = ErrClosed
		v.drop(value)
		return
	}
	v.value, v.made = value, true
}

// Close drops the value, if there is one, and that of an attempt that goes on, for whose end it waits.
func (v *Value[T]) Close(drop func(T)) {
	v.mu.Lock()
	if v.closed {
		v.mu.Unlock()
		return
	}
	v.closed, v.drop = true, drop
	making := v.making
	if v.made {
		drop(v.value)
	}
	v.mu.Unlock()
	if making != nil {
		<-making
	}
}
