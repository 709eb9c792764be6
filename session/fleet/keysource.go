package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// A TicketKeySource is the ticket keys of a fleet, which its members agree on by a store. It is
// safe for use by many goroutines.
type TicketKeySource struct {
	store    session.Swapper
	vault    vault
	rotation Rotation
	now      func() time.Time
	name     string

	update sync.Mutex // one Update at a time
	mu     sync.Mutex
	known  schedule
}

// NewTicketKeySource returns the ticket keys that are in store, sealed under the fleet keys as
// [Settings.Keys] says. now is the clock; nil is time.Now. It has no keys before [TicketKeySource.Update].
func NewTicketKeySource(store session.Swapper, keys [][32]byte, rotation Rotation, now func() time.Time) (*TicketKeySource, error) {
	v, err := newVault(keys)
	if err != nil {
		return nil, err
	}
	if rotation, err = rotation.or(); err != nil {
		return nil, err
	}
	if now == nil {
		now = time.Now
	}
	return &TicketKeySource{store: store, vault: v, rotation: rotation, now: now, name: nameOf(purposeKeys, "")}, nil
}

// Schedule is a copy of what is known, for [session.TicketKeys.SetSchedule]. It is empty while nothing is: no
// ticket may be sealed then.
func (t *TicketKeySource) Schedule() []session.TicketKey {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.known) // none seals longer than its time, by Until
}

// tries is how often a member looks again after another was faster.
const tries = 8

// Update reads the schedule from the store, and adds to it what is due: the next key, if no other
// member has, and what the store has lost. It reports whether the schedule is another now. On
// an error it is what it was.
func (t *TicketKeySource) Update(ctx context.Context) (changed bool, err error) {
	t.update.Lock()
	defer t.update.Unlock()
	for range tries {
		raw, stored, err := t.read(ctx)
		if err != nil {
			return false, err
		}
		now := t.now().Round(0)
		next, changed := plan(stored, t.known, now, t.rotation)
		clear(stored)
		if !changed {
			return t.learn(next), nil
		}
		// It is known only once it is written: a key that no other member can read must not seal.
		done, err := t.store.CompareAndSet(ctx, t.name, raw, t.vault.seal(purposeKeys, t.name, next.encode()), t.expiry(now))
		if err != nil {
			clear(next)
			return false, fmt.Errorf("fleet: the ticket keys could not be written: %w", err)
		}
		if done {
			return t.learn(next), nil
		}
		clear(next)
	}
	return false, errors.New("fleet: other members change the ticket keys all the time; do their rotations or clocks differ?")
}

// expiry is long after all keys are over, by any clock.
func (t *TicketKeySource) expiry(now time.Time) time.Time { return now.Add(7 * 24 * time.Hour) }

// read returns the record as it is, and what it says. A record that was altered counts as lost;
// one of other fleet keys is left alone.
func (t *TicketKeySource) read(ctx context.Context) (raw []byte, stored schedule, err error) {
	raw, err = t.store.Get(ctx, t.name)
	if errors.Is(err, session.ErrNotFound) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("fleet: the ticket keys could not be read: %w", err)
	}
	if raw == nil {
		raw = []byte{}
	}
	blob, err := t.vault.open(purposeKeys, t.name, raw)
	if errors.Is(err, errOtherKey) {
		return nil, nil, errors.New("fleet: the ticket keys in the store are sealed under a fleet key that is not held here; give all members the same keys")
	}
	defer clear(blob)
	if err == nil {
		stored, err = decodeSchedule(blob)
	}
	if errors.Is(err, errOtherVersion) {
		return nil, nil, err
	}
	return raw, stored, nil
}

func (t *TicketKeySource) learn(s schedule) (changed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.known.equal(s) {
		clear(s)
		return false
	}
	clear(t.known)
	t.known = s
	return true
}

// forget wipes what is over, whatever the store does, and reports whether something was.
func (t *TicketKeySource) forget() (changed bool) {
	t.update.Lock() // Update reads what is known
	defer t.update.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	now, before := t.now().Round(0), len(t.known)
	t.known = t.known.keep(func(i int) bool { return now.Before(t.known.ends(i).Add(opens + skew)) })
	return len(t.known) != before
}

// Run calls Update now and at each interval until ctx is done, changed after each that changed
// something, and failed after each that failed. Keys whose time is over are wiped though Update fails.
func (t *TicketKeySource) Run(ctx context.Context, changed func(), failed func(error)) {
	for ctx.Err() == nil {
		t.once(ctx, changed, failed)
		// Chance keeps members apart that were started together.
		timer := time.NewTimer(t.rotation.Poll*3/4 + rand.N(t.rotation.Poll/2+1))
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

// keyTime is how long the store may take for ticket keys, for which no handshake waits.
const keyTime = time.Second

func (t *TicketKeySource) once(ctx context.Context, changed func(), failed func(error)) {
	if t.forget() {
		changed()
	}
	within, cancel := context.WithTimeout(ctx, keyTime)
	defer cancel()
	news, err := t.Update(within)
	switch {
	case err != nil && ctx.Err() == nil:
		failed(err)
	case err == nil && news:
		changed()
	}
}
