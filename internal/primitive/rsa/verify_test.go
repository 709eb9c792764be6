package rsa

import (
	"bytes"
	"crypto"
	"crypto/rand"
	std "crypto/rsa"
	"flag"
	"math/big"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
)

var cases = flag.Int("cases", 300, "how many damaged signatures are shown to crypto/rsa too")

// standard is crypto/rsa's opinion.
func standard(k *std.PublicKey, digest, sig []byte, opts crypto.SignerOpts) error {
	if o, ok := opts.(*std.PSSOptions); ok {
		return std.VerifyPSS(k, o.Hash, digest, sig, o)
	}
	return std.VerifyPKCS1v15(k, opts.HashFunc(), digest, sig)
}

func pssOf(h crypto.Hash, salt int) *std.PSSOptions {
	return &std.PSSOptions{SaltLength: salt, Hash: h}
}

// raw is the private operation on a number that was padded by hand.
func raw(t testing.TB, k *std.PrivateKey, padded []byte) []byte {
	x := new(big.Int).SetBytes(padded)
	if made := of(k); made != nil && x.Cmp(k.N) < 0 {
		if z, ok := made.private(modexp.FromBytes(padded, len(padded)/8)); ok {
			return z.Bytes()
		}
		t.Error("a private operation failed")
	}
	return x.Exp(x, k.D, k.N).FillBytes(make([]byte, k.Size()))
}

// What is signed verifies, by the kernels where they are, and for all sizes.
func TestVerifyWhatIsSigned(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for bits, k := range newKeys() {
			for h := range prefixes {
				digest := make([]byte, h.Size())
				rand.Read(digest)
				for _, opts := range []crypto.SignerOpts{h, pssOf(h, std.PSSSaltLengthEqualsHash), pssOf(h, std.PSSSaltLengthAuto), pssOf(h, 7)} {
					_, isPSS := opts.(*std.PSSOptions)
					if isPSS && (h == crypto.MD5SHA1 || bits == 1024 && h == crypto.SHA512) {
						continue // not to be had
					}
					sig, err := k.Sign(rand.Reader, digest, opts)
					if err != nil {
						t.Fatal(err)
					}
					if err := Verify(&k.PublicKey, digest, sig, opts); err != nil {
						t.Errorf("%d bits, %v: %v", bits, opts, err)
					}
					other := bytes.Clone(digest)
					other[0] ^= 1
					if got, want := Verify(&k.PublicKey, other, sig, opts), standard(&k.PublicKey, other, sig, opts); got == nil || got != want {
						t.Errorf("%d bits, %v: %v for another digest, want %v", bits, opts, got, want)
					}
					fast := modexp.Available() && bits != 2056 && (!isPSS || opts.(*std.PSSOptions).SaltLength == std.PSSSaltLengthEqualsHash)
					if got := verified(&k.PublicKey, digest, sig, opts); got != fast {
						t.Errorf("%d bits, %v: the kernels verified: %v", bits, opts, got)
					}
				}
			}
		}
	})
}

// Padding that is not exactly right is refused, though the key has signed it.
func TestVerifyRefusesOtherPaddings(t *testing.T) { eachKernels(t, checkVerifyRefusesOtherPaddings) }

