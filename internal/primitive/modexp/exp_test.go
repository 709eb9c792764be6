package modexp

import (
	"bytes"
	"crypto/rand"
	"flag"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/primitive/cpu"
)

var cases = flag.Int("cases", 40, "how many random multiplications of each shape are compared with math/big")

// eachPath runs f by each kind of kernels.
func eachPath(t *testing.T, f func(*testing.T)) {
	for by, without := range map[Kernels]string{IFMA: "", Scalar: "ifma"} {
		t.Run(by.String(), func(t *testing.T) {
			defer cpu.Without(without)()
			if Which() != by {
				t.Skip("this processor or build has not the instructions")
			}
			f(t)
		})
	}
}

// shapesOf are those of the kernels in use.
func shapesOf(all ...*shape) []*shape {
	return slices.DeleteFunc(slices.Clone(all), func(s *shape) bool { return s.kernels != Which() })
}

// random makes a number of so many bits; one in four has long runs of ones and zeros.
func random(r *mathrand.Rand, bits int) *big.Int {
	b := make([]byte, bits/8)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	if r.IntN(4) == 0 {
		for i := 0; i < len(b); {
			v := []byte{0, 0xff}[r.IntN(2)]
			for n := r.IntN(40); n >= 0 && i < len(b); n-- {
				b[i] = v
				i++
			}
		}
	}
	return new(big.Int).SetBytes(b)
}

func randomModulus(t testing.TB, r *mathrand.Rand, bits int) (*Modulus, *big.Int) {
	n := random(r, bits)
	n.SetBit(n, 0, 1).SetBit(n, bits-1, 1)
	m, err := NewModulus(n.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return m, n
}

func wordsOf(n *big.Int, words int) Words { return FromBytes(n.Bytes(), words) }
func bigOf(w Words) *big.Int              { return new(big.Int).SetBytes(w.Bytes()) }

// limbed joins limbs without a modulus.
func limbed(limbs []uint64, width int) *big.Int {
	z := new(big.Int)
	for i := len(limbs) - 1; i >= 0; i-- {
		z.Add(z.Lsh(z, uint(width)), new(big.Int).SetUint64(limbs[i]))
	}
	return z
}

// Each product is what math/big says, modulo n*k itself, for factors up to the
// bound that the documentation of the package gives, and stays within it.
func TestMultiply(t *testing.T) { eachPath(t, testMultiply) }

func testMultiply(t *testing.T) {
	seed := [32]byte{}
	rand.Read(seed[:])
	for _, s := range shapesOf(slices.Concat(singles, pairs, eights)...) {
		t.Run(fmt.Sprintf("%d bits, %d", s.bits, s.chains), func(t *testing.T) {
			r := mathrand.New(mathrand.NewChaCha8(seed))
			var m *moduli
			var whole, inverses []*big.Int
			room := s.room()
			defer s.leave(room)
			bound := new(big.Int).Lsh(big.NewInt(1), uint(s.bits+105))
			if s.kernels == Scalar {
				bound.Lsh(big.NewInt(1), uint(s.bits+64))
			}
			for i := range *cases {
				if i%100 == 0 {
					m, whole = randomModuli(t, r, s)
					inverses = nil
					for _, n := range whole {
						inverses = append(inverses, new(big.Int).ModInverse(new(big.Int).Lsh(big.NewInt(1), uint(s.width*s.limbs)), n))
					}
				}
				factors := [2][]*big.Int{}
				for f, dst := range [][]uint64{room.power, room.odd} {
					for c := range s.chains {
						v := edge(r, whole[c], bound)
						factors[f] = append(factors[f], v)
						limbs := make([]uint64, s.limbs)
						wordsOf(v, s.bits/64+2).limbs(limbs, s.width)
						s.put(dst, c, limbs)
					}
				}
				y := room.odd
				if i%3 == 0 {
					y, factors[1] = room.power, factors[0]
				}
				m.times(room, room.table, room.power, y, 1)
				for c := range s.chains {
					part := make([]uint64, s.limbs)
					s.get(part, room.table, c)
					for j, l := range part {
						if l > 1<<s.width-1 {
							t.Fatalf("limb %d of chain %d is %#x", j, c, l)
						}
					}
					got := limbed(part, s.width)
					if got.Cmp(bound) >= 0 {
						t.Fatalf("a product has %d bits", got.BitLen())
					}
					want := new(big.Int).Mul(factors[0][c], factors[1][c])
					want.Mod(want.Mul(want, inverses[c]), whole[c])
					if got.Mod(got, whole[c]).Cmp(want) != 0 {
						t.Fatalf("seed %x, case %d, chain %d: %x * %x modulo %x: %x, not %x", seed, i, c, factors[0][c], factors[1][c], whole[c], got, want)
					}
				}
			}
		})
	}
}

// randomModuli returns moduli and, of each, n*k.
func randomModuli(t *testing.T, r *mathrand.Rand, s *shape) (*moduli, []*big.Int) {
	var each []*Modulus
	var whole []*big.Int
	for range s.chains {
		m, _ := randomModulus(t, r, s.bits)
		each = append(each, m)
		w := new(big.Int).Lsh(limbed(m.high, s.width), uint(s.quotientBits()))
		whole = append(whole, w.Sub(w, big.NewInt(1)))
	}
	return newModuli(s, each...), whole
}

// edge makes a factor below bound: random, or one at which carries are long.
func edge(r *mathrand.Rand, whole, bound *big.Int) *big.Int {
	one := big.NewInt(1)
	switch r.IntN(8) {
	case 0:
		return new(big.Int)
	case 1:
		return one
	case 2:
		return new(big.Int).Sub(whole, one)
	case 3:
		return new(big.Int).Set(whole)
	case 4:
		return new(big.Int).Sub(bound, one)
	}
	v := random(r, (bound.BitLen()+7)&^7)
	return v.Mod(v, bound)
}

func TestExpIsWhatMathBigSays(t *testing.T) { eachPath(t, testExp) }

func testExp(t *testing.T) {
	r := mathrand.New(mathrand.NewPCG(1, 2))
	for _, s := range shapesOf(singles...) {
		m, n := randomModulus(t, r, s.bits)
		exponents := [][]byte{{0}, {1}, {2}, {31}, {32}, {0xff}, {1, 0}, make([]byte, 29), bytes.Repeat([]byte{0xff}, 29), random(r, 232).FillBytes(make([]byte, 29))}
		bases := []*big.Int{new(big.Int), big.NewInt(1), big.NewInt(2), new(big.Int).Sub(n, big.NewInt(1)), n, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(s.bits)), big.NewInt(1)), random(r, s.bits)}
		for _, x := range bases {
			for _, e := range exponents {
				got := bigOf(m.Exp(wordsOf(x, m.Len()), e))
				if want := new(big.Int).Exp(x, new(big.Int).SetBytes(e), n); got.Cmp(want.Mod(want, n)) != 0 {
					t.Errorf("%d bits: %x^%x modulo %x is %x, not %x", s.bits, x, e, n, got, want)
				}
			}
			for _, e := range []uint{1, 2, 3, 65537} {
				got := bigOf(m.ExpPublic(wordsOf(x, m.Len()), e))
				if want := new(big.Int).Exp(x, big.NewInt(int64(e)), n); got.Cmp(want) != 0 {
					t.Errorf("%d bits: %x^%d modulo %x is %x, not %x", s.bits, x, e, n, got, want)
				}
			}
		}
	}
}

