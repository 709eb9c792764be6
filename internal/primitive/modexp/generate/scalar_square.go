package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

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
