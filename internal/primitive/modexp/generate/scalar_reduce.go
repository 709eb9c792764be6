package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

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