func checkVerifyRefusesOtherPaddings(t *testing.T) {
	for _, bits := range sizes {
		k, h := keyOf(t, bits), crypto.SHA256
		digest := make([]byte, h.Size())
		rand.Read(digest)
		size, prefix := k.Size(), prefixes[h]
		good := padPKCS1(size, prefix, digest)
		wrong := map[string][]byte{
			"PKCS #1 without the NULL":       padPKCS1(size, "\x30\x2f\x30\x0b"+prefix[4:15]+prefix[17:], digest),
			"PKCS #1 without a prefix":       padPKCS1(size, "", digest),
			"PKCS #1 with another's prefix":  padPKCS1(size, strings.Replace(prefix, "\x02\x01\x05", "\x02\x02\x05", 1), digest),
			"PKCS #1 with a long length":     padPKCS1(size, "\x30\x81\x31"+prefix[2:], digest),
			"PKCS #1 with bytes behind":      slices.Concat(good[:2], good[2+9:], []byte("nine here")),
			"PKCS #1 of eight bytes padding": slices.Concat(good[:10], good[size-len(prefix)-33:], make([]byte, size-10-len(prefix)-33)),
			"PKCS #1 of type 2":              slices.Concat([]byte{0, 2}, good[2:]),
			"PKCS #1 of type 0":              slices.Concat([]byte{0, 0}, good[2:]),
			"PKCS #1 without a zero":         slices.Concat(good[:size-len(prefix)-33], []byte{0xff}, good[size-len(prefix)-32:]),
			"zeros":                          make([]byte, size),
		}
		for _, salt := range []int{0, 1, 31, 33} {
			sig, err := k.Sign(rand.Reader, digest, pssOf(h, max(salt, std.PSSSaltLengthAuto)))
			if salt > 0 {
				sig, err = k.Sign(rand.Reader, digest, pssOf(h, salt))
			}
			if err != nil {
				t.Fatal(err)
			}
			wrong["PSS with a salt of another length "+string(rune('a'+salt))] = open(&k.PublicKey, sig)
		}
		pss := padPSS(size, rand.Reader, digest, h)
		for at, v := range map[int]byte{0: 0x80, size - 1: 0xbc ^ 0xcc, 1: 1, size - 33: 1, size - 40: 1, size - 66: 2, size - 67: 1} {
			b := bytes.Clone(pss)
			b[at] ^= v
			wrong["PSS, byte "+big.NewInt(int64(at)).String()] = b
		}
		for name, padded := range wrong {
			if new(big.Int).SetBytes(padded).Cmp(k.N) >= 0 {
				continue
			}
			sig := raw(t, k, padded)
			if got := open(&k.PublicKey, sig); !bytes.Equal(got, padded) {
				t.Errorf("%d bits, %s: opened to %x", bits, name, got)
			}
			for _, opts := range []crypto.SignerOpts{h, pssOf(h, std.PSSSaltLengthEqualsHash)} {
				if verified(&k.PublicKey, digest, sig, opts) || standard(&k.PublicKey, digest, sig, opts) == nil {
					t.Errorf("%d bits, %s: verifies as %T", bits, name, opts)
				}
			}
		}
		for padded, opts := range map[*[]byte]crypto.SignerOpts{&good: h, &pss: pssOf(h, std.PSSSaltLengthEqualsHash)} {
			if !verified(&k.PublicKey, digest, raw(t, k, *padded), opts) {
				t.Errorf("%d bits: a good signature does not verify as %T", bits, opts)
			}
		}
	}
}

// tooLong is an exponent that crypto/rsa refuses, on processors of 32 bits for its sign.
var tooLong = func(e int64) int { return int(e) }(1<<31 + 1)

// A trick is a signature that is good by the mathematics, and must be refused.
type trick struct {
	above, aboveDigest []byte // the modulus more, and no longer than it
	even, evenDigest   []byte // for twice the exponent
	long               []byte // for longE, over zeros
	longE              int
}

