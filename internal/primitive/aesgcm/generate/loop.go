package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A width is the registers that a kernel works with, and what they are to it.
type width struct {
	size   int           // of a register, in bytes
	states []VecPhysical // counters that become key stream, and then output
	text   VecPhysical   // of the tail
	sum    ghash
	spare  VecPhysical // in the loop: ciphertext, swapped, for GHASH
	hash   VecPhysical // GHASH so far, in its first block; the others are zero
	count  VecPhysical // the next counters, swapped
	swap   Op          // VPSHUFB's, for a whole register
	step   int         // where the constants have what a register's counters go up by
	move   string      // the instruction that loads and stores
	rounds func(c cipher, blocks []VecPhysical) []step
	lanes  func() // sets hash to the sum of the blocks of the reduced sum
}

// chunk is how many bytes one turn of the loop takes.
func (w width) chunk() int { return len(w.states) * w.size }

// encrypt sets as many states as n bytes have to the next key stream, one step for each
// round. The counters are made before the first.
func (w width) encrypt(c cipher, n int) []step {
	states := w.states[:n/w.size]
	steps := w.rounds(c, states)
	first := steps[0]
	steps[0] = func() {
		for _, s := range states {
			vec("VPSHUFB", w.swap, w.count, s)
			vec("VPADDD", constant(w.step), w.count, w.count)
		}
		first()
	}
	return steps
}

// hashing hashes n bytes of ciphertext at a distance from what base points to, behind the
// hash so far.
func (w width) hashing(base Register, distance, n int) []step {
	var steps []step
	for i := 0; i < n; i += w.size {
		x, begin := w.spare, i == 0
		steps = append(steps, func() {
			vec(w.move, Mem{Base: base, Disp: distance + i}, x)
			vec("VPSHUFB", w.swap, x, x)
			if begin {
				vec(w.sum.add, w.hash, x, x)
			}
		})
		steps = append(steps, w.sum.multiply(x, powerOf((n-i)/blockSize), begin)...)
	}
	return append(append(steps, w.sum.reduce()...), w.lanes)
}

// output adds the key stream in the states to n bytes of text, stores them and steps over
// them.
func (w width) output(n int) []step {
	return []step{func() {
		for i, s := range w.states[:n/w.size] {
			vec(w.sum.add, Mem{Base: src, Disp: i * w.size}, s, s)
			vec(w.move, s, Mem{Base: dst, Disp: i * w.size})
		}
		stepOver(n)
	}}
}

// stepOver goes on to what is n bytes further.
func stepOver(n int) {
	ADDQ(I32(n), src)
	ADDQ(I32(n), dst)
	SUBQ(I32(n), left)
}

// loop does all whole chunks, and goes to behind if there is none.
func (w width) loop(c cipher, d direction, behind string) {
	n := w.chunk()
	CMPQ(left, I32(n))
	JB(LabelRef(behind))
	if d == seal {
		w.sealLoop(c)
		return
	}
	Label("loop")
	w.openOnce(c, n)
	CMPQ(left, I32(n))
	JAE(LabelRef("loop"))
}

// sealLoop encrypts a chunk while it hashes the one before.
func (w width) sealLoop(c cipher) {
	n := w.chunk()
	run(w.encrypt(c, n), w.output(n))
	CMPQ(left, I32(n))
	JB(LabelRef("sealed"))
	Label("loop")
	between(w.encrypt(c, n), w.hashing(dst, -n, n))
	run(w.output(n))
	CMPQ(left, I32(n))
	JAE(LabelRef("loop"))
	Label("sealed")
	run(w.hashing(dst, -n, n))
}

// openOnce decrypts n bytes while it hashes them.
func (w width) openOnce(c cipher, n int) {
	between(w.encrypt(c, n), w.hashing(src, 0, n))
	run(w.output(n))
}

// tail begins the sum of what is left, which finish reduces.
func (w width) tail() {
	for _, r := range []Op{w.sum.lo, w.sum.mi, w.sum.hi} {
		vec(w.sum.add, r, r, r)
	}
	tailPowers()
}

// hashText adds the products of what is in text, with the hash so far in it, to the sum.
func (w width) hashText() {
	vec("VPSHUFB", w.swap, w.text, w.text)
	vec(w.sum.add, w.hash, w.text, w.text)
	vec(w.sum.add, w.hash, w.hash, w.hash)
	vec(w.move, Mem{Base: power}, w.spare)
	run(w.sum.multiply(w.text, w.spare, false))
}

// finish adds the block with the lengths, reduces the sum and stores the tag.
func (w width) finish(masked Op) {
	x := low(w.text)
	lengths(x)
	vec(w.sum.add, low(w.hash), x, x)
	vec(w.move, powerOf(1), low(w.spare)) // and zeros behind it
	run(w.sum.multiply(w.text, w.spare, false))
	run(w.sum.reduce())
	w.lanes()
	x = low(w.hash)
	vec("VPSHUFB", constant(swapAt), x, x)
	vec(w.sum.add, masked, x, x)
	vec(w.move, x, Mem{Base: tag})
}
