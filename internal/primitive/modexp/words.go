package modexp

import (
	"encoding/binary"
	"math/bits"
)

// Words is a number in words of 64 bits, the lowest first. Its length is public.
type Words []uint64

// FromBytes returns the number that stands in b, big-endian, in so many words.
// What does not fit is cut off.
func FromBytes(b []byte, words int) Words {
	w := make(Words, words)
	w.read(b)
	return w
}

// read sets w, which is zero, to the number that stands in b, big-endian.
func (w Words) read(b []byte) {
	for i := range w {
		switch end := len(b) - 8*i; {
		case end >= 8:
			w[i] = binary.BigEndian.Uint64(b[end-8:])
		case end > 0:
			var first [8]byte
			copy(first[8-end:], b[:end])
			w[i] = binary.BigEndian.Uint64(first[:])
		}
	}
}

// Bytes returns the number, big-endian, with its leading zeros.
func (w Words) Bytes() []byte {
	b := make([]byte, 0, 8*len(w))
	for i := len(w) - 1; i >= 0; i-- {
		b = binary.BigEndian.AppendUint64(b, w[i])
	}
	return b
}

// add adds x to w, which is as long, and returns the carry.
func (w Words) add(x Words) (carry uint64) {
	for i := range w {
		w[i], carry = bits.Add64(w[i], x[i], carry)
	}
	return carry
}

// subtract makes w = x - y, all of one length, and returns the borrow.
func (w Words) subtract(x, y Words) (borrow uint64) {
	for i := range w {
		w[i], borrow = bits.Sub64(x[i], y[i], borrow)
	}
	return borrow
}

// pick copies x to w if on is 1, and does nothing if it is 0.
func (w Words) pick(on uint64, x Words) {
	for i := range w {
		w[i] ^= -on & (w[i] ^ x[i])
	}
}

// reduceOnce subtracts n from w + carry*2^(64*len(w)), which is below 2n, unless it
// is below n. t is scratch.
func (w Words) reduceOnce(carry uint64, n, t Words) {
	borrow := t.subtract(w, n)
	w.pick(carry|(1-borrow), t)
}

// AddMultiple adds x*y to the lowest words of w, and returns the word that is
// carried out of those.
func (w Words) AddMultiple(x Words, y uint64) (carry uint64) {
	w = w[:len(x)]
	for i, xi := range x {
		hi, lo := bits.Mul64(xi, y)
		var c uint64
		lo, c = bits.Add64(lo, carry, 0)
		hi += c
		w[i], c = bits.Add64(w[i], lo, 0)
		carry = hi + c
	}
	return carry
}

// Times returns the product, which is as long as both.
func (w Words) Times(x Words) Words {
	z := make(Words, len(w)+len(x))
	for i, xi := range x {
		z[i+len(w)] = z[i:].AddMultiple(w, xi)
	}
	return z
}

// Add adds x, which is no longer than w. The carry is lost.
func (w Words) Add(x Words) {
	carry := w[:len(x)].add(x)
	for i := len(x); i < len(w); i++ {
		w[i], carry = bits.Add64(w[i], carry, 0)
	}
}

// Equal reports, in a time that the lengths alone decide, whether w and x are the
// same. They have one length.
func (w Words) Equal(x Words) bool {
	var differ uint64
	for i := range w {
		differ |= w[i] ^ x[i]
	}
	return differ == 0
}

// limbs cuts w into limbs of so many bits, as many as z has. What w lacks is zero.
func (w Words) limbs(z []uint64, width int) {
	for i := range z {
		at, shift := i*width/64, uint(i*width%64)
		var v uint64
		if at < len(w) {
			v = w[at] >> shift
		}
		if at+1 < len(w) {
			v |= w[at+1] << (64 - shift) // nothing for a shift of 0
		}
		z[i] = v & (1<<width - 1)
	}
}

// join is the reverse of limbs, for as many words as z has.
func (z Words) join(limbs []uint64, width int) {
	clear(z)
	for i, l := range limbs {
		at, shift := i*width/64, uint(i*width%64)
		if at < len(z) {
			z[at] |= l << shift
		}
		if at+1 < len(z) {
			z[at+1] |= l >> (64 - shift) // nothing for a shift of 0
		}
	}
}