// Up to four pairs at once are what each is alone.
func TestPairsTogether(t *testing.T) {
	if Which() != IFMA {
		t.Skip("this processor or build has no IFMA")
	}
	r := mathrand.New(mathrand.NewPCG(9, 10))
	for n := 1; n <= MaxTogether; n++ {
		var all []*Power
		for range n {
			p, _ := randomModulus(t, r, 1024)
			q, _ := randomModulus(t, r, 1024)
			pair, err := NewPair(p, q)
			if err != nil || !pair.CanTogether() {
				t.Fatal("cannot be together: ", err)
			}
			fill := func() []byte { return random(r, 1088).FillBytes(make([]byte, 136)) }
			all = append(all, &Power{Pair: pair, X: wordsOf(random(r, 2047), 32), EP: fill(), EQ: fill()})
		}
		ExpTogether(all)
		for i, p := range all {
			if xp, xq := p.Pair.Exp(p.X, p.EP, p.EQ); !xp.Equal(p.XP) || !xq.Equal(p.XQ) {
				t.Errorf("pair %d of %d: %x and %x, want %x and %x", i, n, p.XP, p.XQ, xp, xq)
			}
		}
	}
}

func TestFixedBase(t *testing.T) { eachPath(t, testFixedBase) }

func testFixedBase(t *testing.T) {
	r := mathrand.New(mathrand.NewPCG(7, 8))
	for _, s := range shapesOf(singles...) {
		m, n := randomModulus(t, r, s.bits)
		for _, size := range []int{1, 3, 29, 41} {
			x := random(r, s.bits)
			f := m.NewFixed(wordsOf(x, m.Len()), size)
			for _, e := range []*big.Int{new(big.Int), big.NewInt(1), big.NewInt(31), random(r, 8*size), new(big.Int).Lsh(big.NewInt(1), uint(8*size-1)), new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(8*size)), big.NewInt(1))} {
				e.Mod(e, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
				got := bigOf(f.Exp(e.FillBytes(make([]byte, size))))
				if want := new(big.Int).Exp(x, e, n); got.Cmp(want.Mod(want, n)) != 0 {
					t.Errorf("%d bits: %x^%x modulo %x is %x, not %x", s.bits, x, e, n, got, want)
				}
			}
			if f.Exp(make([]byte, size-1)) != nil {
				t.Error("a short exponent is taken")
			}
		}
	}
}