func forged(t *testing.T, k *std.PrivateKey) (f trick) {
	p, q := k.Primes[0], k.Primes[1]
	one := big.NewInt(1)
	for i := 0; f.above == nil || f.even == nil; i++ {
		digest := make([]byte, 32)
		digest[0], digest[1] = byte(i), byte(i>>8)
		sig := new(big.Int).SetBytes(raw(t, k, padPKCS1(256, prefixes[crypto.SHA256], digest)))
		if sum := new(big.Int).Add(sig, k.N); sum.BitLen() <= 2048 {
			f.above, f.aboveDigest = sum.Bytes(), digest
		}
		rp, rq := new(big.Int).ModSqrt(sig, p), new(big.Int).ModSqrt(sig, q)
		if rp != nil && rq != nil {
			// rq + q*((rp-rq)/q mod p)
			h := rp.Sub(rp, rq)
			h.Mod(h.Mul(h, new(big.Int).ModInverse(q, p)), p)
			f.even, f.evenDigest = h.Add(h.Mul(h, q), rq).FillBytes(make([]byte, 256)), digest
		}
	}
	order := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
	for f.longE = tooLong; ; f.longE += 2 {
		if d := new(big.Int).ModInverse(big.NewInt(int64(f.longE)), order); d != nil {
			x := new(big.Int).SetBytes(padPKCS1(256, prefixes[crypto.SHA256], make([]byte, 32)))
			f.long = x.Exp(x, d, k.N).FillBytes(make([]byte, 256))
			return f
		}
	}
}

// Keys and signatures out of bounds are refused with crypto/rsa's errors.
func TestVerifyOutOfBounds(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		k := keyOf(t, 2048)
		digest := make([]byte, 32)
		sig, err := k.Sign(rand.Reader, digest, crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		n := k.N
		tricks := forged(t, k)
		and := func(v int64) *big.Int { return new(big.Int).Add(n, big.NewInt(v)) }
		for name, c := range map[string]struct {
			key *std.PublicKey
			sig []byte
		}{
			"no modulus":           {&std.PublicKey{E: 3}, sig},
			"a modulus of 0":       {&std.PublicKey{N: new(big.Int), E: 3}, nil},
			"an even modulus":      {&std.PublicKey{N: and(1), E: k.E}, sig},
			"another modulus":      {&std.PublicKey{N: and(2), E: k.E}, sig},
			"a shorter modulus":    {&std.PublicKey{N: new(big.Int).Rsh(n, 1), E: k.E}, sig},
			"a modulus of 512":     {&std.PublicKey{N: new(big.Int).Rsh(n, 1536), E: k.E}, sig[:64]},
			"the exponent 0":       {&std.PublicKey{N: n, E: 0}, sig},
			"the exponent 1":       {&std.PublicKey{N: n, E: 1}, padPKCS1(256, prefixes[crypto.SHA256], digest)},
			"the exponent -1":      {&std.PublicKey{N: n, E: -1}, sig},
			"the exponent 65536":   {&std.PublicKey{N: n, E: 65536}, sig},
			"a long exponent":      {&std.PublicKey{N: n, E: tooLong}, sig},
			"the longest exponent": {&std.PublicKey{N: n, E: 1<<31 - 1}, sig},
			"another exponent":     {&std.PublicKey{N: n, E: 3}, sig},
			"a short signature":    {&k.PublicKey, sig[1:]},
			"a long signature":     {&k.PublicKey, append([]byte{0}, sig...)},
			"no signature":         {&k.PublicKey, nil},
			"the modulus":          {&k.PublicKey, n.Bytes()},
			"zero":                 {&k.PublicKey, make([]byte, 256)},
			"ones":                 {&k.PublicKey, bytes.Repeat([]byte{0xff}, 256)},
			"the modulus more":     {&k.PublicKey, tricks.above},
			"an even root":         {&std.PublicKey{N: n, E: 2 * k.E}, tricks.even},
			"a long root":          {&std.PublicKey{N: n, E: tricks.longE}, tricks.long},
			"a short digest":       {&k.PublicKey, raw(t, k, padPKCS1(256, prefixes[crypto.SHA256], digest[1:]))},
		} {
			digest := digest
			switch name {
			case "the modulus more":
				digest = tricks.aboveDigest
			case "an even root":
				digest = tricks.evenDigest
			case "a short digest":
				digest = digest[1:]
			}
			for _, opts := range []crypto.SignerOpts{crypto.SHA256, pssOf(crypto.SHA256, std.PSSSaltLengthEqualsHash)} {
				got, want := Verify(c.key, digest, c.sig, opts), standard(c.key, digest, c.sig, opts)
				if got == nil || want == nil || got.Error() != want.Error() {
					t.Errorf("%s: %v, want %v", name, got, want)
				}
				if verified(c.key, digest, c.sig, opts) {
					t.Errorf("%s: verified as %T", name, opts)
				}
			}
		}
	})
}

