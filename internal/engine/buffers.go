package engine

import "sync"

// Buffers are lent in classes, or what waits would hold much more than it needs.
// An idle connection holds none.
const (
	small = 2 << 10   // a hello, or a small record
	Part  = 6 << 10   // some small records, or a part of a long one
	Whole = 18 << 10  // one record of any kind
	Bulk  = 264 << 10 // 16 of the longest, or many short ones
)

type buffer struct {
	bytes []byte
	pool  *sync.Pool // nil: larger than any class
}

// pools are the classes: a part of a record, and 1, 2, 4, 8 and 16 of the longest.
var pools = [...]struct {
	size int
	pool sync.Pool
}{{size: small}, {size: Part}, {size: Whole}, {size: 36 << 10}, {size: 70 << 10}, {size: 136 << 10}, {size: Bulk}}

// borrow returns a buffer of at least size bytes. Its content is anything.
func borrow(size int) *buffer {
	for i := range pools {
		p := &pools[i]
		if size > p.size {
			continue
		}
		if b, ok := p.pool.Get().(*buffer); ok {
			return b
		}
		return &buffer{make([]byte, p.size), &p.pool}
	}
	return &buffer{bytes: make([]byte, size)}
}

// giveBack returns what borrow lent; nil is fine.
func giveBack(b *buffer) {
	if b != nil && b.pool != nil {
		b.pool.Put(b)
	}
}

// fits is the size of the buffer that borrow returns.
func fits(size int) int {
	for i := range pools {
		if size <= pools[i].size {
			return pools[i].size
		}
	}
	return size
}
