package modexp

import (
	"crypto/rand"
	"encoding/binary"
	"flag"
	mathrand "math/rand/v2"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/primitive/cpu"
)

var products = flag.Int("products", 1_000_000, "how many products of the scalar kernels are compared with those of portable code")

// Products and squares, once and several times, in place and apart, are those of portable
// code. Most are of 1024 bits, the size of which a mistake would be met most.
func TestScalarProducts(t *testing.T) {
	defer cpu.Without("ifma")()
	if Which() != Scalar {
		t.Skip("this processor or build has no ADX")
	}
	total := *products
	if testing.Short() {
		total /= 20
	}
	var seed [8]byte
	rand.Read(seed[:])
	for bits, share := range map[int]int{1024: 94, 1536: 3, 2048: 1, 3072: 1, 4096: 1} {
		s := shapeOf(bits)
		c := &scalarCase{random: mathrand.New(mathrand.NewPCG(binary.LittleEndian.Uint64(seed[:]), 0)), shape: s, r: s.room()}
		for i := range max(1, total*share/100) {
			if i%1000 == 0 {
				c.m, _ = randomModulus(t, c.random, bits)
			}
			if !c.holds() {
				t.Fatalf("seed %x, case %d of %d bits: %s", seed, i, bits, c.what)
			}
		}
	}
}

// A scalarCase compares one product.
type scalarCase struct {
	random *mathrand.Rand
	*shape
	r          *room
	m          *Modulus
	sum, minus Words // scratch
	what       string
}

func (c *scalarCase) holds() bool {
	r := c.r
	x, y, z := c.fill(r.power), c.fill(r.odd), r.table[:c.limbs]
	times, square := 1, c.random.IntN(3) == 0
	switch c.random.IntN(8) {
	case 0: // in place
		z = x
	case 1:
		z = y
	case 2: // again and again
		z, square, times = x, true, 1+c.random.IntN(4)
	}
	if square {
		y = x
	}
	c.sum = append(c.sum[:0], make([]uint64, 2*c.limbs+1)...)
	want := c.reference(x, y)
	for range times - 1 {
		want = append(Words(nil), want...)
		want = c.reference(want, want)
	}
	c.m.alone.times(r, z, x, y, times)
	for i, w := range want {
		if z[i] != w {
			c.what = "another product"
			return false
		}
	}
	for _, w := range r.table[c.limbs:c.vector()] {
		if w != 0 {
			c.what = "something was written behind the product"
			return false
		}
	}
	return true
}

// fill makes a factor: random, or long runs of ones and zeros, so that carries run far.
func (c *scalarCase) fill(words []uint64) Words {
	words = words[:c.limbs]
	kind := c.random.IntN(6)
	for i := range words {
		switch {
		case kind > 1 || c.random.IntN(8) == 0:
			words[i] = c.random.Uint64()
		case c.random.IntN(4) == 0:
			words[i] = 0
		default:
			words[i] = ^uint64(0) * uint64(1-kind)
		}
	}
	return Words(words)
}

// reference is x*y/2^(64*limbs) modulo M, less M if it would be too long.
func (c *scalarCase) reference(x, y Words) Words {
	n := len(c.m.n)
	t := c.sum
	clear(t)
	for i, v := range x {
		t[i+c.limbs] = t[i:].AddMultiple(y, v)
	}
	high := Words(c.m.high[:n])
	for i := range c.limbs {
		// The quotient is the lowest word, and M+1 is high*2^64.
		carry := t[i+1:].AddMultiple(high, t[i])
		t[i+1+n:].Add(Words{carry})
	}
	z := t[c.limbs : 2*c.limbs]
	if t[2*c.limbs] != 0 {
		c.minus = append(c.minus[:0], z...)
		c.m.negative(c.minus)
		z.Add(c.minus)
	}
	return z
}
