package tls

import (
	"container/list"
	"sync"
)

// NewLRUClientSessionCache returns a cache for the given number of
// servers, which drops the sessions with the one unused for longest; below 1 it is 64.
func NewLRUClientSessionCache(capacity int) ClientSessionCache {
	if capacity < 1 {
		capacity = 64
	}
	return &lruCache{capacity: capacity, items: map[string]*list.Element{}, order: list.New()}
}

type lruCache struct {
	mutex    sync.Mutex
	capacity int
	items    map[string]*list.Element
	order    *list.List // most recent first
}

type lruItem struct {
	key     string
	session *ClientSessionState
}

func (c *lruCache) Get(key string) (*ClientSessionState, bool) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	e, ok := c.items[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*lruItem).session, true
}

// restock is Get and Put in one step.
func (c *lruCache) restock(key string, f func(now *ClientSessionState) *ClientSessionState) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	var now *ClientSessionState
	if e, ok := c.items[key]; ok {
		now = e.Value.(*lruItem).session
	}
	c.put(key, f(now))
}

func (c *lruCache) Put(key string, cs *ClientSessionState) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.put(key, cs)
}

// put is Put with the mutex held.
func (c *lruCache) put(key string, cs *ClientSessionState) {
	e, ok := c.items[key]
	switch {
	case ok && cs == nil:
		c.order.Remove(e)
		delete(c.items, key)
	case ok:
		e.Value.(*lruItem).session = cs
		c.order.MoveToFront(e)
	case cs != nil:
		if c.order.Len() >= c.capacity {
			last := c.order.Back()
			delete(c.items, last.Value.(*lruItem).key)
			c.order.Remove(last)
		}
		c.items[key] = c.order.PushFront(&lruItem{key, cs})
	}
}
