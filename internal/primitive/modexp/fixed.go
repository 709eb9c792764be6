package modexp

// A Fixed is one base with powers of it that are computed once, for many exponents. It
// is immutable.
//
// An exponent is cut into windows of five bits. Every fourth window, from the lowest on,
// has a table of the powers that its 32 values stand for. The windows in between use
// the tables of their lower neighbours, and squarings move them to their places: a quarter
// of the memory, for 15 squarings.
type Fixed struct {
	m      *Modulus
	bytes  int
	tables []uint64 // 32 entries for every fourth window
}

// stride is how many windows share a table.
const stride = 4

// NewFixed makes the tables for x, which is of the modulus' length, and exponents of so
// many bytes. It takes as long as two powers.
func (m *Modulus) NewFixed(x Words, bytes int) *Fixed {
	f := &Fixed{m: m, bytes: bytes}
	places := (f.windows() + stride - 1) / stride
	a := m.alone
	f.tables = aligned(places * windows * a.vector())
	r := a.room()
	defer a.leave(r)
	a.enter(r, []Words{x}, false)
	for i := range places {
		a.powers(r)
		copy(f.table(i), r.table)
		a.times(r, r.power, r.power, r.power, stride*windowBits)
	}
	return f
}

// windows is how many an exponent has.
func (f *Fixed) windows() int { return windowsOf(f.bytes) }

func (f *Fixed) table(i int) []uint64 {
	n := windows * f.m.alone.vector()
	return f.tables[i*n:][:n]
}

// Exp returns the power. The exponent is big-endian, secret, and as long as NewFixed
// was told: of a longer one only the end counts, and a shorter one is refused by nil.
func (f *Fixed) Exp(exponent []byte) Words {
	if len(exponent) < f.bytes {
		return nil
	}
	a := f.m.alone
	r := a.room()
	defer a.leave(r)
	a.spread(r.power, (*Modulus).getOne)
	for low := stride - 1; low >= 0; low-- {
		a.times(r, r.power, r.power, r.power, windowBits)
		for at := low; at < f.windows(); at += stride {
			r.index[0] = window(exponent, at)
			a.pick(&r.odd[0], &f.table(at / stride)[0], &r.index[0])
			a.times(r, r.power, r.power, r.odd, 1)
		}
	}
	return a.exit(r)[0]
}
