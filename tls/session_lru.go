package tls

import (
	"container/list"
	"sync"
)

// NewLRUClientSessionCache returns a cache of the given number of sessions,
// which drops the one unused for longest; below 1 it is 64.
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

// take is Get, but what is to be used once is gone with it.
func (c *lruCache) take(key string) *ClientSessionState {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	e, ok := c.items[key]
	if !ok {
		return nil
	}
	one := e.Value.(*lruItem).session
	if one.once() {
		c.order.Remove(e)
		delete(c.items, key)
	} else {
		c.order.MoveToFront(e)
	}
	return one
}

func (c *lruCache) Put(key string, cs *ClientSessionState) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
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
