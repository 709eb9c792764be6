package kex

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// fields reads lines of fields from a file of testdata.
func fields(t testing.TB, file string) (lines [][]string) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 0 && f[0] != "#" {
			lines = append(lines, f)
		}
	}
	return lines
}

// digest is how the known answers are kept.
func digest(b []byte) string {
	sum := sha256.Sum256(stripZeros(b))
	return hex.EncodeToString(sum[:])
}

// keyOf makes the key of a chosen exponent.
func keyOf(d *DH, exponent []byte) *DHPrivate {
	share := new(big.Int).Exp(new(big.Int).SetBytes(d.g), new(big.Int).SetBytes(exponent), new(big.Int).SetBytes(d.p))
	return &DHPrivate{dh: d, exponent: exponent, share: share.FillBytes(make([]byte, len(d.p)))}
}

// RFC 7919 App. A: p = 2^b - 2^(b-64) + ([2^(b-130) e] + X) 2^64 - 1.
func TestFFDHEPrimes(t *testing.T) {
	const digits = 9000
	one := new(big.Int).Lsh(big.NewInt(1), digits)
	e, term := new(big.Int), new(big.Int).Set(one)
	for n := int64(1); term.Sign() > 0; n++ {
		e.Add(e, term)
		term.Div(term, big.NewInt(n))
	}
	for i, x := range []int64{560316, 2625351, 5736041, 15705020, 10965728} {
		row := ffdhe[i]
		b := uint(row.bits)
		middle := new(big.Int).Rsh(e, digits-(b-130))
		middle.Add(middle, big.NewInt(x))
		p := new(big.Int).Lsh(big.NewInt(1), b)
		p.Sub(p, new(big.Int).Lsh(big.NewInt(1), b-64))
		p.Add(p, middle.Lsh(middle, 64))
		p.Sub(p, big.NewInt(1))
		d := DHOf(row.id)
		if !bytes.Equal(d.P(), p.Bytes()) || !bytes.Equal(d.G(), []byte{2}) || d.Bits() != row.bits || d.id != row.id {
			t.Errorf("%v is %x, %x, want %x, 2", row.id, d.P(), d.G(), p)
		}
	}
}

// OpenSSL's answers for every group, see testdata/ffdhe.sh.
func TestFFDHEKnownAnswers(t *testing.T) {
	lines := fields(t, "ffdhe.txt")
	if len(lines) != len(ffdhe) {
		t.Fatalf("%d known answers for %d groups", len(lines), len(ffdhe))
	}
	for i, f := range lines {
		d := DHOf(ffdhe[i].id)
		if f[0] != ffdhe[i].id.String() {
			t.Fatalf("the answers are for %s, not for %v", f[0], ffdhe[i].id)
		}
		a, b := keyOf(d, unhex(f[1])), keyOf(d, unhex(f[2]))
		ab, err := a.Finish(b.Share())
		if err != nil {
			t.Fatal(err)
		}
		ba, err := b.agree(a.Share())
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct{ what, got, want string }{
			{"the first public value", digest(a.Share()), f[3]},
			{"the second public value", digest(b.Share()), f[4]},
			{"the secret", digest(ab), f[5]},
			{"the other side's secret", digest(ba), f[5]},
		} {
			if c.got != c.want {
				t.Errorf("%s: the digest of %s is %s, want %s", f[0], c.what, c.got, c.want)
			}
		}
	}
}

