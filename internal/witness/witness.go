// Package witness listens to handshakes and has accounts of them written, without making a server
// wait: vitrine serve and vitrine proxy keep those of failed handshakes.
package witness

import (
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Budget is how many bytes of a handshake are kept; as hex they are more.
const Budget = 128 << 10

// Waiting is how many accounts wait to be written; others are not kept.
const Waiting = 64

// Listen returns a collector for one connection, and its hooks. Application data is not kept:
// what a client says is not ours to keep.
func Listen() (*explain.Collector, *trace.Hooks) {
	collector := &explain.Collector{Budget: Budget}
	hooks := collector.Hooks()
	hooks.Connection = nil
	keep := hooks.Record
	hooks.Record = func(r trace.Record) {
		if r.Type == wire.ContentApplicationData {
			r.Plain = nil
		}
		keep(r)
	}
	return collector, hooks
}

// A Queue has what is put into it written by one goroutine. A server waits for no disk.
type Queue[T any] struct {
	waiting    chan T
	stop, done chan struct{}
}

// NewQueue begins to call write for what is put, one after the other, up to Stop.
func NewQueue[T any](write func(T)) *Queue[T] {
	q := &Queue[T]{waiting: make(chan T, Waiting), stop: make(chan struct{}), done: make(chan struct{})}
	go q.run(write)
	return q
}

// Put reports whether there was room.
func (q *Queue[T]) Put(one T) bool {
	select {
	case q.waiting <- one:
		return true
	default:
		return false
	}
}

// Stop has the goroutine end when all that waits is written; it closes done then. It must be
// called once, and what is put afterwards may be lost.
func (q *Queue[T]) Stop() (done <-chan struct{}) {
	close(q.stop)
	return q.done
}

func (q *Queue[T]) run(write func(T)) {
	defer close(q.done)
	for {
		select {
		case one := <-q.waiting:
			write(one)
		case <-q.stop:
			for len(q.waiting) > 0 { // nobody else takes from it
				write(<-q.waiting)
			}
			return
		}
	}
}
