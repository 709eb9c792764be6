package engine

import "sync"

// Buffers are lent in three sizes. An idle connection holds none.
const (
	small = 2 << 10   // a hello, or a small record
	whole = 18 << 10  // one record of any kind
	Bulk  = 264 << 10 // 16 of the longest, or many short ones
)

type buffer struct {
	bytes []byte
	pool  *sync.Pool
}

var pools = [...]struct {
	size int
	pool sync.Pool
}{{size: small}, {size: whole}, {size: Bulk}}

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
