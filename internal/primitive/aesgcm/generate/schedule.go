package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// schedule emits the function that fills a schedule. FIPS 197 §5.2 has the keys of
// the rounds; H is the zero block, encrypted.
func schedule(c cipher) {
	TEXT(fmt.Sprintf("schedule%d", c.bits), attr.NOSPLIT, "func(s *byte, key *byte)")
	Doc(fmt.Sprintf("schedule%d fills s from key, which has %d bytes.", c.bits, c.bits/8))
	Pragma("noescape")
	Load(Param("s"), table)
	Load(Param("key"), src)

	h := X2
	keys := []Register{X0, X1}[:c.bits/128]
	for i, k := range keys {
		vec("VMOVDQU", Mem{Base: src, Disp: i * blockSize}, k)
	}
	rcon := 1
	for round := 0; round <= c.rounds; round++ {
		k := keys[round%len(keys)]
		if round >= len(keys) {
			// The last word so far, turned, with the round's constant; or, every
			// second time with 256 bits, the same word not turned.
			last, imm, word := keys[(round-1)%len(keys)], 0, 0xaa
			if round%len(keys) == 0 {
				imm, word = rcon, 0xff
				rcon = rcon<<1 ^ rcon>>7*0x11b
			}
			nextKey(k, last, imm, word)
		}
		vec("VMOVDQU", k, keyOf(round))
		switch round {
		case 0:
			vec("VMOVDQA", k, h)
		case c.rounds:
			vec("VAESENCLAST", k, h, h)
		default:
			vec("VAESENC", k, h, h)
		}
	}
	double(h)
	powersOf(h)
	VZEROUPPER()
	RET()
}

// nextKey makes the next round's key from k, len(keys) rounds ago, and last.
func nextKey(k, last Register, rcon, word int) {
	t, u := X3, X4
	vec("VAESKEYGENASSIST", U8(rcon), last, t)
	vec("VPSHUFD", U8(word), t, t)
	vec("VPSLLDQ", U8(4), k, u)
	vec("VPXOR", u, k, k)
	vec("VPSLLDQ", U8(8), k, u)
	vec("VPXOR", u, k, k)
	vec("VPXOR", t, k, k)
}

// double swaps H's bytes and multiplies it by x.
func double(h Register) {
	t, u := X3, X4
	vec("VPSHUFB", constant(swapAt), h, h)
	vec("VPSRAD", U8(31), h, t)
	vec("VPSHUFD", U8(0xff), t, t)
	vec("VPAND", constant(doubleAt), t, t)
	vec("VPSRLQ", U8(63), h, u)
	vec("VPSLLDQ", U8(8), u, u)
	vec("VPSLLQ", U8(1), h, h)
	vec("VPXOR", u, h, h)
	vec("VPXOR", t, h, h)
}

// powersOf writes the powers of h, two to a register: {H^2, H^1}, {H^4, H^3}, ...
func powersOf(h VecPhysical) {
	pairs := []VecPhysical{Y5, Y6, Y7, Y8, Y9, Y10, Y11, Y12, Y13, Y14}
	by, first := Y0, pairs[0]
	product(h, h, low(first)) // H^2
	vec("VINSERTI128", U8(1), h, first, first)
	for have := 1; have < len(pairs); have *= 2 {
		vec("VPERM2I128", U8(0), pairs[have-1], pairs[have-1], by) // its highest power, twice
		for i := have; i < min(2*have, len(pairs)); i++ {
			product(pairs[i-have], by, pairs[i])
		}
	}
	for i, p := range pairs {
		vec("VMOVDQU", p, powerOf(2*i+2))
	}
}

// product sets to to a·b, reduced, in each block.
func product(a, b, to VecPhysical) {
	g := ghash{lo: Y1, mi: Y2, hi: Y3, t: Y4, fold: xor2, add: "VPXOR"}
	if a.Size() == 16 {
		g = ghash{lo: X1, mi: X3, hi: X4, t: X6, fold: xor2, add: "VPXOR"}
	}
	for _, s := range g.multiply(a, b, true) {
		s()
	}
	for _, s := range g.reduce() {
		s()
	}
	vec("VMOVDQA", g.hi, to)
}
