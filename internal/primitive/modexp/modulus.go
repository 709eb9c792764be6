package modexp

import (
	"errors"
	"math/bits"
)

// A Modulus is an odd number of 1024, 1536, 2048, 3072 or 4096 bits, with what is
// computed from it once. It is immutable. It may be secret.
type Modulus struct {
	n       Words
	inverse uint64 // -1/n modulo 2^64
	alone   *moduli
	// high is (M+1)/2^104, as limbs; n*k is M, see the package's documentation.
	high []uint64
	// one is R modulo n, leave is W = 2^(64*len(n)), enter is R^2*W: limbs. What
	// was reduced by words goes into Montgomery's form by a product with enter; a
	// product with leave, reduced by words, comes out of it.
	one, enter, leave []uint64
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
	m := &Modulus{n: FromBytes(n, len(n)/8)}
	k := negativeInverse(m.n[0], m.n[1])
	m.inverse = k[0]
	k[1] &= 1<<(2*limbBits-64) - 1

	whole := append(m.n.Times(k[:]), 0)
	whole.Add(Words{1})
	high := make(Words, len(m.n)+1)
	for i := range high {
		high[i] = whole[i+1]>>(2*limbBits-64) | whole[i+2]<<(128-2*limbBits)
	}
	limbsOf := func(w Words) []uint64 {
		z := make([]uint64, s.regs*lanes)
		w.limbs(z)
		return z
	}
	m.high = limbsOf(high)
	m.alone = newModuli(s, m)

	// R is 2^(52*limbs), and n has its highest bit set: 2^bits - n is 2^bits
	// modulo n, and doubling that goes on from there. R^2*W is the Montgomery form
	// of R*W, which is a power of two.
	size := 64 * len(m.n)
	power := make(Words, len(m.n))
	power.subtract(power, m.n)
	m.leave = limbsOf(power)
	m.double(power, limbBits*s.limbs-size)
	m.one = limbsOf(power)
	m.double(power, 1)
	r := s.room()
	defer s.leave(r)
	power.limbs(r.power)
	m.alone.publicPower(r, uint(limbBits*s.limbs+size))
	m.enter = append(m.enter, r.power...)
	return m, nil
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

// double doubles x, which is below n, so many times modulo n.
func (m *Modulus) double(x Words, times int) {
	t := make(Words, len(x))
	for range times {
		carry := x.add(x)
		x.reduceOnce(carry, m.n, t)
	}
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
	m.double(z, 64*len(m.n))
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
func (m *Modulus) Below(x Words) bool { return make(Words, len(x)).subtract(x, m.n) == 1 }
