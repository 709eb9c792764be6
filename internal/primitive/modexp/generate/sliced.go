package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// slicedLimbs is how many limbs a number of the sliced kernel has: those of half an
// RSA key of 2048 bits. Larger ones do not fit into the registers.
const slicedLimbs = 22

// multiplySliced writes the multiplication of eight pairs of numbers, of which a register
// holds one limb each. No lane waits for another, and nothing is moved between lanes. The
// modulus is -1 modulo 2^104 here too, but one limb is taken at a time.
func multiplySliced(limbs int) {
	TEXT(fmt.Sprintf("multiply8x%d", limbs), NOSPLIT, "func(z, x, y, m, work *uint64, steps, times int)")
	Doc(fmt.Sprintf("multiply8x%d computes z = x*y/2^(104*steps) modulo m, so many times, in eight lanes.", limbs))
	Pragma("noescape")
	x, y, m := Load(Param("x"), GP64()), Load(Param("y"), GP64()), Load(Param("m"), GP64())
	times, steps, z := Load(Param("times"), GP64()), GP64(), Load(Param("z"), GP64())
	mask := constant(1<<52 - 1)
	t := vectors(limbs + 1)
	factor, digit := ZMM(), ZMM()

	Label("again")
	for _, v := range t {
		VPXORQ(v, v, v)
	}
	at := GP64()
	MOVQ(y, at)
	Load(Param("steps"), steps)
	ADDQ(steps, steps)
	Label("step")
	VMOVDQU64(Mem{Base: at}, digit)
	for j := range limbs {
		VMOVDQU64(Mem{Base: x, Disp: j * size}, factor)
		VPMADD52LUQ(factor, digit, t[j])
		VPMADD52HUQ(factor, digit, t[j+1])
	}
	// The quotient is the lowest limb. (M+1)/2^104 counts from the second limb above it,
	// and everything moves down by one.
	VMOVDQA64(t[0], digit)
	VPSRLQ(U8(52), t[0], t[0])
	VPADDQ(t[0], t[1], t[1])
	for j := range limbs - 2 {
		VMOVDQU64(Mem{Base: m, Disp: j * size}, factor)
		VPMADD52LUQ(factor, digit, t[j+2])
		VPMADD52HUQ(factor, digit, t[j+3])
	}
	for j := range limbs {
		VMOVDQA64(t[j+1], t[j])
	}
	VPXORQ(t[limbs], t[limbs], t[limbs])
	ADDQ(U8(size), at)
	DECQ(steps)
	JNZ(LabelRef("step"))

	storeSliced(z, mask, factor, t[:limbs])
	DECQ(times)
	JNZ(LabelRef("again"))
	VZEROUPPER()
	RET()
}

// storeSliced brings every limb to 52 bits and stores it. carry is scratch.
func storeSliced(z Register, mask, carry VecVirtual, t []VecVirtual) {
	for j, v := range t {
		if j > 0 {
			VPADDQ(carry, v, v)
		}
		VPSRLQ(U8(52), v, carry)
		VPANDQ(mask, v, v)
		VMOVDQU64(v, Mem{Base: z, Disp: j * size})
	}
}

// squareSliced writes the square of eight numbers. A product of two limbs that differ
// counts twice, so row i multiplies limb i by itself and by twice the limbs above it: three
// eighths of the products are saved. Those limbs are doubled once, with the bits that they
// carry; the lowest of a row comes from a list without the bit that is carried into it,
// since that is part of the square of its lower neighbour.
func squareSliced(limbs int) {
	TEXT(fmt.Sprintf("square8x%d", limbs), NOSPLIT, "func(z, x, m, work *uint64, times int)")
	Doc(fmt.Sprintf("square8x%d computes z = x*x/2^(52*%d) modulo m, so many times, in eight lanes; x is z from the second time on.", limbs, limbs))
	Pragma("noescape")
	z, x, m, work := Load(Param("z"), GP64()), Load(Param("x"), GP64()), Load(Param("m"), GP64()), Load(Param("work"), GP64())
	times := Load(Param("times"), GP64())
	mask := constant(1<<52 - 1)
	t := vectors(limbs + 1)
	factor, digit := ZMM(), ZMM()
	uncarried := func(j int) Mem { return Mem{Base: work, Disp: j * size} }
	doubled := func(j int) Mem { return Mem{Base: work, Disp: (limbs + j) * size} }

	Label("again")
	VPXORQ(digit, digit, digit)
	for j := range limbs {
		VMOVDQU64(Mem{Base: x, Disp: j * size}, factor)
		twice := t[j]
		VPADDQ(factor, factor, twice)
		VPANDQ(mask, twice, twice)
		VMOVDQU64(twice, uncarried(j))
		VPADDQ(digit, twice, twice)
		VMOVDQU64(twice, doubled(j))
		VPSRLQ(U8(51), factor, digit)
	}
	for _, v := range t {
		VPXORQ(v, v, v)
	}
	for i := range limbs {
		at := func(j int) VecVirtual { return t[(i+j)%len(t)] } // the register that has moved down i times
		VMOVDQU64(Mem{Base: x, Disp: i * size}, digit)
		VPMADD52LUQ(digit, digit, at(i))
		VPMADD52HUQ(digit, digit, at(i+1))
		for j := i + 1; j < limbs; j++ {
			other := doubled(j)
			if j == i+1 {
				other = uncarried(j)
			}
			VMOVDQU64(other, factor)
			VPMADD52LUQ(factor, digit, at(j))
			VPMADD52HUQ(factor, digit, at(j+1))
		}
		VPSRLQ(U8(52), at(0), factor)
		VPADDQ(factor, at(1), at(1))
		for j := range limbs - 2 {
			VMOVDQU64(Mem{Base: m, Disp: j * size}, factor)
			VPMADD52LUQ(factor, at(0), at(j+2))
			VPMADD52HUQ(factor, at(0), at(j+3))
		}
		VPXORQ(at(0), at(0), at(0))
	}
	storeSliced(z, mask, factor, append(t[limbs:], t[:limbs-1]...))
	MOVQ(z, x)
	DECQ(times)
	JNZ(LabelRef("again"))
	VZEROUPPER()
	RET()
}

// pickSliced copies, in each lane, the entry of the lane's own index.
func pickSliced(limbs int) {
	TEXT(fmt.Sprintf("pick8x%d", limbs), NOSPLIT, "func(z, table, index *uint64)")
	Doc(fmt.Sprintf("pick8x%d copies an entry of a table of 32: in each lane that of its index.", limbs))
	Pragma("noescape")
	z, table, indices := Load(Param("z"), GP64()), Load(Param("table"), GP64()), Load(Param("index"), GP64())
	index := ZMM()
	VMOVDQU64(Mem{Base: indices}, index)
	choose(z, table, []VecVirtual{index}, limbs)
}
