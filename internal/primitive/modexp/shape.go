package modexp

import (
	"sync"
	"unsafe"

	"github.com/vitrine-tls/vitrine/internal/primitive/cpu"
)

// lanes is the number of limbs in a register.
const lanes = 8

// Kernels are the ways in which moduli are computed with.
type Kernels uint8

const (
	None   Kernels = iota
	Scalar         // MULX, ADCX and ADOX; one number at a time
	IFMA           // AVX-512 IFMA
)

func (k Kernels) String() string { return [...]string{"none", "scalar", "IFMA"}[k] }

// Which are the kernels of the moduli that are made now: what this processor and this build
// have, and nobody switched off. With None, NewModulus must not be called.
func Which() Kernels {
	switch {
	case len(singles) == 0:
		return None
	case cpu.IFMA:
		return IFMA
	case cpu.ADX:
		return Scalar
	}
	return None
}

// Available reports whether there are kernels.
func Available() bool { return Which() != None }

// A shape is how moduli of one size are computed with: how many at once, and in
// what room.
type shape struct {
	kernels      Kernels
	bits, chains int
	width        int // bits of a limb
	limbs, regs  int // of each number: limbs that count, and registers that hold them
	steps        int // what multiply is told
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

// quotientBits is how many are reduced at a time: M is -1 modulo two to the power of that.
func (s *shape) quotientBits() int {
	if s.kernels == Scalar {
		return 64
	}
	return 2 * s.width
}

// shapeOf is the shape of one modulus of so many bits, nil if there is none.
func shapeOf(bits int) *shape { return find(singles, Which(), bits) }

func find(shapes []*shape, by Kernels, bits int) *shape {
	for _, s := range shapes {
		if s.kernels == by && s.bits == bits {
			return s
		}
	}
	return nil
}
