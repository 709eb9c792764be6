package modexp

import (
	"errors"
	"math/bits"
)

// A Modulus is an odd number of 1024, 1536, 2048, 3072 or 4096 bits, with what is
// computed from it once. It is immutable. It may be secret.
type Modulus struct {
	n          Words
	inverse    uint64 // -1/n modulo 2^64
	reciprocal uint64 // 2^127/(d+1), rounded down, where d is the highest word of n
	alone      *moduli
	// high is (M+1)/2^104, or (M+1)/2^64 for scalar kernels, as limbs; n*k is M, see the
	// package's documentation.
	high []uint64
	// one is R modulo n, enter is R^2, and enterReduced is R^2*2^(64*len(n)): limbs. A
	// product with enter takes a number into Montgomery's form. One with enterReduced takes
	// there what was reduced by words before.
	one, enter, enterReduced []uint64
}

var (
	errSize = errors.New("the modulus is not of 1024, 1536, 2048, 3072 or 4096 bits")
	errEven = errors.New("the modulus is even")
)

// NewModulus takes n, big-endian. Its highest bit is that of its first byte. It
// errs if n is even, or of another size than those of [Modulus].
func NewModulus(n []byte) (*Modulus, error) {
	s := shapeOf(8 * len(n))
	switch {
	case s == nil || n[0] < 0x80:
		return nil, errSize
	case n[len(n)-1]&1 == 0:
		return nil, errEven
	}
	// One piece of memory has all numbers that are kept, and the room those that are not.
	v, words := s.vector(), len(n)/8
	kept := aligned(7*v + words)
	m := &Modulus{one: kept[3*v:][:v], enter: kept[4*v:][:v], enterReduced: kept[5*v:][:v], high: kept[6*v:][:v], n: Words(kept[7*v:])}
	m.n.read(n)
	m.reciprocal = reciprocal(m.n[words-1])
	r := s.room()
	defer s.leave(r)
	m.alone = &moduli{shape: s, each: []*Modulus{m}, high: kept[:3*v]}
	m.multiple(r)
	m.alone.spreadHigh()
	m.constants(r)
	return m, nil
}

// multiple finds k, and of n*k what the kernels read.
func (m *Modulus) multiple(r *room) {
	words := len(m.n)
	k := negativeInverse(m.n[0], m.n[1])
	m.inverse = k[0]
	over := m.alone.quotientBits() - 64
	k[1] &= 1<<over - 1

	whole := Words(r.table[:words+3])
	whole[words] = whole.AddMultiple(m.n, k[0])
	whole[words+1] = whole[1:].AddMultiple(m.n, k[1])
	whole.Add(Words{1})
	high := Words(r.odd[:words+1])
	for i := range high {
		high[i] = whole[i+1]>>over | whole[i+2]<<(64-over)
	}
	high.limbs(m.high, m.alone.width)
}

// negative makes z, which has all limbs of scalar kernels, minus M: M+1 is high*2^64.
func (m *Modulus) negative(z Words) {
	clear(z)
	z[0] = 1
	z[1:].subtract(z[1:], m.high[:len(m.n)])
}

// constants computes powers of two modulo n. R is 2^(width*limbs), and n has its highest
// bit set: half of 2^(64*len(n)) is below it.
func (m *Modulus) constants(r *room) {
	s, size := m.alone.shape, 64*len(m.n)
	power, t := Words(r.table[:len(m.n)]), Words(r.work[:len(m.n)])
	clear(power)
	power[len(power)-1] = 1 << 63
	m.raise(power, 1, t)
	power.limbs(r.odd[:s.limbs], s.width)
	m.raise(power, s.width*s.limbs-size, t)
	power.limbs(m.one[:s.limbs], s.width)
	m.raise(power, s.width*s.limbs/2, t) // R*sqrt(R), of which the square is R*R

	power.limbs(r.power[:s.limbs], s.width)
	m.alone.times(r, m.enter, r.power, r.power, 1)
	m.alone.times(r, r.power, m.enter, m.enter, 1)
	m.alone.times(r, m.enterReduced, r.power, r.odd, 1)
}

// reciprocal is 2^127/(d+1), rounded down, for a d with its highest bit set.
func reciprocal(d uint64) (q uint64) {
	rest := uint64(1 << 63)
	for range 64 {
		carry := rest >> 63
		rest <<= 1
		less, borrow := bits.Sub64(rest, d, 1)
		fits := carry | (1 - borrow)
		rest ^= -fits & (rest ^ less)
		q = q<<1 | fits
	}
	return q
}

