package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The scalar kernels are for processors without IFMA. A number has n words of 64 bits, n a
// multiple of eight, and one word more. They multiply by MULX. Additions run in two chains
// at once, one with the carry flag (ADCX), the other with the overflow flag (ADOX).
//
// The product is made of blocks: eight words of y by eight words of x, row by row. Eight
// registers are a window on the sum. Each row adds a word of y times eight of x, stores the
// lowest word, which is complete then, and moves the window up by a word. So 64 products
// write eight words.

// What a block is long.
const (
	block      = 8
	blockBytes = 8 * block
)

// scalarWords are the lengths of numbers modulo 1024, 1536, 2048, 3072 and 4096 bits.
var scalarWords = []int{17, 25, 33, 49, 65}

// The registers, for all of a scalar kernel. avo allocates none.
var (
	window = [block]Register{R8, R9, R10, R11, R12, R13, R14, R15}
	lo, hi = RAX, RBX
	zero   = RCX // it is always 0
	from   = RSI // walks along x, y or the modulus
	sum    = RDI // walks along the sum, in the work area
	factor = RDX // of MULX
)

// A scalar has where a kernel keeps on the stack what has no register.
type scalar struct {
	factors       [block]Mem // one for each row of a block
	carry         Mem        // out of the window: 0 or all ones
	top           Mem        // out of the last rows that were reduced: 0 or 1
	inner, outer  Mem        // counters
	times         Mem        // counter
	x, rows, sums Mem        // pointers
}

func newScalar(name, signature, doc string) *scalar {
	TEXT(name, NOSPLIT, signature)
	Doc(doc)
	Pragma("noescape")
	frame := AllocLocal(8 * (block + 8))
	next := 0
	slot := func() Mem {
		next += 8
		return frame.Offset(next - 8)
	}
	k := &scalar{}
	for i := range k.factors {
		k.factors[i] = slot()
	}
	for _, m := range []*Mem{&k.carry, &k.top, &k.inner, &k.outer, &k.times, &k.x, &k.rows, &k.sums} {
		*m = slot()
	}
	return k
}

func param(name string, r Register) { Load(Param(name), r) }

// move copies between two places in memory, through hi.
func move(src, dst Mem) {
	MOVQ(src, hi)
	MOVQ(hi, dst)
}

// word is word i of what a register points to.
func word(r Register, i int) Mem { return Mem{Base: r, Disp: 8 * i} }

// multiplyScalar writes z = x*y/2^(64*(n+1)).
func multiplyScalar() {
	k := newScalar("multiplyScalar", "func(z, x, y, m, work *uint64, steps, times int)",
		"multiplyScalar computes z = x*y/2^(64*(n+1)) modulo m, so many times; n is 8*steps.")
	param("times", hi)
	MOVQ(hi, k.times)
	Label("again")
	k.clearSum()
	k.product()
	k.reduce()
	DECQ(k.times)
	JNZ(LabelRef("again"))
	k.leave()
}

// leave wipes what is secret on the stack.
func (k *scalar) leave() {
	for _, m := range append(k.factors[:], k.carry, k.top) {
		MOVQ(zero, m)
	}
	RET()
}

// loop repeats f, as often as the counter says.
func loop(label string, counter Mem, f func()) {
	Label(label)
	f()
	DECQ(counter)
	JNZ(LabelRef(label))
}

// steps sets a counter to n/8, less what is given.
func steps(counter Mem, less int) {
	param("steps", hi)
	if less > 0 {
		SUBQ(U8(less), hi)
	}
	MOVQ(hi, counter)
}

// clearSum writes zeros to all words of the sum, and makes zero 0.
func (k *scalar) clearSum() {
	XORQ(zero, zero)
	param("work", sum)
	param("steps", hi)
	LEAQ(Mem{Base: hi, Index: hi, Scale: 1, Disp: 1}, hi)
	MOVQ(hi, k.inner)
	loop("clear", k.inner, func() {
		for i := range block {
			MOVQ(zero, word(sum, i))
		}
		ADDQ(U8(blockBytes), sum)
	})
}

