package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A kernel is what the code of one multiplication shares.
type kernel struct {
	shape
	x, y, m, work Register
	zero, ones    VecVirtual
	mask          VecVirtual // 52 bits
	lowest        OpmaskVirtual
	chain         []*chain
}

// A chain is the state of one product.
type chain struct {
	t []VecVirtual // the sum, in lanes of 64 bits
	u []VecVirtual // what x adds to t; nil where there is no hurry
	// q0 and q1 are the two limbs of the quotient in every lane, b0 and b1
	// those of y.
	q0, q1, b0, b1 VecVirtual
	carry          VecVirtual
}

func newKernel(s shape) *kernel { return &kernel{shape: s} }

// multiply writes the Montgomery multiplication.
func (k *kernel) multiply() {
	TEXT("multiply"+k.String(), NOSPLIT, "func(z, x, y, m, work *uint64, steps, times int)")
	Doc(fmt.Sprintf("multiply%v computes z = x*y/2^(104*steps) modulo m, so many times.", k.shape))
	Pragma("noescape")
	k.x, k.y = Load(Param("x"), GP64()), Load(Param("y"), GP64())
	k.m, k.work = Load(Param("m"), GP64()), Load(Param("work"), GP64())
	times := Load(Param("times"), GP64())
	k.constants()

	Label("again")
	for c := range k.chains {
		k.prepare(c)
	}
	y, steps := GP64(), GP64()
	MOVQ(k.y, y)
	Load(Param("steps"), steps)
	Label("step")
	for c, s := range k.chain {
		k.addProduct(c, s, y)
	}
	for _, s := range k.chain {
		k.quotient(s)
	}
	for c, s := range k.chain {
		k.addModulus(c, s)
	}
	ADDQ(U8(16), y)
	DECQ(steps)
	JNZ(LabelRef("step"))

	z := Load(Param("z"), GP64())
	for c, s := range k.chain {
		k.normalise(s)
		for i, t := range s.t {
			VMOVDQU64(t, k.at(z, c, i))
		}
	}
	DECQ(times)
	JNZ(LabelRef("again"))
	VZEROUPPER()
	RET()
}

func (k *kernel) constants() {
	k.ones, k.mask, k.zero = constant(1), constant(1<<52-1), ZMM()
	VPXORQ(k.zero, k.zero, k.zero)
	one := GP32()
	MOVL(U32(1), one)
	k.lowest = K()
	KMOVB(one, k.lowest)
	for range k.chains {
		s := &chain{t: vectors(k.regs), u: make([]VecVirtual, k.regs), q0: ZMM(), q1: ZMM(), b0: ZMM(), b1: ZMM(), carry: ZMM()}
		// The lowest register decides the next quotient. In the others, a sum
		// of its own pays where a step takes less time than eight additions.
		for i := range k.hurried() {
			s.u[i] = ZMM()
		}
		k.chain = append(k.chain, s)
	}
}

// hurried is how many registers have a sum of their own for what x adds.
func (k *kernel) hurried() int {
	if k.chains*k.regs <= 8 {
		return k.regs
	}
	return 1
}

// shifted is register i of x moved up by one or two lanes, in the work area.
func (k *kernel) shifted(c, by, i int) Mem {
	return Mem{Base: k.work, Disp: ((2*c+by-1)*k.regs + i) * size}
}

// modulus is register i of the modulus moved up by none, one or two lanes.
func (k *kernel) modulus(c, by, i int) Mem {
	return Mem{Base: k.m, Disp: ((3*c+by)*k.regs + i) * size}
}

// prepare moves x up by one lane and by two, and clears the sum.
func (k *kernel) prepare(c int) {
	before := k.zero
	for i := range k.regs {
		x, up := ZMM(), ZMM()
		VMOVDQU64(k.at(k.x, c, i), x)
		VALIGNQ(U8(lanes-1), before, x, up)
		VMOVDQU64(up, k.shifted(c, 1, i))
		VALIGNQ(U8(lanes-2), before, x, up)
		VMOVDQU64(up, k.shifted(c, 2, i))
		before = x
	}
	for _, t := range k.chain[c].t {
		VPXORQ(t, t, t)
	}
}

