package session

import (
	"container/list"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// entryOverhead is what an entry costs beside its key and blob: the map's
// slot, the list's element and the entry itself, in bytes.
const entryOverhead = 256

// Memory is a [Store] in this process's memory. It holds at most a given
// number of bytes; beyond that the entries unused for longest go first. No
// goroutine runs: an expired entry is never returned, and is dropped when it
// is next asked for or comes last in line.
type Memory struct {
	budget int

	mu      sync.Mutex
	used    int
	entries map[string]*list.Element // of *entry
	recent  list.List                // most recently used first
}

type entry struct {
	key    string
	blob   []byte
	expiry time.Time
}

func (e *entry) cost() int { return len(e.key) + len(e.blob) + entryOverhead }

// NewMemory returns a store that holds at most budget bytes, counting 256 for
// each entry beside its key and blob. A TLS 1.2 session without client
// certificate is about 450 bytes by that count.
func NewMemory(budget int) *Memory {
	return &Memory{budget: budget, entries: make(map[string]*list.Element)}
}

// Put keeps a copy of blob. It fails only where blob alone exceeds the budget.
func (m *Memory) Put(_ context.Context, key string, blob []byte, expiry time.Time) error {
	e := &entry{key: key, blob: slices.Clone(blob), expiry: expiry}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(m.entries[key])
	if e.cost() > m.budget {
		return fmt.Errorf("session: entry of %d bytes exceeds the store's budget of %d", e.cost(), m.budget)
	}
	if !time.Now().Before(expiry) {
		return nil
	}
	for m.used+e.cost() > m.budget {
		m.drop(m.recent.Back())
	}
	m.entries[key] = m.recent.PushFront(e)
	m.used += e.cost()
	return nil
}

// Get returns a copy of the blob, or [ErrNotFound].
func (m *Memory) Get(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, err := m.live(key)
	if err != nil {
		return nil, err
	}
	m.recent.MoveToFront(el)
	return slices.Clone(el.Value.(*entry).blob), nil
}

// Take removes the blob and returns it, or [ErrNotFound].
func (m *Memory) Take(_ context.Context, key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	el, err := m.live(key)
	if err != nil {
		return nil, err
	}
	blob := slices.Clone(el.Value.(*entry).blob)
	m.drop(el)
	return blob, nil
}

// Delete removes the blob, if there is one.
func (m *Memory) Delete(_ context.Context, key string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(m.entries[key])
	return nil
}

// live returns the element of key unless it has expired. The lock is held.
func (m *Memory) live(key string) (*list.Element, error) {
	el := m.entries[key]
	if el == nil {
		return nil, ErrNotFound
	}
	if !time.Now().Before(el.Value.(*entry).expiry) {
		m.drop(el)
		return nil, ErrNotFound
	}
	return el, nil
}

// drop forgets an element, which may be nil, and wipes its secrets. The lock is held.
func (m *Memory) drop(el *list.Element) {
	if el == nil {
		return
	}
	e := m.recent.Remove(el).(*entry)
	delete(m.entries, e.key)
	m.used -= e.cost()
	clear(e.blob)
}
