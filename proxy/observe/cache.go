package observe

import (
	"maps"
	"sync"
	"sync/atomic"
)

// A cache keeps the series of a metric by their labels, so that counting allocates nothing
// and locks nothing. It holds a bounded number: what comes later is counted as other.
type cache[K comparable, V any] struct {
	make  func(K) V
	drop  func(K) // the series of a key that forget leaves out
	most  int
	other K

	kept atomic.Pointer[map[K]V] // never changed, only replaced
	mu   sync.Mutex              // of those that replace it
}

// get returns what is kept of k, or makes it.
func (c *cache[K, V]) get(k K) V {
	if kept := c.kept.Load(); kept != nil {
		if v, ok := (*kept)[k]; ok {
			return v
		}
	}
	return c.add(k)
}

func (c *cache[K, V]) add(k K) V {
	c.mu.Lock()
	defer c.mu.Unlock()
	next := map[K]V{}
	if kept := c.kept.Load(); kept != nil {
		if len(*kept) >= c.most {
			k = c.other
		}
		if v, ok := (*kept)[k]; ok {
			return v
		}
		next = maps.Clone(*kept)
	}
	v := c.make(k)
	next[k] = v
	c.kept.Store(&next)
	return v
}

// forget leaves out what is no longer wanted.
func (c *cache[K, V]) forget(wanted func(K) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.kept.Load()
	if kept == nil {
		return
	}
	next := map[K]V{}
	for k, v := range *kept {
		if wanted(k) {
			next[k] = v
		} else {
			c.drop(k)
		}
	}
	c.kept.Store(&next)
}

// known reports that k is kept.
func (c *cache[K, V]) known(k K) bool {
	kept := c.kept.Load()
	if kept == nil {
		return false
	}
	_, ok := (*kept)[k]
	return ok
}