// addProduct adds x times two limbs of y. The upper half of a product belongs one
// lane higher, which is where x moved up by a lane has its factor.
func (k *kernel) addProduct(c int, s *chain, y Register) {
	VPBROADCASTQ(Mem{Base: y, Disp: c * k.regs * size}, s.b0)
	VPBROADCASTQ(Mem{Base: y, Disp: c*k.regs*size + 8}, s.b1)
	for i, t := range s.t {
		sum := t
		if s.u[i] != nil {
			sum = s.u[i]
			VPXORQ(sum, sum, sum)
		}
		up := ZMM()
		VMOVDQU64(k.shifted(c, 1, i), up)
		VPMADD52LUQ(k.at(k.x, c, i), s.b0, sum)
		VPMADD52HUQ(up, s.b0, sum)
		VPMADD52LUQ(up, s.b1, sum)
		VPMADD52HUQ(k.shifted(c, 2, i), s.b1, sum)
		if s.u[i] != nil {
			VPADDQ(sum, t, t)
		}
	}
}

// quotient takes the two lowest limbs out of the sum, and moves the rest down.
func (k *kernel) quotient(s *chain) {
	above := ZMM()
	VPBROADCASTQ(s.t[0].AsX(), s.q0)
	VPERMQ(s.t[0], k.ones, above)
	VPSRLQ(U8(52), s.q0, s.q1)
	VPADDQ(above, s.q1, s.q1)
	VPSRLQ_Z(U8(52), s.q1, k.lowest, s.carry)
	for i, t := range s.t {
		next := k.zero
		if i+1 < k.regs {
			next = s.t[i+1]
		}
		VALIGNQ(U8(2), t, next, t)
	}
}

// addModulus adds the quotient's multiple of the modulus without its two lowest
// limbs, and what they carry.
func (k *kernel) addModulus(c int, s *chain) {
	for i, t := range s.t {
		other := t
		if i == 0 {
			other = s.carry
		}
		up := ZMM()
		VMOVDQU64(k.modulus(c, 1, i), up)
		VPMADD52LUQ(k.modulus(c, 0, i), s.q0, t)
		VPMADD52HUQ(up, s.q0, t)
		VPMADD52LUQ(up, s.q1, other)
		VPMADD52HUQ(k.modulus(c, 2, i), s.q1, other)
		if i == 0 {
			VPADDQ(other, t, t)
		}
	}
}

// normalise brings every lane to 52 bits. After one round of carries a lane is
// 2^52+2^12 at most; the carries that are left run through an addition of masks:
// a lane above 52 bits makes one, a lane of 52 ones passes one on.
func (k *kernel) normalise(s *chain) {
	before := k.zero
	for _, t := range s.t {
		carry, up := ZMM(), ZMM()
		VPSRLQ(U8(52), t, carry)
		VPANDQ(k.mask, t, t)
		VALIGNQ(U8(lanes-1), before, carry, up)
		VPADDQ(up, t, t)
		before = carry
	}
	words := (k.regs + 7) / 8
	makes, passes := make([]GPVirtual, words), make([]GPVirtual, words)
	const greater, equal = 6, 0
	for w := range words {
		part := s.t[8*w : min(8*w+8, k.regs)]
		makes[w], passes[w] = k.compare(part, greater), k.compare(part, equal)
	}
	ADDQ(makes[0], makes[0])
	for w := 1; w < words; w++ {
		ADCQ(makes[w], makes[w])
	}
	ADDQ(passes[0], makes[0])
	for w := 1; w < words; w++ {
		ADCQ(passes[w], makes[w])
	}
	for w := range words {
		XORQ(passes[w], makes[w])
	}
	for i, t := range s.t {
		if i%8 > 0 {
			SHRQ(U8(8), makes[i/8])
		}
		m := K()
		KMOVB(makes[i/8].As32(), m)
		VPADDQ(k.ones, t, m, t)
		VPANDQ(k.mask, t, t)
	}
}

// compare returns a bit for each lane: how it compares to 52 ones.
func (k *kernel) compare(part []VecVirtual, how uint8) GPVirtual {
	var all GPVirtual
	for i := len(part) - 1; i >= 0; i-- {
		m, bits := K(), GP64()
		VPCMPUQ(U8(how), k.mask, part[i], m)
		KMOVB(m, bits.As32())
		if all == nil {
			all = bits
			continue
		}
		SHLQ(U8(8), all)
		ORQ(bits, all)
	}
	return all
}