// The kernels take a signature exactly where crypto/rsa does: signatures with bits that
// are wrong, and paddings with bytes that are wrong and then signed.
func TestVerifyAsCryptoRSA(t *testing.T) { eachKernels(t, checkVerifyAsCryptoRSA) }

func checkVerifyAsCryptoRSA(t *testing.T) {
	var seed [32]byte
	rand.Read(seed[:])
	r := mathrand.New(mathrand.NewChaCha8(seed))
	hashes := []crypto.Hash{crypto.SHA1, crypto.SHA256, crypto.SHA384, crypto.SHA512}
	taken := 0
	for i := range *cases {
		k := keyOf(t, []int{2048, 2048, 2048, 2048, 3072, 4096}[r.IntN(6)])
		h := hashes[r.IntN(len(hashes))]
		digest := make([]byte, h.Size())
		rand.Read(digest)
		opts, padded := crypto.SignerOpts(h), padPKCS1(k.Size(), prefixes[h], digest)
		if r.IntN(2) == 0 {
			opts, padded = pssOf(h, std.PSSSaltLengthEqualsHash), padPSS(k.Size(), rand.Reader, digest, h)
		}
		damage := func(b []byte) {
			for n := r.IntN(3); n >= 0; n-- {
				at := r.IntN(len(b))
				if r.IntN(2) == 0 { // near an end, where the structure is
					at = r.IntN(min(len(b), 4))
				}
				if r.IntN(2) == 0 {
					at = len(b) - 1 - at
				}
				b[at] ^= byte(r.Uint32() & r.Uint32())
			}
		}
		if i%2 == 0 {
			damage(padded)
		}
		if new(big.Int).SetBytes(padded).Cmp(k.N) >= 0 {
			continue
		}
		sig := raw(t, k, padded)
		if i%4 == 1 {
			damage(sig)
		}
		got, want := verified(&k.PublicKey, digest, sig, opts), standard(&k.PublicKey, digest, sig, opts) == nil
		if got != want {
			t.Fatalf("seed %x, case %d: %v over %x by %x modulo %x: %v, want %v", seed, i, opts, digest, sig, k.N, got, want)
		}
		if got {
			taken++
		}
	}
	if taken == 0 || taken == *cases {
		t.Errorf("%d of %d verified", taken, *cases)
	}
}

// Verifying is what each client does once: it makes as little garbage as crypto/rsa.
func TestVerifyAllocations(t *testing.T) { eachKernels(t, checkVerifyAllocations) }

func checkVerifyAllocations(t *testing.T) {
	k, digest := keyOf(t, 2048), make([]byte, 32)
	sig, err := k.Sign(rand.Reader, digest, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	const most = 16 // 10, and those of a pool that was emptied; crypto/rsa makes 9
	if n := testing.AllocsPerRun(100, func() { _ = Verify(&k.PublicKey, digest, sig, crypto.SHA256) }); n > most {
		t.Errorf("%v allocations, want %d at most", n, most)
	}
}

func BenchmarkVerify(b *testing.B) {
	for _, bits := range sizes {
		k, digest := keyOf(b, bits), make([]byte, 32)
		sig, err := k.Sign(rand.Reader, digest, crypto.SHA256)
		if err != nil {
			b.Fatal(err)
		}
		for name, f := range map[string]func(*std.PublicKey, []byte, []byte, crypto.SignerOpts) error{"ours": Verify, "crypto": standard} {
			b.Run(big.NewInt(int64(bits)).String()+"/"+name, func(b *testing.B) {
				for b.Loop() {
					if err := f(&k.PublicKey, digest, sig, crypto.SHA256); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
