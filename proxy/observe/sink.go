package observe

import (
	"context"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// mostLines is how many lines wait for the reader of the log.
const mostLines = 4096

// A sink writes lines in a goroutine of its own. Where its reader is too slow, lines are lost
// and counted: the log stops no traffic.
type sink struct {
	w       io.Writer
	lost    prometheus.Counter
	missing atomic.Int64     // lost since the last line that was written
	tell    func(lost int64) // writes to w how many were lost
	lines   chan []byte
	stop    chan struct{}
	done    chan struct{}
	once    sync.Once
}

func newSink(w io.Writer, lost prometheus.Counter, tell func(lost int64)) *sink {
	s := &sink{w: w, lost: lost, tell: tell, lines: make(chan []byte, mostLines), stop: make(chan struct{}), done: make(chan struct{})}
	go s.run()
	return s
}

// Write takes one line, and never waits or fails.
func (s *sink) Write(line []byte) (int, error) {
	select {
	case s.lines <- slices.Clone(line):
	default:
		s.lost.Inc()
		s.missing.Add(1)
	}
	return len(line), nil
}

// run writes what waits, until close; then it writes what still waits.
func (s *sink) run() {
	defer close(s.done)
	for {
		select {
		case line := <-s.lines:
			_, _ = s.w.Write(line) // nobody could be told
			continue
		default:
		}
		if n := s.missing.Swap(0); n > 0 {
			s.tell(n)
		}
		select {
		case line := <-s.lines:
			_, _ = s.w.Write(line)
		case <-s.stop:
			return
		}
	}
}

// close waits for what waits. Nothing may be written at the same time or later.
func (s *sink) close(ctx context.Context) error {
	s.once.Do(func() { close(s.stop) })
	return waitFor(ctx, s.done, "the log")
}
