package rsa

import (
	"bytes"
	"crypto"
	"crypto/rand"
	std "crypto/rsa"
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"errors"
	"io"
	"math/big"
	"runtime"
	"slices"
	"sync"
	"testing"
	"weak"

	"github.com/vitrine-tls/vitrine/internal/primitive/cpu"
	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

func need(t testing.TB) {
	if !modexp.Available() {
		t.Skip("this processor or build has no kernels")
	}
}

// needBatches is for what only IFMA does.
func needBatches(t testing.TB) {
	if modexp.Which() != modexp.IFMA {
		t.Skip("this processor or build has no IFMA")
	}
}

var sizes = []int{2048, 3072, 4096}

var newKeys = sync.OnceValue(func() map[int]*std.PrivateKey {
	all := map[int]*std.PrivateKey{}
	for _, bits := range append([]int{1024, 2056}, sizes...) {
		k, err := std.GenerateKey(rand.Reader, bits)
		if err != nil {
			return nil
		}
		all[bits] = k
	}
	return all
})

func keyOf(t testing.TB, bits int) *std.PrivateKey {
	k := newKeys()[bits]
	if k == nil {
		t.Fatal("no key")
	}
	return k
}

// eachPath runs f with each kind of kernels and without.
func eachPath(t *testing.T, f func(*testing.T)) {
	eachKernels(t, f)
	t.Run("without", func(t *testing.T) {
		defer cpu.Without("off")()
		f(t)
	})
}

// eachKernels runs f with each kind of kernels.
func eachKernels(t *testing.T, f func(*testing.T)) {
	for by, without := range map[modexp.Kernels]string{modexp.IFMA: "", modexp.Scalar: "ifma"} {
		t.Run(by.String(), func(t *testing.T) {
			defer cpu.Without(without)()
			if modexp.Which() != by {
				t.Skip("this processor or build has not the instructions")
			}
			f(t)
		})
	}
}

func TestSignaturesAreThoseOfCryptoRSA(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for bits := range newKeys() {
			k := keyOf(t, bits)
			for h := range prefixes {
				digest := make([]byte, h.Size())
				rand.Read(digest)
				got, err := Sign(k, rand.Reader, digest, h)
				if err != nil {
					t.Fatal(err)
				}
				want, err := std.SignPKCS1v15(nil, k, h, digest)
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bits, %v: %x, want %x, %v", bits, h, got, want, err)
				}
			}
			for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
				for _, salt := range []int{std.PSSSaltLengthEqualsHash, std.PSSSaltLengthAuto, 7} {
					if bits == 1024 && h == crypto.SHA512 && salt == std.PSSSaltLengthEqualsHash {
						continue // too long for that key
					}
					opts := &std.PSSOptions{SaltLength: salt, Hash: h}
					digest := make([]byte, h.Size())
					rand.Read(digest)
					got, err := Sign(k, rand.Reader, digest, opts)
					if err != nil {
						t.Fatal(err)
					}
					if err := std.VerifyPSS(&k.PublicKey, h, digest, got, opts); err != nil {
						t.Errorf("%d bits, %v, salt %d: %v", bits, h, salt, err)
					}
				}
			}
		}
	})
}

// The kernels did sign: a test that compares crypto/rsa with itself proves nothing.
func TestKernelsAreForThreeSizes(t *testing.T) { eachKernels(t, checkKernelsAreForThreeSizes) }

func checkKernelsAreForThreeSizes(t *testing.T) {
	for bits := range newKeys() {
		digest := make([]byte, 32)
		for _, opts := range []crypto.SignerOpts{crypto.SHA256, &std.PSSOptions{SaltLength: std.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}} {
			got := sign(keyOf(t, bits), rand.Reader, digest, opts)
			if want := slices.Contains(sizes, bits); (got != nil) != want {
				t.Errorf("%d bits, %T: the kernels signed: %v", bits, opts, got != nil)
			}
		}
	}
}

// Keys that do not fit are crypto/rsa's to judge.
func TestOtherKeys(t *testing.T) { eachKernels(t, checkOtherKeys) }

