package rsa

import (
	std "crypto/rsa"
	"math/big"
	"math/rand/v2"

	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
)

// A key is a private key in the form that the kernels compute with. It is immutable.
type key struct {
	from   identity
	n      *modexp.Modulus
	p, q   *modexp.Modulus
	both   *modexp.Pair
	e      uint
	inP    half
	inQ    half
	factor modexp.Words // q
	qInv   modexp.Words // 1/q modulo p, as Modulus.Enter gives it
}

// A half is the secret exponent modulo one prime less one, and that prime less one.
type half struct{ d, order modexp.Words }

// identity is what a key was made of, to notice if somebody writes another key over it.
type identity struct {
	n, d, p, q *big.Int
	e          int
}

func identityOf(k *std.PrivateKey) identity {
	i := identity{n: k.N, d: k.D, e: k.E}
	if len(k.Primes) == 2 {
		i.p, i.q = k.Primes[0], k.Primes[1]
	}
	return i
}

// newKey returns nil where k is for crypto/rsa: if it is of another size, has more
// than two primes or halves of two lengths, or does not fit together.
func newKey(k *std.PrivateKey) *key {
	size := k.Size()
	if len(k.Primes) != 2 || size != 256 && size != 384 && size != 512 || k.E < 3 || k.E&1 == 0 {
		return nil
	}
	from := identityOf(k)
	copied := *k
	copied.Precompute() // for keys that were made by hand; else it does nothing
	pre := &copied.Precomputed
	for _, v := range []*big.Int{k.Primes[0], k.Primes[1], pre.Dp, pre.Dq, pre.Qinv} {
		if v == nil || v.Sign() <= 0 || v.BitLen() > 4*size {
			return nil
		}
	}
	words := size / 16
	wordsOf := func(v *big.Int) modexp.Words { return modexp.FromBytes(v.FillBytes(make([]byte, size/2)), words) }
	p, q := wordsOf(k.Primes[0]), wordsOf(k.Primes[1])
	if n := modexp.FromBytes(k.N.FillBytes(make([]byte, size)), 2*words); !p.Times(q).Equal(n) {
		return nil
	}
	made := &key{from: from, e: uint(k.E), factor: q, inP: newHalf(wordsOf(pre.Dp), p), inQ: newHalf(wordsOf(pre.Dq), q)}
	var err error
	if made.n, err = modexp.NewModulus(k.N.Bytes()); err != nil {
		return nil
	}
	if made.p, err = modexp.NewModulus(p.Bytes()); err != nil {
		return nil
	}
	if made.q, err = modexp.NewModulus(q.Bytes()); err != nil {
		return nil
	}
	if made.both, err = modexp.NewPair(made.p, made.q); err != nil {
		return nil
	}
	qInv := wordsOf(pre.Qinv)
	if !made.p.Below(qInv) {
		return nil
	}
	made.qInv = made.p.Enter(qInv)
	return made
}

// newHalf takes an odd prime.
func newHalf(d, prime modexp.Words) half {
	order := append(modexp.Words(nil), prime...)
	order[0] &^= 1
	return half{d, order}
}

// exponent returns the secret exponent, big-endian, plus a random multiple of the
// order, below 2^64 times that. The random number is no secret of the protocol, so
// it does not come from crypto/rand: what that gives stays the same whether this
// package is used or not. It is ChaCha8 with a seed from the operating system.
func (h half) exponent() []byte {
	sum := append(append(modexp.Words(nil), h.d...), 0)
	sum[len(h.order)] = sum.AddMultiple(h.order, rand.Uint64())
	return sum.Bytes()
}

// private raises x, which is below the modulus, to the power of the secret exponent.
// ok is false if the result is not that: nothing of it may leave then.
func (k *key) private(x modexp.Words) (z modexp.Words, ok bool) {
	j := k.job(x)
	if k.both.CanTogether() {
		together.do(j)
	} else {
		j.XP, j.XQ = k.both.Exp(j.X, j.EP, j.EQ)
	}
	z = k.joined(j.XP, j.XQ)
	return z, k.fits(z, x)
}

// job is the power of x that is to be computed modulo both primes.
func (k *key) job(x modexp.Words) *job {
	return &job{Power: modexp.Power{Pair: k.both, X: x, EP: k.inP.exponent(), EQ: k.inQ.exponent()}}
}

// joined is the number below p*q that is xp modulo p and xq modulo q (Garner).
func (k *key) joined(xp, xq modexp.Words) modexp.Words {
	z := k.p.Multiply(k.p.Subtract(xp, xq), k.qInv).Times(k.factor)
	z.Add(xq)
	return z
}

// fits reports whether the public exponent brings z back to x.
func (k *key) fits(z, x modexp.Words) bool { return k.n.ExpPublic(z, k.e).Equal(x) }
