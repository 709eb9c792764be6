package rsa

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
)

// A batcher computes the powers of callers that come at the same moment together, which
// takes two thirds of the time for each. Nobody waits for company: a caller that finds nobody
// at work, or just done, starts at once. One that finds somebody says what it wants, and
// lets the other goroutines that can run go first, once; so those that are about to sign
// too say so. The first that comes back computes for those that it finds.
//
// A caller waits for at most one batch that has begun. There is no goroutine of its own,
// and at most one job for each caller.
type batcher struct {
	atWork atomic.Int32 // callers that compute, or are about to
	last   atomic.Int64 // when the last one was done, in nanoseconds since start

	mu      sync.Mutex
	waiting []*job
}

// A job is one caller's power.
type job struct {
	modexp.Power
	taken bool // by a caller that leads; behind batcher.mu
	// done is closed when the leader has finished, or given up. computed says which.
	done     chan struct{}
	computed bool
}

// justDone is how long after a caller others are thought to come: on one processor nobody
// ever finds somebody at work.
const justDone = 500 * time.Microsecond

var start = time.Now()

// worthwhile is how many powers together take less time than alone.
const worthwhile = 3

// together is for keys of 2048 bits, the ones that can be computed together.
var together batcher

// do computes the job.
func (b *batcher) do(j *job) {
	others := b.atWork.Add(1) - 1
	defer func() {
		b.last.Store(int64(time.Since(start)))
		b.atWork.Add(-1)
	}()
	if others > 0 || time.Since(start)-time.Duration(b.last.Load()) < justDone {
		b.join(j)
		runtime.Gosched()
		if !b.lead(j) {
			<-j.done
		}
	}
	if !j.computed {
		j.XP, j.XQ = j.Pair.Exp(j.X, j.EP, j.EQ)
	}
}

// join says what the caller wants.
func (b *batcher) join(j *job) {
	j.done = make(chan struct{})
	b.mu.Lock()
	b.waiting = append(b.waiting, j)
	b.mu.Unlock()
}

// lead takes the caller's own job and those of others off the list, and computes them if
// they are worthwhile together. It returns false if somebody else has taken the job.
func (b *batcher) lead(own *job) bool {
	b.mu.Lock()
	if own.taken {
		b.mu.Unlock()
		return false
	}
	own.taken = true
	b.waiting = slices.DeleteFunc(b.waiting, func(j *job) bool { return j == own })
	var batch []*job
	if len(b.waiting)+1 >= worthwhile {
		n := min(len(b.waiting), modexp.MaxTogether-1)
		batch = append(slices.Clone(b.waiting[:n]), own)
		b.waiting = slices.Delete(b.waiting, 0, n)
		for _, j := range batch {
			j.taken = true
		}
	}
	b.mu.Unlock()
	compute(batch)
	return true
}

// compute computes all jobs together. Whatever happens, nobody waits for them any longer.
func compute(batch []*job) {
	if len(batch) == 0 {
		return
	}
	defer func() {
		for _, j := range batch {
			close(j.done)
		}
	}()
	powers := make([]*modexp.Power, len(batch))
	for i, j := range batch {
		powers[i] = &j.Power
	}
	modexp.ExpTogether(powers)
	for _, j := range batch {
		j.computed = true
	}
}