func checkOtherKeys(t *testing.T) {
	good := keyOf(t, 2048)
	three, err := std.GenerateMultiPrimeKey(rand.Reader, 3, 2048) //lint:ignore SA1019 what it makes is read
	if err != nil {
		t.Fatal(err)
	}
	other, err := std.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(*std.PrivateKey)) *std.PrivateKey {
		k := *good
		k.Primes = slices.Clone(k.Primes)
		f(&k)
		return &k
	}
	for name, k := range map[string]*std.PrivateKey{
		"three primes":          three,
		"the primes of another": change(func(k *std.PrivateKey) { k.Primes = other.Primes }),
		"the number of another": change(func(k *std.PrivateKey) { k.N = other.N }),
		"an even exponent":      change(func(k *std.PrivateKey) { k.E = 65536 }),
		"no exponent":           change(func(k *std.PrivateKey) { k.E = 0 }),
		"primes of two lengths": change(func(k *std.PrivateKey) {
			k.Primes = []*big.Int{new(big.Int).Lsh(k.Primes[0], 8), new(big.Int).Rsh(k.Primes[1], 8)}
		}),
		"a negative inverse": change(func(k *std.PrivateKey) { k.Precomputed.Qinv = big.NewInt(-1) }),
		"a long exponent":    change(func(k *std.PrivateKey) { k.Precomputed.Dp = k.N }),
	} {
		if newKey(k) != nil {
			t.Errorf("%s: the kernels took it", name)
		}
	}
	byHand := &std.PrivateKey{PublicKey: good.PublicKey, D: good.D, Primes: good.Primes}
	if newKey(byHand) == nil {
		t.Error("a key that was not precomputed: the kernels did not take it")
	}
}

// Whatever is wrong in one half does not leave, and crypto/rsa signs instead.
func TestFaultDoesNotLeave(t *testing.T) { eachKernels(t, checkFaultDoesNotLeave) }

func checkFaultDoesNotLeave(t *testing.T) {
	k, digest := keyOf(t, 2048), make([]byte, 32)
	good := newKey(k)
	padded := modexp.FromBytes(padPKCS1(k.Size(), prefixes[crypto.SHA256], digest), k.Size()/8)
	if _, ok := good.private(padded); !ok {
		t.Fatal("a good signature does not leave")
	}
	flip := func(w modexp.Words, at int) modexp.Words {
		w = slices.Clone(w)
		w[at] ^= 1 << 7
		return w
	}
	for name, fault := range map[string]func(*key){
		"the exponent of p":  func(k *key) { k.inP.d = flip(k.inP.d, 3) },
		"the exponent of q":  func(k *key) { k.inQ.d = flip(k.inQ.d, 15) },
		"the order of p":     func(k *key) { k.inP.order = flip(k.inP.order, 0) },
		"the inverse":        func(k *key) { k.qInv = flip(k.qInv, 5) },
		"the factor":         func(k *key) { k.factor = flip(k.factor, 9) },
		"the kernels' prime": func(k *key) { k.both, _ = modexp.NewPair(k.q, k.p) },
	} {
		bad := *good
		fault(&bad)
		if _, ok := bad.private(padded); ok {
			t.Errorf("%s is wrong, and the result leaves", name)
		}
		e := &entry{made: &bad}
		e.once.Do(func() {})
		copied := *k
		keys.Store(cached{weak.Make(&copied), modexp.Which()}, e)
		bad.from = identityOf(&copied)
		if sign(&copied, rand.Reader, digest, crypto.SHA256) != nil {
			t.Errorf("%s is wrong, and the signature leaves", name)
		}
		if got, err := Sign(&copied, rand.Reader, digest, crypto.SHA256); err != nil || std.VerifyPKCS1v15(&k.PublicKey, crypto.SHA256, digest, got) != nil {
			t.Errorf("%s is wrong, and crypto/rsa does not sign: %v", name, err)
		}
		keys.Delete(cached{weak.Make(&copied), modexp.Which()})
	}
}

func TestSessionKeys(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		for bits := range newKeys() {
			k, want := keyOf(t, bits), make([]byte, 48)
			rand.Read(want)
			ciphertext, err := std.EncryptPKCS1v15(rand.Reader, &k.PublicKey, want) //lint:ignore SA1019 the protocol is that
			if err != nil {
				t.Fatal(err)
			}
			if got := DecryptSessionKey(k, ciphertext, 48); !bytes.Equal(got, want) {
				t.Errorf("%d bits: %x, want %x", bits, got, want)
			}
			if got := DecryptSessionKey(k, ciphertext, 47); len(got) != 47 || bytes.Contains(want, got[:8]) {
				t.Errorf("%d bits: another length gave %x", bits, got)
			}
		}
	})
}

// Every mistake in the padding gives random bytes, and no two times the same.
func TestPaddingIsNotTold(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		k := keyOf(t, 2048)
		good := bytes.Repeat([]byte{0xab}, 256)
		good[0], good[1], good[256-49] = 0, 2, 0
		for name, change := range map[string]func([]byte){
			"none":            func([]byte) {},
			"the first byte":  func(b []byte) { b[0] = 1 },
			"the second byte": func(b []byte) { b[1] = 1 },
			"a zero early":    func(b []byte) { b[2] = 0 },
			"a zero late":     func(b []byte) { b[256-50] = 0 },
			"no zero":         func(b []byte) { b[256-49] = 1 },
		} {
			b := slices.Clone(good)
			change(b)
			c := new(big.Int).Exp(new(big.Int).SetBytes(b), big.NewInt(int64(k.E)), k.N).FillBytes(make([]byte, 256))
			first, second := DecryptSessionKey(k, c, 48), DecryptSessionKey(k, c, 48)
			if isGood := bytes.Equal(first, good[256-48:]); isGood != (name == "none") || len(first) != 48 {
				t.Errorf("%s: %x", name, first)
			}
			if bytes.Equal(first, second) != (name == "none") {
				t.Errorf("%s: twice %x", name, first)
			}
		}
	})
}

