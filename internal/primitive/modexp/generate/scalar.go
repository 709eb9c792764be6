package main

import (
	"fmt"

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

// squareScalar writes z = x*x/2^(64*(n+1)).
func squareScalar() {
	k := newScalar("squareScalar", "func(z, x, m, work *uint64, steps, times int)",
		"squareScalar computes z = x*x/2^(64*(n+1)) modulo m, so many times; x is z from the second time on; n is 8*steps.")
	param("times", hi)
	MOVQ(hi, k.times)
	param("x", hi)
	MOVQ(hi, k.x)
	Label("again")
	k.clearSum()
	k.unequal()
	k.twiceAndSquares()
	k.reduce()
	param("z", hi)
	MOVQ(hi, k.x)
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

// unequal adds all products of two different words of x to the sum, once.
func (k *scalar) unequal() {
	move(k.x, k.rows)
	param("work", hi)
	MOVQ(hi, k.sums)
	steps(k.outer, 1)
	loop("rows", k.outer, func() {
		k.triangle()
		move(k.outer, k.inner)
		loop("columns", k.inner, k.blockOfColumns)
		k.store()
	})
	k.triangle()
	k.store()
	param("steps", hi)
	SHLQ(U8(6), hi)
	param("work", lo)
	ADDQ(hi, lo)
	MOVQ(lo, k.sums)
	move(Mem{Base: k.slot(k.rows)}, k.factors[0])
	MOVQ(k.x, from)
	k.row("column", k.factors[0])
	MOVQ(R8, word(sum, 0))
}

// triangle adds to the sum the products of different words of one block, which is at
// k.rows. The window is eight words above the block's place then, and so are from and sum.
func (k *scalar) triangle() {
	k.takeFactors()
	ADDQ(U8(blockBytes), k.rows)
	MOVQ(k.sums, sum)
	ADDQ(U32(2*blockBytes), k.sums)
	at := map[int]Register{} // of each word of the sum that is in a register
	for i := 1; i < block; i++ {
		at[i] = window[i]
		MOVQ(word(sum, i), at[i])
	}
	for i := range block - 1 {
		MOVQ(k.factors[i], factor)
		XORQ(lo, lo)
		// Word i+8 comes to be; the register of word i is free: it was stored, or never there.
		at[i+block] = window[i]
		for j := i + 1; j < block; j++ {
			if j == block-1 {
				MULXQ(word(from, j), lo, at[i+block])
				ADCXQ(lo, at[i+j])
				break
			}
			MULXQ(word(from, j), lo, hi)
			ADCXQ(lo, at[i+j])
			ADOXQ(hi, at[i+j+1])
		}
		ADCXQ(zero, at[i+block])
		ADOXQ(zero, at[i+block])
		for _, done := range []int{2*i + 1, 2*i + 2} {
			if done < block {
				MOVQ(at[done], word(sum, done))
			}
		}
	}
	XORQ(window[block-1], window[block-1])
	MOVQ(zero, k.carry)
	k.next()
}

// twiceAndSquares doubles the sum and adds the square of each word of x.
func (k *scalar) twiceAndSquares() {
	MOVQ(k.x, from)
	param("work", sum)
	XORQ(R8, R8) // what is carried: 0 to 2
	steps(k.inner, 0)
	square := func(i int) {
		MOVQ(word(from, i), factor)
		MULXQ(factor, lo, hi)
		if i == 0 {
			ADDQ(R8, lo)
			ADCQ(zero, hi)
			XORQ(R8, R8)
		}
		for j, part := range []Register{lo, hi} {
			MOVQ(word(sum, 2*i+j), R9)
			ADOXQ(R9, R9)
			ADCXQ(part, R9)
			MOVQ(R9, word(sum, 2*i+j))
		}
	}
	loop("squares", k.inner, func() {
		for i := range block {
			square(i)
		}
		ADCXQ(zero, R8)
		ADOXQ(zero, R8)
		ADDQ(U8(blockBytes), from)
		ADDQ(U32(2*blockBytes), sum)
	})
	square(0) // that of the word above
}

// reduce makes z = sum/2^(64*(n+1)) modulo m. m is -1 modulo 2^64, so the lowest word of
// the sum is the quotient. n words of (m+1)/2^64 are at m; what to add instead of
// subtracting m is at m + 8*(n+8).
func (k *scalar) reduce() {
	param("work", hi)
	ADDQ(U8(8), hi)
	MOVQ(hi, k.sums)
	MOVQ(zero, k.top)
	steps(k.outer, 0)
	loop("quotients", k.outer, func() {
		param("m", from)
		MOVQ(k.sums, sum)
		ADDQ(U8(blockBytes), k.sums)
		move(word(sum, -1), k.factors[0])
		for i, r := range window {
			MOVQ(word(sum, i), r)
		}
		for i := range block {
			done := word(sum, i)
			if i+1 < block {
				done = k.factors[i+1] // the next quotient
			}
			k.windowRow(i, done)
		}
		k.next()
		MOVQ(zero, k.carry)
		steps(k.inner, 1)
		loop("multiples", k.inner, k.blockOfColumns)
		k.storeSum()
	})
	MOVQ(k.sums, sum)
	move(word(sum, -1), k.factors[0])
	param("m", from)
	k.row("multiple", k.factors[0])
	XORQ(lo, lo)
	ADDQ(k.top, R8)
	ADCQ(lo, lo)
	ADDQ(R8, word(sum, 0))
	ADCQ(lo, lo)
	NEGQ(lo)
	k.result()
}

// storeSum adds the window to the sum, with what is in k.carry and in k.top.
func (k *scalar) storeSum() {
	MOVQ(k.top, lo)
	SUBQ(k.carry, lo) // 0 to 2
	XORQ(hi, hi)
	for i, r := range window {
		ADCXQ(word(sum, i), r)
		if i == 0 {
			ADOXQ(lo, r)
		} else {
			ADOXQ(zero, r)
		}
		MOVQ(r, word(sum, i))
	}
	ADCXQ(zero, hi)
	ADOXQ(zero, hi)
	MOVQ(hi, k.top)
}

// result writes the n+1 words of the sum from k.sums on to z, less the modulus if lo is
// all ones and not 0.
func (k *scalar) result() {
	param("m", from)
	param("steps", hi)
	SHLQ(U8(6), hi)
	LEAQ(Mem{Base: from, Index: hi, Scale: 1, Disp: blockBytes}, from)
	MOVQ(k.sums, sum)
	param("z", factor)
	MOVQ(zero, k.carry)
	steps(k.inner, 0)
	k.inParts(func(words int) {
		for i := range words {
			MOVQ(word(from, i), window[i])
			ANDQ(lo, window[i])
		}
		MOVQ(k.carry, hi)
		ADDQ(hi, hi)
		for i := range words {
			ADCQ(word(sum, i), window[i])
			MOVQ(window[i], word(factor, i))
		}
		SBBQ(hi, hi)
		MOVQ(hi, k.carry)
	})
}

func (k *scalar) inParts(f func(words int)) {
	loop("parts", k.inner, func() {
		f(block)
		k.next()
		ADDQ(U8(blockBytes), factor)
	})
	f(1)
}

// pickScalar copies one of 32 entries of so many words, by AVX2. It reads all of them.
func pickScalar(words int) {
	TEXT(fmt.Sprintf("pickScalar%d", words), NOSPLIT, "func(z, table, index *uint64)")
	Doc(fmt.Sprintf("pickScalar%d copies an entry of a table of 32; each has %d words, and seven that are not used.", words, words))
	Pragma("noescape")
	const bytes, most = 32, 9
	z, table, index := Load(Param("z"), GP64()), Load(Param("table"), GP64()), Load(Param("index"), GP64())
	wanted, one := YMM(), YMM()
	VPBROADCASTQ(Mem{Base: index}, wanted)
	increment := GP64()
	MOVQ(U32(1), increment)
	VMOVQ(increment, one.AsX())
	VPBROADCASTQ(one.AsX(), one)
	all := (words + 3) / 4
	for first := 0; first < all; first += most {
		n := min(most, all-first)
		found := make([]VecVirtual, n)
		for i := range found {
			found[i] = YMM()
			VPXOR(found[i], found[i], found[i])
		}
		here, same, part := YMM(), YMM(), YMM()
		VPXOR(here, here, here)
		entry, left := GP64(), GP64()
		MOVQ(table, entry)
		MOVQ(U32(32), left)
		label := fmt.Sprintf("entry%d", first)
		Label(label)
		VPCMPEQQ(here, wanted, same)
		for i := range found {
			VPAND(Mem{Base: entry, Disp: (first + i) * bytes}, same, part)
			VPOR(part, found[i], found[i])
		}
		VPADDQ(one, here, here)
		ADDQ(U32(8*(words+7)), entry)
		DECQ(left)
		JNZ(LabelRef(label))
		for i, f := range found {
			VMOVDQU(f, Mem{Base: z, Disp: (first + i) * bytes})
		}
	}
	VZEROUPPER()
	RET()
}
