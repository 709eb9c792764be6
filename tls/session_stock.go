package tls

import (
	"bytes"
	"slices"
)

// A client's stock for one server: the sessions of TLS 1.3 that its cache keeps under one
// key. Each is offered once as long as there are others, so that connections are not
// linked without need (RFC 8446 §C.4). The last one stays, to be offered again: many
// connections that begin at the same time, and those that never read and so get no
// tickets, could not resume otherwise.

// maxStock is how many sessions are kept for one server.
const maxStock = 4

// restock has f replace what the cache keeps under a key, nil for nothing. In a cache that
// is not ours others may do so at the same time.
func restock(cache ClientSessionCache, key string, f func(now *ClientSessionState) *ClientSessionState) {
	if own, is := cache.(*lruCache); is {
		own.restock(key, f)
		return
	}
	now, ok := cache.Get(key)
	if !ok {
		now = nil
	}
	if next := f(now); next != now {
		cache.Put(key, next)
	}
}

// with is the stock once it has another session. Those that can be offered again anyway
// keep no others beside them.
func (cs *ClientSessionState) with(one *ClientSessionState) *ClientSessionState {
	if !cs.once() || !one.once() {
		return one
	}
	top := *one
	for _, older := range cs.all() {
		if !older.used && len(top.older) < maxStock-1 {
			top.older = append(top.older, older)
		}
	}
	return &top
}

// offered is the stock once its first session has been offered. single says that the
// last one is not to be offered again.
func (cs *ClientSessionState) offered(single bool) *ClientSessionState {
	switch {
	case !cs.once():
		return cs
	case len(cs.older) > 0 || single:
		return stock(cs.older)
	}
	last := *cs
	last.used = true
	return &last
}

// without is the stock once the sessions of another have failed.
func (cs *ClientSessionState) without(failed *ClientSessionState) *ClientSessionState {
	kept := slices.DeleteFunc(cs.all(), func(one *ClientSessionState) bool {
		return slices.ContainsFunc(failed.all(), func(f *ClientSessionState) bool {
			return bytes.Equal(one.ticket, f.ticket) && bytes.Equal(one.id, f.id)
		})
	})
	return stock(kept)
}

// all are the sessions of a stock, first the one to offer next, each without the others.
func (cs *ClientSessionState) all() []*ClientSessionState {
	if cs == nil {
		return nil
	}
	top := *cs
	top.older = nil
	return append([]*ClientSessionState{&top}, cs.older...)
}

// stock is the opposite of all.
func stock(list []*ClientSessionState) *ClientSessionState {
	if len(list) == 0 {
		return nil
	}
	top := *list[0]
	top.older = list[1:]
	return &top
}