// Whatever the parameters, both sides agree with math/big.
func TestOwnParameters(t *testing.T) {
	type params struct {
		name string
		p, g []byte
	}
	all := []params{
		// No prime, but any odd modulus has powers; and lengths that no limb likes.
		{"513 bits", append([]byte{1}, bytes.Repeat([]byte{0xa5}, 64)...), []byte{3}},
		{"1023 bits", append([]byte{0x7f}, bytes.Repeat([]byte{0x5b}, 127)...), unhex("0012345678")},
		{"2047 bits", append([]byte{0, 0x7f}, bytes.Repeat([]byte{0xff}, 255)...), []byte{0, 5}},
	}
	for _, f := range fields(t, "dh_params.txt") {
		all = append(all, params{f[0], unhex(f[1]), unhex(f[2])})
	}
	for _, c := range all {
		d, err := NewDH(c.p, c.g)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		p, g := new(big.Int).SetBytes(c.p), new(big.Int).SetBytes(c.g)
		if d.Bits() != p.BitLen() || !bytes.Equal(d.P(), p.Bytes()) || !bytes.Equal(d.G(), g.Bytes()) || d.id != 0 || KnownDH(c.p, c.g) != 0 {
			t.Errorf("%s: %d bits, p %x, g %x", c.name, d.Bits(), d.P(), d.G())
		}
		a, err := d.Generate()
		if err != nil {
			t.Fatal(err)
		}
		b, err := d.Generate()
		if err != nil {
			t.Fatal(err)
		}
		if want := keyOf(d, a.exponent).share; !bytes.Equal(a.Share(), want) || len(want) != len(d.p) {
			t.Errorf("%s: the public value is %x, want %x", c.name, a.Share(), want)
		}
		x := new(big.Int).SetBytes(a.exponent)
		want := new(big.Int).Exp(new(big.Int).SetBytes(b.Share()), x, p).Bytes()
		got, err := a.Finish(append([]byte{0, 0}, b.Share()...)) // padded to the peer's taste
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: the secret is %x, want %x (%v)", c.name, got, want, err)
		}
		if got, err := b.Finish(a.Share()); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: the peer's secret is %x, want %x (%v)", c.name, got, want, err)
		}
	}
}

func TestKnownDH(t *testing.T) {
	for _, row := range ffdhe {
		d := DHOf(row.id)
		p := append([]byte{0}, d.P()...)
		if got := KnownDH(p, []byte{0, 2}); got != row.id {
			t.Errorf("%v is recognised as %v", row.id, got)
		}
		if got := KnownDH(p, []byte{3}); got != 0 {
			t.Errorf("%v with another generator is recognised as %v", row.id, got)
		}
		if got, err := NewDH(p, []byte{2}); err != nil || got != d {
			t.Errorf("%v is made anew (%v)", row.id, err)
		}
		p[9] ^= 1
		if got := KnownDH(p, []byte{2}); got != 0 {
			t.Errorf("%v with another modulus is recognised as %v", row.id, got)
		}
		if !IsFF(row.id) {
			t.Errorf("%v is no finite field", row.id)
		}
	}
	for id, want := range map[wire.NamedGroup]bool{0x00ff: false, 0x0105: true, 0x01fc: true, 0x01ff: true, 0x0200: false, wire.GroupX25519: false} {
		if IsFF(id) != want || DHOf(id) != nil {
			t.Errorf("%v: IsFF is %v, DHOf %v", id, IsFF(id), DHOf(id))
		}
	}
}