// What is no modulus is refused.
func TestNewModulusRefuses(t *testing.T) {
	good := bytes.Repeat([]byte{0xff}, 256)
	for name, n := range map[string][]byte{
		"nothing": nil, "255 bytes": good[1:], "8 bytes": good[:8], "8192 bits": bytes.Repeat(good, 4),
		"a leading zero": append([]byte{0x7f}, good[1:]...), "even": append(bytes.Clone(good[1:]), 0xfe),
	} {
		if m, err := NewModulus(n); err == nil || m != nil {
			t.Errorf("%s is taken", name)
		}
	}
	eachPath(t, testNewPairRefuses)
}

func testNewPairRefuses(t *testing.T) {
	good := bytes.Repeat([]byte{0xff}, 256)
	short, err := NewModulus(good[:128])
	if err != nil {
		t.Fatal(err)
	}
	long, err := NewModulus(bytes.Repeat(good, 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, pair := range [][2]*Modulus{{short, long}, {long, short}, {long, long}} {
		if p, err := NewPair(pair[0], pair[1]); err == nil || p != nil {
			t.Errorf("a pair of %d and %d words", pair[0].Len(), pair[1].Len())
		}
	}
}

func TestPairsAreTwoPowersAtOnce(t *testing.T) { eachPath(t, testPairs) }

func testPairs(t *testing.T) {
	r := mathrand.New(mathrand.NewPCG(3, 4))
	for _, s := range shapesOf(singles...) {
		if s.bits > maxPairBits {
			continue
		}
		for range 4 {
			p, bigP := randomModulus(t, r, s.bits)
			q, bigQ := randomModulus(t, r, s.bits)
			pair, err := NewPair(p, q)
			if err != nil {
				t.Fatal(err)
			}
			x := new(big.Int).Mul(bigP, bigQ)
			x.Sub(x, big.NewInt(1+r.Int64N(1000)))
			ep, eq := random(r, s.bits), random(r, s.bits)
			xp, xq := pair.Exp(wordsOf(x, 2*p.Len()), ep.FillBytes(make([]byte, s.bits/8)), eq.FillBytes(make([]byte, s.bits/8)))
			if want := new(big.Int).Exp(x, ep, bigP); bigOf(xp).Cmp(want) != 0 {
				t.Errorf("%d bits: %x^%x modulo %x is %x, not %x", s.bits, x, ep, bigP, bigOf(xp), want)
			}
			if want := new(big.Int).Exp(x, eq, bigQ); bigOf(xq).Cmp(want) != 0 {
				t.Errorf("%d bits: %x^%x modulo %x is %x, not %x", s.bits, x, eq, bigQ, bigOf(xq), want)
			}
		}
	}
}

func BenchmarkExp(b *testing.B) {
	for _, without := range []string{"", "ifma"} {
		restore := cpu.Without(without)
		if Available() {
			b.Run(Which().String(), benchmarkExp)
		}
		restore()
	}
}

func benchmarkExp(b *testing.B) {
	r := mathrand.New(mathrand.NewPCG(5, 6))
	for _, s := range shapesOf(singles...) {
		m, _ := randomModulus(b, r, s.bits)
		if pair, err := NewPair(m, m); err == nil {
			x, e := wordsOf(random(r, 2*s.bits), 2*m.Len()), random(r, s.bits+64).FillBytes(make([]byte, s.bits/8+8))
			b.Run(fmt.Sprintf("pair/%d", s.bits), func(b *testing.B) {
				for b.Loop() {
					pair.Exp(x, e, e)
				}
			})
		}
		x, e := wordsOf(random(r, s.bits), m.Len()), random(r, 232).FillBytes(make([]byte, 29))
		b.Run(fmt.Sprintf("alone/%d/exponent=232", s.bits), func(b *testing.B) {
			for b.Loop() {
				m.Exp(x, e)
			}
		})
		b.Run(fmt.Sprintf("alone/%d/public", s.bits), func(b *testing.B) {
			for b.Loop() {
				m.ExpPublic(x, 65537)
			}
		})
	}
}
