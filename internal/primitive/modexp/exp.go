package modexp

import (
	"math/bits"
	"math/rand/v2"
)

// moduli are one or two of one shape, with what the kernels read of them.
type moduli struct {
	*shape
	each []*Modulus
	high []uint64 // of each, moved up by no lane, one and two
}

func newModuli(s *shape, each ...*Modulus) *moduli {
	m := &moduli{shape: s, each: each}
	if s.sliced {
		m.high = aligned(s.vector())
		m.spread(m.high, func(one *Modulus) []uint64 { return one.high })
		return m
	}
	m.high = aligned(3 * s.vector())
	m.spreadHigh()
	return m
}

// spreadHigh fills high where a register holds limbs of one number, or a part of one.
func (m *moduli) spreadHigh() {
	if m.kernels == Scalar {
		copy(m.high, m.each[0].high)
		m.each[0].negative(m.high[m.vector():][:m.limbs])
		return
	}
	n := m.regs * lanes
	for c, one := range m.each {
		for by := range 3 {
			copy(m.high[(3*c+by)*n+by:(3*c+by+1)*n], one.high)
		}
	}
}

// times makes z = x*y/R, so many times: of z again, where that is x and y.
func (m *moduli) times(r *room, z, x, y []uint64, times int) {
	if m.square != nil && &x[0] == &y[0] && (&x[0] == &z[0] || times == 1) {
		m.square(&z[0], &x[0], &m.high[0], &r.work[0], times)
		return
	}
	m.multiply(&z[0], &x[0], &y[0], &m.high[0], &r.work[0], m.steps, times)
}

// spread writes a number for each modulus.
func (m *moduli) spread(dst []uint64, of func(*Modulus) []uint64) {
	for c, one := range m.each {
		m.put(dst, c, of(one))
	}
}

func (one *Modulus) getOne() []uint64          { return one.one }
func (one *Modulus) getEnter() []uint64        { return one.enter }
func (one *Modulus) getEnterReduced() []uint64 { return one.enterReduced }

// enter makes r.power the Montgomery form of x, which is as long as n, or else below
// n*2^(64*len(n)), for each n. With blind it first adds a random multiple of n, below
// 2^64*n. The random number is no secret of a protocol, so it does not come from
// crypto/rand: what that gives stays the same whether these kernels are used or not. It is
// ChaCha8 with a seed from the operating system.
func (m *moduli) enter(r *room, x []Words, blind bool) {
	constant, limbs := (*Modulus).getEnter, r.work[:m.limbs]
	for c, one := range m.each {
		short, n := x[c], len(one.n)
		if len(short) > n {
			constant = (*Modulus).getEnterReduced
			short = one.redc(append(make(Words, 0, 2*n+1), short...))
		}
		if blind {
			short = append(append(make(Words, 0, n+1), short...), 0)
			short[n] = short.AddMultiple(one.n, rand.Uint64())
		}
		short.limbs(limbs, m.width)
		m.put(r.power, c, limbs)
		if blind {
			clear(short)
		}
	}
	m.spread(r.odd, constant)
	m.times(r, r.power, r.power, r.odd, 1)
}

// exit is the reverse of enter. The results are below the moduli.
func (m *moduli) exit(r *room) []Words {
	limbs := r.work[:m.limbs]
	clear(limbs)
	limbs[0] = 1
	m.spread(r.odd, func(*Modulus) []uint64 { return limbs })
	m.times(r, r.power, r.power, r.odd, 1)
	z := make([]Words, len(m.each))
	for c, one := range m.each {
		m.get(limbs, r.power, c)
		z[c] = one.reduced(limbs, Words(r.table[:len(one.n)]))
	}
	return z
}

// exp raises each x to the power of its exponent; these are big-endian and of one length.
func (m *moduli) exp(x []Words, exponents [][]byte) []Words {
	r := m.room()
	defer m.leave(r)
	m.enter(r, x, true)
	m.powers(r)
	m.spread(r.power, (*Modulus).getOne)
	for at := windowsOf(len(exponents[0])) - 1; at >= 0; at-- {
		m.times(r, r.power, r.power, r.power, windowBits)
		for c, e := range exponents {
			r.index[c] = window(e, at)
		}
		m.pick(&r.odd[0], &r.table[0], &r.index[0])
		m.times(r, r.power, r.power, r.odd, 1)
	}
	return m.exit(r)
}

// powers fills the table with the powers of r.power from 0 on.
func (m *moduli) powers(r *room) {
	v := m.vector()
	m.spread(r.table[:v], (*Modulus).getOne)
	copy(r.table[v:2*v], r.power)
	for i := 2; i < windows; i++ {
		m.times(r, r.table[i*v:], r.table[(i-1)*v:], r.power, 1)
	}
}

// windowsOf is how many windows an exponent of so many bytes has.
func windowsOf(bytes int) int { return (8*bytes + windowBits - 1) / windowBits }

// window is that of the exponent with place at, the lowest being 0.
func window(exponent []byte, at int) uint64 {
	bit := at * windowBits
	i := len(exponent) - 1 - bit/8
	v := uint64(exponent[i])
	if i > 0 {
		v |= uint64(exponent[i-1]) << 8
	}
	return v >> (bit % 8) & (windows - 1)
}

// Exp returns x^exponent modulo m. x is of the modulus' length and may be above
// it; the exponent is big-endian, and its length is public.
func (m *Modulus) Exp(x Words, exponent []byte) Words {
	return m.alone.exp([]Words{x}, [][]byte{exponent})[0]
}

// ExpPublic returns x^exponent modulo m for an exponent that is no secret, and is
// not 0.
func (m *Modulus) ExpPublic(x Words, exponent uint) Words {
	r := m.alone.room()
	defer m.alone.leave(r)
	m.alone.enter(r, []Words{x}, false)
	m.alone.publicPower(r, exponent)
	return m.alone.exit(r)[0]
}

// publicPower raises r.power to the power of exponent, which is no secret and not 0.
func (m *moduli) publicPower(r *room, exponent uint) {
	copy(r.table, r.power)
	for at := bits.Len(exponent) - 2; at >= 0; at-- {
		m.times(r, r.power, r.power, r.power, 1)
		if exponent>>at&1 == 1 {
			m.times(r, r.power, r.power, r.table, 1)
		}
	}
}