// product adds x*y to the sum.
func (k *scalar) product() {
	param("y", hi)
	MOVQ(hi, k.rows)
	param("work", hi)
	MOVQ(hi, k.sums)
	steps(k.outer, 0)
	loop("rows", k.outer, func() {
		k.takeFactors()
		ADDQ(U8(blockBytes), k.rows)
		param("x", from)
		MOVQ(k.sums, sum)
		ADDQ(U8(blockBytes), k.sums)
		for _, r := range window {
			XORQ(r, r)
		}
		MOVQ(zero, k.carry)
		steps(k.inner, 0)
		loop("columns", k.inner, k.blockOfColumns)
		k.store()
	})
	// The words above: k.rows points to that of y.
	move(Mem{Base: k.slot(k.rows)}, k.factors[0])
	param("x", from)
	k.row("columnOfY", k.factors[0])
	MOVQ(R8, word(sum, 0))
	move(Mem{Base: from}, k.factors[1])
	param("y", from)
	k.row("columnOfX", k.factors[1])
	XORQ(lo, lo)
	ADDQ(R8, word(sum, 0))
	ADCQ(lo, lo)
	MOVQ(lo, R8)
	MOVQ(k.factors[1], factor)
	MULXQ(k.factors[0], lo, hi)
	ADDQ(lo, word(sum, 0))
	ADCQ(R8, hi)
	MOVQ(hi, word(sum, 1))
}

// slot brings a pointer that is kept on the stack into a register.
func (k *scalar) slot(m Mem) Register {
	MOVQ(m, hi)
	return hi
}

// takeFactors copies what k.rows points to to the stack, as the factors of the rows.
func (k *scalar) takeFactors() {
	MOVQ(k.rows, from)
	for i, f := range k.factors {
		MOVQ(word(from, i), lo)
		MOVQ(lo, f)
	}
}

// blockOfColumns adds the sum that is there to the window, and then a block.
func (k *scalar) blockOfColumns() {
	MOVQ(k.carry, lo)
	ADDQ(lo, lo) // sets the carry flag
	for i, r := range window {
		ADCQ(word(sum, i), r)
	}
	SBBQ(lo, lo)
	MOVQ(lo, k.carry)
	for i := range block {
		k.windowRow(i, word(sum, i))
	}
	k.next()
}

func (k *scalar) next() {
	ADDQ(U8(blockBytes), from)
	ADDQ(U8(blockBytes), sum)
}

// windowRow adds factor i times eight words to the window, stores its lowest word to done,
// and moves it up by a word.
func (k *scalar) windowRow(i int, done Mem) {
	w := func(j int) Register { return window[(i+j)%block] }
	MOVQ(k.factors[i], factor)
	XORQ(lo, lo) // no carry in either chain
	for j := range block {
		if j == block-1 {
			MULXQ(word(from, j), lo, w(0))
			ADCXQ(lo, w(j))
			break
		}
		MULXQ(word(from, j), lo, hi)
		ADCXQ(lo, w(j))
		if j == 0 {
			MOVQ(w(0), done)
		}
		ADOXQ(hi, w(j+1))
	}
	ADCXQ(zero, w(0))
	ADOXQ(zero, w(0))
}

// store adds what is left in k.carry, and writes the window where the sum is still zero.
func (k *scalar) store() {
	MOVQ(k.carry, lo)
	ADDQ(lo, lo)
	for i, r := range window {
		ADCQ(zero, r)
		MOVQ(r, word(sum, i))
	}
}

// row adds a factor times n words at from to n words of the sum, from k.sums on.
// Afterwards from and sum point behind those words, and R8 is what was carried.
func (k *scalar) row(label string, by Mem) {
	MOVQ(by, factor)
	MOVQ(k.sums, sum)
	XORQ(R8, R8)
	steps(k.inner, 0)
	loop(label, k.inner, func() {
		XORQ(lo, lo)
		carried, next := R8, R9
		for i := range block {
			MULXQ(word(from, i), lo, next)
			ADCXQ(carried, lo)
			ADOXQ(word(sum, i), lo)
			MOVQ(lo, word(sum, i))
			carried, next = next, carried
		}
		ADCXQ(zero, carried)
		ADOXQ(zero, carried)
		k.next()
	})
}
