package modexp

// A Pair is two moduli of one size. By IFMA they are computed with at once, in little more
// than the time of one.
type Pair struct {
	p, q *Modulus
	both *moduli // nil where there is nothing to gain
}

const maxPairBits = 2048

// NewPair errs unless the moduli have one size, which is at most 2048 bits.
func NewPair(p, q *Modulus) (*Pair, error) {
	by, bits := p.alone.kernels, 64*len(p.n)
	if len(p.n) != len(q.n) || by != q.alone.kernels || bits > maxPairBits {
		return nil, errSize
	}
	pair := &Pair{p: p, q: q}
	if s := find(pairs, by, bits); s != nil {
		pair.both = newModuli(s, p, q)
	}
	return pair, nil
}

// Exp returns x^ep modulo p and x^eq modulo q. x is below p*2^bits and q*2^bits,
// where bits is the length of each; the exponents are big-endian and of one length,
// which is public.
func (p *Pair) Exp(x Words, ep, eq []byte) (xp, xq Words) {
	if p.both == nil {
		return p.p.Exp(x, ep), p.q.Exp(x, eq)
	}
	z := p.both.exp([]Words{x, x}, [][]byte{ep, eq})
	return z[0], z[1]
}

// MaxTogether is how many pairs ExpTogether takes.
const MaxTogether = lanes / 2

// A Power is what [Pair.Exp] takes and returns.
type Power struct {
	Pair   *Pair
	X      Words
	EP, EQ []byte
	XP, XQ Words
}

// CanTogether reports whether ExpTogether takes pairs of this size.
func (p *Pair) CanTogether() bool { return p.both != nil && find(eights, IFMA, p.both.bits) != nil }

// ExpTogether does what [Pair.Exp] does, for up to MaxTogether pairs of one size that
// are computed at once, with exponents of one length. It takes as long for one as for
// all, and pays from three on.
func ExpTogether(all []*Power) {
	var each []*Modulus
	var x []Words
	var exponents [][]byte
	for i := range MaxTogether {
		p := all[min(i, len(all)-1)] // lanes that nobody needs do what others do
		each = append(each, p.Pair.both.each...)
		x = append(x, p.X, p.X)
		exponents = append(exponents, p.EP, p.EQ)
	}
	z := newModuli(find(eights, IFMA, 64*len(each[0].n)), each...).exp(x, exponents)
	for i, p := range all {
		p.XP, p.XQ = z[2*i], z[2*i+1]
	}
}