// A ciphertext that is not below the modulus, or not as long, is refused as before.
func TestCiphertextsOutOfBounds(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		k := keyOf(t, 2048)
		for _, c := range [][]byte{k.N.Bytes(), bytes.Repeat([]byte{0xff}, 256), new(big.Int).Add(k.N, big.NewInt(1)).Bytes(), make([]byte, 255), make([]byte, 257), nil} {
			if got := DecryptSessionKey(k, c, 48); got != nil && len(c) == 256 {
				t.Errorf("%x gave %x", c[:4], got)
			}
		}
		for _, c := range [][]byte{make([]byte, 256), append(make([]byte, 255), 1), new(big.Int).Sub(k.N, big.NewInt(1)).Bytes()} {
			if got := DecryptSessionKey(k, c, 48); len(got) != 48 {
				t.Errorf("%x gave %d bytes", c[:4], len(got))
			}
		}
	})
}

func TestErrorsAreThoseOfTheKey(t *testing.T) {
	eachPath(t, func(t *testing.T) {
		k := keyOf(t, 2048)
		for _, c := range []struct {
			digest int
			opts   crypto.SignerOpts
			random io.Reader
		}{{31, crypto.SHA256, rand.Reader}, {32, crypto.MD5, rand.Reader}, {32, &std.PSSOptions{SaltLength: std.PSSSaltLengthEqualsHash, Hash: crypto.SHA384}, rand.Reader}} {
			got, err := Sign(k, c.random, make([]byte, c.digest), c.opts)
			_, want := k.Sign(c.random, make([]byte, c.digest), c.opts)
			if err == nil || want == nil || err.Error() != want.Error() || got != nil {
				t.Errorf("%v: %v, want %v", c.opts, err, want)
			}
		}
		if _, err := Sign(owner{k}, rand.Reader, make([]byte, 32), crypto.SHA256); !errors.Is(err, errOwner) {
			t.Errorf("a key of somebody else: %v", err)
		}
		if got := DecryptSessionKey(owner{k}, make([]byte, 256), 48); string(got) != "owner" {
			t.Errorf("a key of somebody else: %q", got)
		}
	})
}

// An owner of a key does its own work.
type owner struct{ *std.PrivateKey }

var errOwner = errors.New("owner")

func (owner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errOwner }
func (owner) Decrypt(io.Reader, []byte, crypto.DecrypterOpts) ([]byte, error) {
	return []byte("owner"), errOwner
}

var global std.PrivateKey

// The cache forgets a key with it, and notices another key in its place.
func TestCache(t *testing.T) { eachKernels(t, checkCache) }

func checkCache(t *testing.T) {
	count := func() (n int) {
		keys.Range(func(any, any) bool { n++; return true })
		return n
	}
	before := count()
	k := *keyOf(t, 2048)
	held := &k
	var group sync.WaitGroup
	forms := make([]*key, 8)
	for i := range forms {
		group.Go(func() { forms[i] = of(held) })
	}
	group.Wait()
	if forms[0] == nil || slices.ContainsFunc(forms, func(f *key) bool { return f != forms[0] }) || count() != before+1 {
		t.Fatalf("%d entries more, forms %v", count()-before, forms)
	}
	*held = *keyOf(t, 3072)
	if of(held) != nil {
		t.Error("another key stands there, and the form of the first is used")
	}
	runtime.KeepAlive(held)
	held = nil
	for range 200 {
		if runtime.GC(); count() == before {
			break
		}
		runtime.Gosched()
	}
	if count() != before {
		t.Errorf("%d entries are left", count()-before)
	}
	global = *keyOf(t, 2048) // no allocation of its own
	if made := of(&global); made == nil || made != of(&global) {
		t.Error("a key in a variable of a package")
	}
}

func BenchmarkSign(b *testing.B) {
	for _, bits := range sizes {
		k, digest := keyOf(b, bits), make([]byte, 32)
		b.Run(big.NewInt(int64(bits)).String()+"/ours", func(b *testing.B) {
			need(b)
			for b.Loop() {
				Sign(k, rand.Reader, digest, crypto.SHA256)
			}
		})
		b.Run(big.NewInt(int64(bits)).String()+"/crypto", func(b *testing.B) {
			for b.Loop() {
				k.Sign(rand.Reader, digest, crypto.SHA256)
			}
		})
	}
}
