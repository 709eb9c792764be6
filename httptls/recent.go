package httptls

import "container/list"

// recent is a map that knows which of its entries were used longest ago.
type recent[K comparable, V any] struct {
	byKey map[K]*list.Element
	order list.List // of entry[K, V], the latest first
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func (r *recent[K, V]) get(key K) (value V, ok bool) {
	e, ok := r.byKey[key]
	if !ok {
		return value, false
	}
	r.order.MoveToFront(e)
	return e.Value.(entry[K, V]).value, true
}

// put adds an entry whose key is new.
func (r *recent[K, V]) put(key K, value V) {
	if r.byKey == nil {
		r.byKey = make(map[K]*list.Element)
	}
	r.byKey[key] = r.order.PushFront(entry[K, V]{key, value})
}

// trim forgets the oldest entries, of those which may go, until limit are left. The
// latest one stays.
func (r *recent[K, V]) trim(limit int, mayGo func(V) bool) {
	for e := r.order.Back(); e != r.order.Front() && len(r.byKey) > limit; {
		old := e
		e = e.Prev()
		if it := old.Value.(entry[K, V]); mayGo(it.value) {
			r.order.Remove(old)
			delete(r.byKey, it.key)
		}
	}
}

func (r *recent[K, V]) values() []V {
	var all []V
	for e := r.order.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(entry[K, V]).value)
	}
	return all
}
