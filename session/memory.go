package session

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"math/bits"
	"runtime"
	"time"
)

// Memory is a [Store] in this process's memory, within a budget of bytes beyond
// which the entries unused for longest go first.
//
// It is divided into shards by a keyed digest of the key, so that connections
// on many cores do not wait for each other and no client can choose where its
// sessions go. It takes memory as it fills, up to the budget, and keeps it. No
// goroutine runs: an expired entry is never returned, and is dropped when it is
// next asked for or comes last in line. What is dropped is wiped.
//
// A MiB holds 9,800 sessions of TLS 1.2 without client certificate, all it
// takes included, as long as many of them are of the same virtual host: what
// these have in common is kept once. Where each is of another host it holds
// half as many.
type Memory struct {
	budget int
	shards []*shard // a power of two
	seed   maphash.Seed
	secret [32]byte  // keys the digest
	epoch  time.Time // from which expiry is counted
}

const (
	// tick is the unit of expiry: 2³² of them are 13 years.
	tick = 100 * time.Millisecond
	// leastShard keeps shards large enough that chance fills them evenly, and
	// for any session to fit.
	leastShard = 1 << 20
)

// Stats says what a [Memory] holds, and what has become of what was asked of it
// since it was made.
type Stats struct {
	Entries int // held, expired ones that were not dropped yet included
	Used    int // bytes that they take
	Held    int // bytes taken from the heap: those in use, those to be used again, the index
	Budget  int // bytes that Held never exceeds

	Hits, Misses uint64 // answers of Get and Take
	Evictions    uint64 // entries dropped to make room before they expired
	Expired      uint64 // entries dropped because they had
}

// NewMemory returns a store that takes at most budget bytes, in shards by
// GOMAXPROCS of at least a MiB each.
func NewMemory(budget int) *Memory {
	budget = max(0, budget)
	n := ceilPower(4 * runtime.GOMAXPROCS(0))
	for n > 1 && budget/n < leastShard {
		n /= 2
	}
	m := &Memory{budget: budget, shards: make([]*shard, n), seed: maphash.MakeSeed(), epoch: time.Now().Round(0)}
	rand.Read(m.secret[:])
	for i := range m.shards {
		m.shards[i] = newShard(budget / n)
	}
	return m
}

func ceilPower(n int) int { return 1 << bits.Len(uint(n-1)) }

// Put keeps a copy of blob. It fails only where blob alone exceeds the budget
// of a shard: a MiB, or all of a smaller budget.
func (m *Memory) Put(_ context.Context, key string, blob []byte, expiry time.Time) error {
	tag, s := m.locate(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	return m.put(s, &tag, blob, expiry)
}

// CompareAndSet implements [Swapper]. It fails as Put does; what was there is gone then.
func (m *Memory) CompareAndSet(_ context.Context, key string, old, blob []byte, expiry time.Time) (bool, error) {
	tag, s := m.locate(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.live(&tag, m.ticks(time.Now()))
	if (i == 0) != (old == nil) || i != 0 && !bytes.Equal(s.blob(i), old) {
		return false, nil
	}
	err := m.put(s, &tag, blob, expiry)
	return err == nil, err
}

// put is Put in a shard whose lock is held.
func (m *Memory) put(s *shard, tag *keyTag, blob []byte, expiry time.Time) error {
	shared := sharedPrefix(blob)
	if i := s.find(tag); i != 0 {
		s.drop(i)
	}
	if !s.fits(shared, len(blob)-shared) {
		return fmt.Errorf("session: blob of %d bytes exceeds the budget of the store's shard, %d", len(blob), m.budget/len(m.shards))
	}
	if now, end := m.ticks(time.Now()), m.ticks(expiry); now < end {
		s.add(tag, blob, shared, m.seed, end, now)
	}
	return nil
}

// Get returns a copy of the blob, or [ErrNotFound].
func (m *Memory) Get(_ context.Context, key string) ([]byte, error) {
	tag, s := m.locate(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.live(&tag, m.ticks(time.Now()))
	if i == 0 {
		return nil, ErrNotFound
	}
	s.pull(i)
	s.push(i)
	return s.blob(i), nil
}

// Take removes the blob and returns it, or [ErrNotFound].
func (m *Memory) Take(_ context.Context, key string) ([]byte, error) {
	tag, s := m.locate(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.live(&tag, m.ticks(time.Now()))
	if i == 0 {
		return nil, ErrNotFound
	}
	blob := s.blob(i)
	s.drop(i)
	return blob, nil
}

// Delete removes the blob, if there is one.
func (m *Memory) Delete(_ context.Context, key string) error {
	tag, s := m.locate(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := s.find(&tag); i != 0 {
		s.drop(i)
	}
	return nil
}

// Stats returns the figures, each shard's at its own moment.
func (m *Memory) Stats() Stats {
	sum := Stats{Budget: m.budget}
	for _, s := range m.shards {
		n := s.stats()
		sum.Entries += n.Entries
		sum.Used += n.Used
		sum.Held += n.Held
		sum.Hits += n.Hits
		sum.Misses += n.Misses
		sum.Evictions += n.Evictions
		sum.Expired += n.Expired
	}
	return sum
}

// locate returns what stands for key, and the shard that it belongs to. The
// secret in front of the key makes the digest one that others cannot compute;
// cut to half, it cannot be extended either.
func (m *Memory) locate(key string) (tag keyTag, s *shard) {
	var room [128]byte
	sum := sha256.Sum256(append(append(room[:0], m.secret[:]...), key...))
	copy(tag[:], sum[:])
	return tag, m.shards[binary.NativeEndian.Uint32(sum[keyTagSize:])&uint32(len(m.shards)-1)]
}

// ticks is the moment t in ticks since the epoch, rounded down, so that
// nothing outlives its expiry. It goes by the wall clock, as expiry does.
func (m *Memory) ticks(t time.Time) uint32 {
	return uint32(min(max(0, t.Round(0).Sub(m.epoch)/tick), math.MaxUint32))
}