func TestNewDHRefuses(t *testing.T) {
	p := DHOf(wire.GroupFFDHE2048).P()
	even := bytes.Clone(p)
	even[len(even)-1]--
	above := append(bytes.Clone(p[:len(p)-1]), 0xff) // p itself ends in ones
	odd := func(n int) []byte { return append(bytes.Repeat([]byte{0x80}, n/8-1), 1) }
	for name, c := range map[string]struct{ p, g []byte }{
		"nothing":                {nil, nil},
		"zero":                   {make([]byte, 256), []byte{2}},
		"one":                    {append(make([]byte, 255), 1), []byte{2}},
		"511 bits":               {append([]byte{0x7f}, bytes.Repeat([]byte{0xff}, 63)...), []byte{2}},
		"8193 bits":              {append([]byte{1}, odd(8192)...), []byte{2}},
		"a million bits":         {odd(1 << 20), []byte{2}},
		"an even modulus":        {even, []byte{2}},
		"no generator":           {p, nil},
		"generator 0":            {p, []byte{0}},
		"generator 1":            {p, []byte{1}},
		"generator 1, padded":    {p, []byte{0, 0, 1}},
		"generator p-1":          {p, even},
		"generator p":            {p, above},
		"generator above p":      {p, append([]byte{1}, p...)},
		"generator much above p": {p, append([]byte{0xff}, p...)},
	} {
		if d, err := NewDH(c.p, c.g); err == nil || d != nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := NewDH(odd(512), []byte{2}); err != nil {
		t.Errorf("512 bits: %v", err)
	}
	if _, err := NewDH(odd(8192), []byte{2}); err != nil {
		t.Errorf("8192 bits: %v", err)
	}
	below := bytes.Clone(even)
	below[len(below)-1]--
	if _, err := NewDH(p, below); err != nil {
		t.Errorf("generator p-2: %v", err)
	}
}

// badPublics returns values that nobody may send for a modulus, padded to its
// length where they fit.
func badPublics(p []byte) map[string][]byte {
	n := new(big.Int).SetBytes(p)
	add := func(d int64) []byte { return new(big.Int).Add(n, big.NewInt(d)).Bytes() }
	return map[string][]byte{
		"0":    make([]byte, len(p)),
		"1":    append(make([]byte, len(p)-1), 1),
		"p-1":  add(-1),
		"p":    add(0),
		"p+1":  add(1),
		"ones": bytes.Repeat([]byte{0xff}, len(p)),
	}
}

func TestBadPublicValues(t *testing.T) {
	small, err := NewDH(unhex(fields(t, "dh_params.txt")[3][1]), unhex(fields(t, "dh_params.txt")[3][2]))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []*DH{DHOf(wire.GroupFFDHE2048), DHOf(wire.GroupFFDHE3072), small} {
		k, err := d.Generate()
		if err != nil {
			t.Fatal(err)
		}
		bad := badPublics(d.P())
		bad["nothing"], bad["short 0"], bad["short 1"] = nil, []byte{0}, []byte{1}
		bad["long"] = append([]byte{1}, d.P()...)
		for name, share := range bad {
			if secret, err := k.Finish(share); err == nil || secret != nil {
				t.Errorf("%d bits: %s was taken and gave %x", d.Bits(), name, secret)
			}
		}
		p := new(big.Int).SetBytes(d.P())
		for name, share := range map[string][]byte{"2": {2}, "p-2": new(big.Int).Sub(p, big.NewInt(2)).Bytes()} {
			want := new(big.Int).Exp(new(big.Int).SetBytes(share), new(big.Int).SetBytes(k.exponent), p).Bytes()
			if secret, err := k.Finish(share); err != nil || !bytes.Equal(secret, want) {
				t.Errorf("%d bits: %s gave %x, want %x (%v)", d.Bits(), name, secret, want, err)
			}
		}
	}
}

// Where p is no safe prime, a value or a generator of small order shows itself
// only in the result.
func TestSmallOrder(t *testing.T) {
	// 3 divides p-1, so there is an element of order 3.
	p, _ := new(big.Int).SetString("1"+strings.Repeat("0", 128), 16)
	three := big.NewInt(3)
	for p.Add(p, big.NewInt(1)); !p.ProbablyPrime(20) || new(big.Int).Mod(p, three).Int64() != 1; {
		p.Add(p, big.NewInt(2))
	}
	order3 := new(big.Int)
	exponent := new(big.Int).Div(new(big.Int).Sub(p, big.NewInt(1)), three)
	for g := int64(2); order3.Cmp(big.NewInt(1)) <= 0; g++ {
		order3.Exp(big.NewInt(g), exponent, p)
	}
	d, err := NewDH(p.Bytes(), []byte{5})
	if err != nil {
		t.Fatal(err)
	}
	for x, want := range map[byte]bool{1: true, 2: true, 3: false, 9: false, 10: true} {
		secret, err := keyOf(d, []byte{x}).Finish(order3.Bytes())
		if (err == nil) != want || (secret != nil) != want {
			t.Errorf("exponent %d: secret %x (%v)", x, secret, err)
		}
	}
	small, err := NewDH(p.Bytes(), order3.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for range 100 {
		k, err := small.Generate()
		if err != nil {
			refused++
		} else if bytes.Equal(stripZeros(k.share), []byte{1}) {
			t.Error("the public value 1 goes out")
		}
	}
	if refused == 0 {
		t.Error("a generator of order 3 never shows")
	}
}

// Up to TLS 1.2 the secret loses its leading zeros, in TLS 1.3 it keeps them.
func TestLeadingZeros(t *testing.T) {
	k, err := DHOf(wire.GroupFFDHE2048).Generate()
	if err != nil {
		t.Fatal(err)
	}
	var peer, padded []byte
	for padded = []byte{1}; padded[0] != 0; { // one in 256 does
		peer = generate(t, wire.GroupFFDHE2048).Share()
		if padded, err = k.agree(peer); err != nil {
			t.Fatal(err)
		}
	}
	stripped, err := k.Finish(peer)
	if err != nil || len(padded) != 256 || stripped[0] == 0 || !bytes.Equal(stripped, stripZeros(padded)) {
		t.Errorf("stripped %x, padded %x (%v)", stripped, padded, err)
	}
	key := &Private{group: Lookup(wire.GroupFFDHE2048), parts: []private{k}}
	if got, err := key.Finish(peer); err != nil || !bytes.Equal(got, padded) {
		t.Errorf("in TLS 1.3 the secret is %x, want %x (%v)", got, padded, err)
	}
}

// The exponents are fresh, and as long as they should be.
func TestExponents(t *testing.T) {
	for id, want := range map[wire.NamedGroup]int{
		wire.GroupFFDHE2048: 225, wire.GroupFFDHE3072: 275, wire.GroupFFDHE4096: 325, wire.GroupFFDHE6144: 375, wire.GroupFFDHE8192: 400,
	} {
		if got := 8 * DHOf(id).exponentLen; got < want || got >= want+8 {
			t.Errorf("%v: the exponent has %d bits, want %d", id, got, want)
		}
	}
	for _, f := range fields(t, "dh_params.txt") {
		d, err := NewDH(unhex(f[1]), unhex(f[2]))
		if err != nil {
			t.Fatal(err)
		}
		if got := 8 * d.exponentLen; got < 2*225 {
			t.Errorf("%s: the exponent has %d bits", f[0], got)
		}
	}
	d := DHOf(wire.GroupFFDHE2048)
	seen := make(map[string]bool)
	for range 20 {
		k, err := d.Generate()
		if err != nil {
			t.Fatal(err)
		}
		if seen[string(k.exponent)] || len(k.exponent) != d.exponentLen {
			t.Errorf("the exponent %x", k.exponent)
		}
		seen[string(k.exponent)] = true
	}
}

func FuzzNewDH(f *testing.F) {
	d := DHOf(wire.GroupFFDHE2048)
	f.Add(d.P(), d.G(), d.P())
	f.Add([]byte{}, []byte{}, []byte{})
	f.Add(append(bytes.Repeat([]byte{0x80}, 64), 1), []byte{3}, []byte{4})
	f.Fuzz(func(t *testing.T, p, g, share []byte) {
		if len(p) > 300 {
			return // slow, and no different
		}
		d, err := NewDH(p, g)
		if err != nil {
			return
		}
		k, err := d.Generate()
		if err != nil {
			return
		}
		secret, err := k.Finish(share)
		if (err == nil) != (len(secret) > 0) {
			t.Errorf("%d bytes and the error %v", len(secret), err)
		}
		if err == nil {
			want := new(big.Int).Exp(new(big.Int).SetBytes(share), new(big.Int).SetBytes(k.exponent), new(big.Int).SetBytes(p))
			if !bytes.Equal(secret, want.Bytes()) {
				t.Errorf("%x, want %x", secret, want)
			}
		}
	})
}

// bigDH is a peer of math/big alone.
func bigDH(id wire.NamedGroup) (share []byte, finish func(peer []byte) []byte) {
	p := new(big.Int).SetBytes(DHOf(id).P())
	x, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 400))
	n := len(DHOf(id).P())
	share = new(big.Int).Exp(big.NewInt(2), x, p).FillBytes(make([]byte, n))
	return share, func(peer []byte) []byte {
		return new(big.Int).Exp(new(big.Int).SetBytes(peer), x, p).FillBytes(make([]byte, n))
	}
}
