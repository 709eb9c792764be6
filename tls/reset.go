package tls

import (
	"io"
	"sync"
)

// reset is the peer's reset of the connection below, once a write was told of it. A
// socket tells it one call alone: every later read sees the end of the stream, as if
// the peer had ended it in order.
type reset struct {
	sync.Mutex
	err *error // nil for none
}

// note keeps err if it is a reset.
func (r *reset) note(err error) {
	r.Lock()
	defer r.Unlock()
	r.keep(err)
}

// keep is note for a caller that has the mutex.
func (r *reset) keep(err error) {
	if r.err == nil && isReset(err) {
		kept := err
		r.err = &kept
	}
}

// orEnd is what a read that ended with err has met.
func (r *reset) orEnd(err error) error {
	if err != io.EOF {
		return err
	}
	r.Lock()
	defer r.Unlock()
	if r.err != nil {
		return *r.err
	}
	return err
}
