package session

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ReplayStore sees to it that each ticket brings early data (0-RTT) once: what a client sends
// before the server has answered can be recorded, and sent again to any server that opens
// its ticket. RFC 8446 §8.
//
// Keys are digests of tickets. All methods may be called at the same time. They should return
// soon after ctx is done; a store with a method InMemory() bool that returns true never waits, and
// is asked without a time limit. Every error means that early data is refused, which costs the client
// a round trip and nothing else.
type ReplayStore interface {
	// Permit notes that a ticket which is about to be sent allows early data, at most until
	// then.
	Permit(ctx context.Context, key string, until time.Time) error
	// Claim returns nil to one caller for each key at most, however many there are, and on
	// however many machines. A copy of what a client sent until some moment is refused after it
	// anyway.
	Claim(ctx context.Context, key string, until time.Time) error
}

// ErrReplayed says that a ticket has brought early data already, or that nothing is known of it.
var ErrReplayed = errors.New("session: the ticket has brought early data before, or it is not known here")

// SingleUse returns a ReplayStore that keeps a permit for each ticket in store, and takes it when
// early data comes: [Store.Take] gives it to one caller. Servers that share tickets share the
// store. A store that loses permits, because it is full or has begun anew, loses
// early data and accepts none twice.
func SingleUse(store Store) ReplayStore { return &singleUse{store} }

type singleUse struct{ store Store }

// InMemory says that the store never waits, so that callers need no time limit.
func (s *singleUse) InMemory() bool {
	_, is := s.store.(*Memory)
	return is
}

// replayPrefix keeps permits apart from sessions in one store.
const replayPrefix = "early data "

var permit = []byte{1}

func (s *singleUse) Permit(ctx context.Context, key string, until time.Time) error {
	return s.store.Put(ctx, replayPrefix+key, permit, until)
}

func (s *singleUse) Claim(ctx context.Context, key string, _ time.Time) error {
	_, err := s.store.Take(ctx, replayPrefix+key)
	if errors.Is(err, ErrNotFound) {
		return ErrReplayed
	}
	return err
}

// Recorder is a ReplayStore for one process, whose tickets need no permit: it remembers which have
// brought early data. It forgets nothing before its time, and refuses early data when it is full.
// It refuses all in the beginning, for as long as a process before it may have accepted what is
// sent again, and after its clock was set back, until that is again where it was. RFC 8446 §8.2.
type Recorder struct {
	most  int
	since time.Time
	now   func() time.Time

	mu   sync.Mutex
	seen map[string]time.Time
	next time.Time // when to look for what can be forgotten
	over time.Time // the latest end of what was forgotten, or could have been
}

// holds is how long a ticket is remembered at least, by the Recorder's own clock: twice the longest
// window of a server, whose clock may be behind, and what is rounded off.
const holds = 2*time.Minute + time.Second

// NewRecorder returns a Recorder that remembers that many tickets at most, at about 100 bytes each.
// now is its clock; nil is time.Now. What counts is the time of day, by which servers judge the age
// of what they get.
func NewRecorder(tickets int, now func() time.Time) *Recorder {
	if now == nil {
		now = time.Now
	}
	return &Recorder{most: tickets, since: now().Round(0), now: now, seen: make(map[string]time.Time)}
}

// InMemory says that a Recorder never waits, so that callers need no time limit.
func (r *Recorder) InMemory() bool { return true }

// Permit has nothing to do.
func (r *Recorder) Permit(context.Context, string, time.Time) error { return nil }

// Claim remembers the key until then, and for two minutes at least.
func (r *Recorder) Claim(_ context.Context, key string, until time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now().Round(0) // without the monotonic reading: it goes on when the clock is set back
	until = until.Round(0)
	switch {
	case now.Before(r.over):
		return fmt.Errorf("session: the clock was set back, and what came since is forgotten in part; early data is taken in %v", r.over.Sub(now))
	case !until.After(now):
		return errors.New("session: early data was to be remembered until a time that is past: the clocks of the server and of its Recorder differ")
	}
	if wait := until.Sub(now) - now.Sub(r.since); wait > 0 {
		return fmt.Errorf("session: what came before this process began is not known; early data is taken in %v", wait)
	}
	if !now.Before(r.next) || len(r.seen) >= r.most {
		r.forget(now)
	}
	if end, again := r.seen[key]; again {
		if now.Before(end) {
			return ErrReplayed
		}
		r.over = later(r.over, end)
	}
	if len(r.seen) >= r.most {
		return fmt.Errorf("session: %d tickets are remembered, and there is no room for another", r.most)
	}
	r.seen[key] = later(until, now.Add(holds))
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// forget drops what is over. It looks at all, so it is not asked for each time.
func (r *Recorder) forget(now time.Time) {
	if now.Before(r.next) {
		return // a flood must not have all looked at for each ticket
	}
	r.next = now.Add(time.Second)
	for key, end := range r.seen {
		if !now.Before(end) {
			delete(r.seen, key)
			r.over = later(r.over, end)
		}
	}
}
