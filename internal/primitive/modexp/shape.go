package modexp

import (
	"sync"
	"unsafe"

	"github.com/vitrine-tls/vitrine/internal/primitive/cpu"
)

// lanes is the number of limbs in a register.
const lanes = 8

// A shape is how moduli of one size are computed with: how many at once, and in
// what room.
type shape struct {
	bits, chains int
	limbs, regs  int // of each number: limbs that count, and registers that hold them
	// sliced is set where a register holds the same limb of eight numbers; else it
	// holds eight limbs of one.
	sliced bool
	// multiply makes z = x*y/R, modulo m, so many times; z may be x and y. work
	// has room for two numbers of each chain.
	multiply func(z, x, y, m, work *uint64, steps, times int)
	// square makes z = x*x/R, so many times, and x becomes z in between; nil where
	// multiply does it.
	square func(z, x, m, work *uint64, times int)
	// pick copies to z an entry of table: for each chain that of its index.
	pick  func(z, table, index *uint64)
	rooms sync.Pool // of *room
}

// vector is the length of all chains' numbers together.
func (s *shape) vector() int {
	if s.sliced {
		return s.limbs * lanes
	}
	return s.chains * s.regs * lanes
}

// put writes the limbs of one chain's number.
func (s *shape) put(dst []uint64, chain int, limbs []uint64) {
	for i, l := range limbs[:s.limbs] {
		dst[s.at(chain, i)] = l
	}
}

// get reads the limbs of one chain's number.
func (s *shape) get(limbs, src []uint64, chain int) {
	for i := range limbs {
		limbs[i] = src[s.at(chain, i)]
	}
}

// at is where limb i of a chain's number stands.
func (s *shape) at(chain, i int) int {
	if s.sliced {
		return i*lanes + chain
	}
	return chain*s.regs*lanes + i
}

// A room is what one exponentiation writes to. It holds secrets, and is cleared.
type room struct {
	all                            []uint64
	table, power, odd, work, index []uint64
}

const (
	windowBits = 5
	windows    = 1 << windowBits
)

func (s *shape) room() *room {
	if r, ok := s.rooms.Get().(*room); ok {
		return r
	}
	v := s.vector()
	all := aligned((windows+4)*v + lanes)
	r := &room{all: all}
	cut := func(n int) (part []uint64) {
		part, all = all[:n], all[n:]
		return part
	}
	r.table, r.power, r.odd, r.work, r.index = cut(windows*v), cut(v), cut(v), cut(2*v), cut(lanes)
	return r
}

func (s *shape) leave(r *room) {
	clear(r.all)
	s.rooms.Put(r)
}

// aligned returns n words that begin where a register's memory begins.
func aligned(n int) []uint64 {
	b := make([]uint64, n+lanes)
	skip := -(uintptr(unsafe.Pointer(&b[0])) / 8) % lanes
	return b[skip:][:n:n]
}

// shapeOf is the shape of one modulus of so many bits, nil if there is none.
func shapeOf(bits int) *shape { return find(singles, bits) }

func find(shapes []*shape, bits int) *shape {
	for _, s := range shapes {
		if s.bits == bits {
			return s
		}
	}
	return nil
}

// Available reports whether this processor and this build have the kernels, and
// nobody switched them off. Where they are missing, NewModulus must not be called.
func Available() bool { return cpu.IFMA && len(singles) > 0 }