// negativeInverse is -1/n modulo 2^128 for the lowest words of an odd n. Each round
// doubles the bits that are right, from the three that n itself has.
func negativeInverse(n0, n1 uint64) [2]uint64 {
	x0, x1 := n0, n1
	for range 6 {
		// x = x * (2 - n*x)
		t0, t1 := times128(n0, n1, x0, x1)
		var borrow uint64
		t0, borrow = bits.Sub64(2, t0, 0)
		t1, _ = bits.Sub64(0, t1, borrow)
		x0, x1 = times128(x0, x1, t0, t1)
	}
	low, borrow := bits.Sub64(0, x0, 0)
	high, _ := bits.Sub64(0, x1, borrow)
	return [2]uint64{low, high}
}

func times128(x0, x1, y0, y1 uint64) (lo, hi uint64) {
	hi, lo = bits.Mul64(x0, y0)
	return lo, hi + x0*y1 + x1*y0
}

// maxShift is how far shift moves at once.
const maxShift = 52

// shift makes x = x*2^by + low modulo n, for an x below n, a low below 2^by, and by at
// most maxShift. t is scratch as long as n.
//
// With d and h the highest words of n and x, x*2^by/n is at least h*2^by/(d+1), and above
// it by less than 2^by*(h+d+1)/(d*(d+1)), so by less than 2^-9. Two roundings down make it
// one too little at most: one subtraction is left.
func (m *Modulus) shift(x Words, by uint, low uint64, t Words) {
	n := m.n[:len(x)]
	q, _ := bits.Mul64(x[len(x)-1], m.reciprocal)
	q >>= 63 - by
	var carry, borrow uint64
	for i, v := range x {
		hi, lo := bits.Mul64(n[i], q)
		var c uint64
		lo, c = bits.Add64(lo, carry, 0)
		carry = hi + c
		x[i], borrow = bits.Sub64(v<<by|low, lo, borrow)
		low = v >> (64 - by)
	}
	x.reduceOnce(low-carry-borrow, m.n, t)
}

// raise makes x = x*2^by modulo n, for an x below n. t is scratch as long as n.
func (m *Modulus) raise(x Words, by int, t Words) {
	for ; by > 0; by -= maxShift {
		m.shift(x, uint(min(by, maxShift)), 0, t)
	}
}

// reduced is the number of limbs modulo n. It is below 2^(64*len(n)+105), or M at most for
// scalar kernels. t is scratch as long as n.
func (m *Modulus) reduced(limbs []uint64, t Words) Words {
	z, width := make(Words, len(m.n)), m.alone.width
	if m.alone.kernels == Scalar {
		z.join(limbs[1:], width) // M/2^64 is below n
		m.shift(z, 32, limbs[0]>>32, t)
		m.shift(z, 32, limbs[0]&(1<<32-1), t)
		return z
	}
	const high = 3 // limbs from here on are a number below n
	z.join(limbs[high:], width)
	for i := high - 1; i >= 0; i-- {
		m.shift(z, uint(width), limbs[i], t)
	}
	return z
}

// Len is the number of words of the modulus.
func (m *Modulus) Len() int { return len(m.n) }

// redc returns t/2^(64*len(n)) modulo n, and destroys t, which is below
// n*2^(64*len(n)) and at most twice as long as n.
func (m *Modulus) redc(t Words) Words {
	n := len(m.n)
	t = append(t, make(Words, 2*n-len(t)+1)...)
	var carry uint64
	for i := range n {
		c := t[i:].AddMultiple(m.n, t[i]*m.inverse)
		t[i+n], carry = bits.Add64(t[i+n], c, carry)
	}
	z := make(Words, n)
	copy(z, t[n:])
	z.reduceOnce(carry, m.n, t[:n])
	return z
}

// Enter returns x*2^(64*len(n)) modulo n for an x below n: the form in which one
// factor of Multiply has to be.
func (m *Modulus) Enter(x Words) Words {
	z := append(Words(nil), x...)
	m.raise(z, 64*len(m.n), make(Words, len(m.n)))
	return z
}

// Multiply returns x*y modulo n, where x is below n, and y comes from Enter.
func (m *Modulus) Multiply(x, y Words) Words { return m.redc(x.Times(y)) }

// Subtract returns x-y modulo n. x is below n, and y below 2^(64*len(n)), so below 2n.
func (m *Modulus) Subtract(x, y Words) Words {
	t, z := make(Words, len(y)), append(Words(nil), y...)
	z.reduceOnce(0, m.n, t)
	borrow := z.subtract(x, z)
	copy(t, z)
	t.add(m.n)
	z.pick(borrow, t)
	return z
}

// Below reports whether x, which is as long as the modulus, is below it. It is for
// an x that is public.
func (m *Modulus) Below(x Words) bool {
	var borrow uint64
	for i, v := range m.n {
		_, borrow = bits.Sub64(x[i], v, borrow)
	}
	return borrow == 1
}
