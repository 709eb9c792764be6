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

	for j := range limbs {
		if j > 0 {
			VPADDQ(factor, t[j], t[j])
		}
		VPSRLQ(U8(52), t[j], factor)
		VPANDQ(mask, t[j], t[j])
		VMOVDQU64(t[j], Mem{Base: z, Disp: j * size})
	}
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
