package proxy

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"time"
)

// ErrCrowded is why a handshake fails where too many wait for their turn.
var ErrCrowded = errors.New("too many handshakes wait for their turn")

const (
	// perProcessor is how many handshakes compute at once on each processor by default.
	perProcessor = 4
	// perTurn bounds those that wait, for each that computes: a quarter of a second at a
	// millisecond each.
	perTurn = 64
	// patience is how long one waits at most. Those that compute take a millisecond or so. If
	// all of them take that long, they wait for something else, such as a store. Then as many
	// again go on without a turn, and no more: it may be a flood after all.
	patience = time.Second
)

// A queue bounds how many handshakes compute at once, so that they never keep those that are
// connected from the processors. The rest wait in the order of their coming.
type queue struct {
	turns   chan struct{}
	late    chan struct{} // those that go on without a turn
	waiting atomic.Int64
	most    int64
	done    func() // gives a turn back
}

func newQueue(turns int) *queue {
	if turns == 0 {
		turns = perProcessor * runtime.GOMAXPROCS(0)
	}
	q := &queue{turns: make(chan struct{}, turns), late: make(chan struct{}, turns), most: int64(turns) * perTurn}
	q.done = func() { <-q.turns }
	return q
}

// turn is for tls.Config.HandshakeTurn.
func (q *queue) turn(ctx context.Context) (done func(), err error) {
	select {
	case q.turns <- struct{}{}:
		return q.done, nil
	default:
	}
	if q.waiting.Add(1) > q.most {
		q.waiting.Add(-1)
		return nil, ErrCrowded
	}
	defer q.waiting.Add(-1)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case q.turns <- struct{}{}:
		return q.done, nil
	case <-timer.C:
		select {
		case q.late <- struct{}{}:
			return func() { <-q.late }, nil
		default:
			return nil, ErrCrowded
		}
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
