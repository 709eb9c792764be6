package main

import (
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// ghash is a sum of products and what it needs: registers of one width.
type ghash struct {
	lo, mi, hi VecPhysical // the sum: hi·x^128 + mi·x^64 + lo
	t          VecPhysical // of no value between steps
	fold       func(a, b, to Op)
	add        string // the instruction that adds
}

// xor2 adds both a and b to to.
func xor2(a, b, to Op) {
	vec("VPXOR", a, to, to)
	vec("VPXOR", b, to, to)
}

// xor3 is xor2 in one instruction of AVX-512.
func xor3(a, b, to Op) { vec("VPTERNLOGD", U8(0x96), a, b, to) }

// multiply adds x·by to the sum, or begins it.
func (g ghash) multiply(x, by Op, begin bool) []step {
	if begin {
		return []step{
			func() { vec("VPCLMULQDQ", U8(0x00), by, x, g.lo) },
			func() { vec("VPCLMULQDQ", U8(0x11), by, x, g.hi) },
			func() { vec("VPCLMULQDQ", U8(0x01), by, x, g.mi) },
			func() { vec("VPCLMULQDQ", U8(0x10), by, x, g.t); vec(g.add, g.t, g.mi, g.mi) },
		}
	}
	return []step{
		func() { vec("VPCLMULQDQ", U8(0x00), by, x, g.t); vec(g.add, g.t, g.lo, g.lo) },
		func() { vec("VPCLMULQDQ", U8(0x11), by, x, g.t); vec(g.add, g.t, g.hi, g.hi) },
		func() { vec("VPCLMULQDQ", U8(0x01), by, x, g.t); vec(g.add, g.t, g.mi, g.mi) },
		func() { vec("VPCLMULQDQ", U8(0x10), by, x, g.t); vec(g.add, g.t, g.mi, g.mi) },
	}
}

// reduce sets hi to the sum modulo the polynomial, in each block.
func (g ghash) reduce() []step {
	half := func(from, into VecPhysical) []step {
		return []step{
			func() { vec("VPCLMULQDQ", U8(0x00), constant(polyAt), from, g.t) },
			func() { vec("VPSHUFD", U8(0x4e), from, from) },
			func() { g.fold(g.t, from, into) },
		}
	}
	return append(half(g.lo, g.mi), half(g.mi, g.hi)...)
}
