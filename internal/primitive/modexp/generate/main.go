// The command generate writes the kernels of package modexp. Its output is
// checked in; a test of that package runs it again and compares.
//
// A number has limbs of 52 bits, eight in a register. It is multiplied by two
// limbs of the other factor at a time, and reduced by two limbs: see the
// documentation of package modexp for why the quotient costs no multiplication.
package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The bytes of a register and the lanes in it.
const (
	size  = 64
	lanes = 8
)

// A shape is how many independent products a kernel computes at once, and how
// many registers a number of each takes.
type shape struct{ chains, regs int }

func (s shape) String() string { return fmt.Sprintf("%dx%d", s.chains, s.regs) }

// shapes are the halves of RSA keys of 2048, 3072 and 4096 bits, and moduli of
// 1024, 1536, 2048, 3072 and 4096 bits alone.
var shapes = []shape{{2, 3}, {2, 5}, {2, 6}, {1, 3}, {1, 5}, {1, 6}, {1, 8}, {1, 11}}

func main() {
	ConstraintExpr("!purego")
	for _, s := range shapes {
		newKernel(s).multiply()
		pick(s)
	}
	multiplySliced(slicedLimbs)
	squareSliced(slicedLimbs)
	pickSliced(slicedLimbs)
	multiplyScalar()
	squareScalar()
	for _, words := range scalarWords {
		pickScalar(words)
	}
	Generate()
}

// at is register i of the number of chain c, behind a pointer.
func (s shape) at(p Register, c, i int) Mem { return Mem{Base: p, Disp: (c*s.regs + i) * size} }

// vectors makes n registers.
func vectors(n int) []VecVirtual {
	v := make([]VecVirtual, n)
	for i := range v {
		v[i] = ZMM()
	}
	return v
}

// constant fills every lane of a register.
func constant(v uint64) VecVirtual {
	r, z := GP64(), ZMM()
	MOVQ(U64(v), r)
	VPBROADCASTQ(r, z)
	return z
}

// pick copies one of 32 entries for each chain. It reads all of them, and what
// it does with each depends on no index.
func pick(s shape) {
	TEXT("pick"+s.String(), NOSPLIT, "func(z, table, index *uint64)")
	Doc(fmt.Sprintf("pick%v copies an entry of a table of 32: for each chain that of its index.", s))
	Pragma("noescape")
	z, table, indices := Load(Param("z"), GP64()), Load(Param("table"), GP64()), Load(Param("index"), GP64())
	var index []VecVirtual
	for c := range s.chains {
		v := ZMM()
		VPBROADCASTQ(Mem{Base: indices, Disp: 8 * c}, v)
		index = append(index, v)
	}
	choose(z, table, index, s.regs)
}

// choose copies the entry of each chain's index, which takes so many registers. An index
// may differ from lane to lane.
func choose(z, table Register, index []VecVirtual, regs int) {
	found := vectors(len(index) * regs)
	for _, f := range found {
		VPXORQ(f, f, f)
	}
	one, here, left := constant(1), ZMM(), GP64()
	VPXORQ(here, here, here)
	MOVQ(U64(32), left)

	Label("entry")
	for c := range index {
		same, mask := K(), ZMM()
		VPCMPEQQ(here, index[c], same)
		VPMOVM2Q(same, mask)
		for i := range regs {
			const orAnd = 0xf8 // found | mask & entry
			VPTERNLOGQ(U8(orAnd), Mem{Base: table, Disp: (c*regs + i) * size}, mask, found[c*regs+i])
		}
	}
	VPADDQ(one, here, here)
	ADDQ(U32(len(found)*size), table)
	DECQ(left)
	JNZ(LabelRef("entry"))

	for i, f := range found {
		VMOVDQU64(f, Mem{Base: z, Disp: i * size})
	}
	VZEROUPPER()
	RET()
}
