package kex

import (
	"bytes"
	"crypto/rand"
	"errors"
	"math/big"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/primitive/cpu"
	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
	"github.com/vitrine-tls/vitrine/wire"
)

// groupsOfEachSize are the groups of RFC 7919, and one of somebody's own of 1024 bits
// (RFC 2409 §6.2).
func groupsOfEachSize(t *testing.T) []*DH {
	p := unhex("ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381ffffffffffffffff")
	own, err := NewDH(p, []byte{2})
	if err != nil {
		t.Fatal(err)
	}
	all := []*DH{own}
	for _, row := range ffdhe {
		all = append(all, DHOf(row.id))
	}
	return all
}

// Shares and secrets are what math/big says, with the kernels and without.
func TestPowersOnEachPath(t *testing.T) {
	for by, without := range map[modexp.Kernels]string{modexp.IFMA: "", modexp.Scalar: "ifma", modexp.None: "off"} {
		t.Run(by.String(), func(t *testing.T) {
			defer cpu.Without(without)()
			if modexp.Which() != by {
				t.Skip("this processor or build has not the instructions")
			}
			for _, d := range groupsOfEachSize(t) {
				if hasKernels := d.fast() != nil; hasKernels != (by != modexp.None && d.Bits() <= 4096) {
					t.Errorf("%d bits: kernels: %v", d.Bits(), hasKernels)
				}
				a, err := d.Generate()
				if err != nil {
					t.Fatal(err)
				}
				if want := keyOf(d, a.exponent).share; !bytes.Equal(a.share, want) {
					t.Errorf("%d bits: the share is %x, want %x", d.Bits(), a.share, want)
				}
				for _, y := range [][]byte{{2}, randomShare(d), aboveHalf(d)} {
					got, err := a.Finish(y)
					want := new(big.Int).Exp(new(big.Int).SetBytes(y), new(big.Int).SetBytes(a.exponent), new(big.Int).SetBytes(d.p))
					if err != nil || !bytes.Equal(got, want.Bytes()) {
						t.Errorf("%d bits: %x^%x is %x, want %x; %v", d.Bits(), y, a.exponent, got, want, err)
					}
				}
				for _, y := range [][]byte{nil, {0}, {1}, minus(d, 1), d.p, minus(d, -1), bytes.Repeat([]byte{0xff}, len(d.p)+1)} {
					if _, err := a.Finish(y); !errors.Is(err, errDHShare) {
						t.Errorf("%d bits: %x is taken: %v", d.Bits(), y, err)
					}
				}
			}
		})
	}
}

func minus(d *DH, n int64) []byte {
	v := new(big.Int).SetBytes(d.p)
	return v.Sub(v, big.NewInt(n)).Bytes()
}

func aboveHalf(d *DH) []byte { return minus(d, 2) }

func randomShare(d *DH) []byte {
	v, err := rand.Int(rand.Reader, new(big.Int).SetBytes(minus(d, 2)))
	if err != nil {
		return nil
	}
	return v.Add(v, big.NewInt(2)).Bytes()
}

// A secret that is 0, 1 or p-1 is refused on each path: here p is a product of two.
func TestTrivialSecrets(t *testing.T) {
	for _, without := range []string{"", "ifma", "off"} {
		defer cpu.Without(without)()
		factor := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 512), big.NewInt(569)) // odd
		p := new(big.Int).Mul(factor, factor)
		d, err := NewDH(p.Bytes(), []byte{3})
		if err != nil {
			t.Fatal(err)
		}
		even := append(make([]byte, d.exponentLen-1), 2)
		k := &DHPrivate{dh: d, exponent: even}
		if _, err := k.Finish(factor.Bytes()); !errors.Is(err, errDHOrder) { // its square is 0
			t.Errorf("without %q: a secret of 0: %v", without, err)
		}
		root := new(big.Int).Mul(factor, big.NewInt(5))
		if got, err := k.Finish(root.Add(root, big.NewInt(2)).Bytes()); err != nil || len(got) == 0 {
			t.Errorf("without %q: an ordinary secret: %x, %v", without, got, err)
		}
	}
	d := DHOf(wire.GroupFFDHE2048)
	for _, c := range []struct {
		z    []byte
		want int
	}{
		{make([]byte, 256), 1}, {append(make([]byte, 255), 1), 1}, {minus(d, 1), 1},
		{append(make([]byte, 255), 2), 0}, {minus(d, 2), 0}, {append([]byte{1}, make([]byte, 255)...), 0},
	} {
		if got := d.isTrivial(c.z); got != c.want {
			t.Errorf("%x: %d, want %d", c.z, got, c.want)
		}
	}
}
