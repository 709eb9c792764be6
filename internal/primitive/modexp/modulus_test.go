package modexp

import (
	"math/big"
	mathrand "math/rand/v2"
	"testing"
)

// hardModuli are those whose highest words make the quotient hardest to guess, and some
// at random.
func hardModuli(t *testing.T, r *mathrand.Rand, s *shape) (all []*Modulus, whole []*big.Int) {
	add := func(n *big.Int) {
		m, err := NewModulus(n.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		all, whole = append(all, m), append(whole, n)
	}
	for _, top := range []uint64{1 << 63, 1<<63 + 1, 1<<64 - 1, 1<<64 - 2, 3 << 62} {
		for _, rest := range []uint64{0, 1<<64 - 1} {
			n := make(Words, s.bits/64)
			for i := range n {
				n[i] = rest
			}
			n[0] |= 1
			n[len(n)-1] = top
			add(bigOf(n))
		}
	}
	for range 4 {
		_, n := randomModulus(t, r, s.bits)
		add(n)
	}
	return all, whole
}

// Numbers are moved up and reduced as math/big does it, the largest ones too.
func TestReduce(t *testing.T) { eachPath(t, testReduce) }

func testReduce(t *testing.T) {
	r := mathrand.New(mathrand.NewPCG(11, 12))
	one := big.NewInt(1)
	for _, s := range shapesOf(singles...) {
		all, whole := hardModuli(t, r, s)
		for i, m := range all {
			n := whole[i]
			if d := new(big.Int).SetUint64(m.n[len(m.n)-1]); new(big.Int).SetUint64(m.reciprocal).Cmp(d.Div(new(big.Int).Lsh(one, 127), d.Add(d, one))) != 0 {
				t.Errorf("the reciprocal for %x is %x", m.n[len(m.n)-1], m.reciprocal)
			}
			for _, x := range []*big.Int{new(big.Int), one, new(big.Int).Sub(n, one), new(big.Int).Sub(n, big.NewInt(2)), new(big.Int).Mod(random(r, s.bits), n)} {
				for _, by := range []int{0, 1, 51, 52, 53, 64, 1000} {
					z := wordsOf(x, m.Len())
					m.raise(z, by, make(Words, m.Len()))
					want := new(big.Int).Lsh(x, uint(by))
					if bigOf(z).Cmp(want.Mod(want, n)) != 0 {
						t.Errorf("%x*2^%d modulo %x is %x, not %x", x, by, n, bigOf(z), want)
					}
				}
			}
			bound := new(big.Int).Lsh(one, uint(s.bits+105))
			if s.kernels == Scalar {
				// M at most, see Modulus.reduced.
				bound.Lsh(limbed(m.high, s.width), 64)
			}
			for _, k := range []int64{0, 1, 2} {
				// The largest multiples of n, and what stands next to them.
				multiple := new(big.Int).Div(bound, n)
				multiple.Mul(multiple.Sub(multiple, big.NewInt(k)), n)
				for _, x := range []*big.Int{multiple, new(big.Int).Sub(multiple, one), new(big.Int).Sub(bound, one), edge(r, n, bound), big.NewInt(k)} {
					if x.Sign() < 0 {
						continue // M is a small multiple of some n
					}
					limbs := make([]uint64, s.limbs)
					wordsOf(x, s.bits/64+2).limbs(limbs, s.width)
					if got, want := bigOf(m.reduced(limbs, make(Words, m.Len()))), new(big.Int).Mod(x, n); got.Cmp(want) != 0 {
						t.Errorf("%x modulo %x is %x, not %x", x, n, got, want)
					}
				}
			}
		}
	}
}
