package kex

import (
	"bytes"
	"crypto/rand"
	"math/big"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// The table gives what math/big does, for exponents of every digit too.
func TestFixedBase(t *testing.T) {
	for _, id := range []wire.NamedGroup{wire.GroupFFDHE2048, wire.GroupFFDHE3072} {
		d := DHOf(id)
		n := d.exponentLen
		exponents := [][]byte{make([]byte, n), append(make([]byte, n-1), 1), append([]byte{0x80}, make([]byte, n-1)...), make([]byte, n), make([]byte, 3)}
		rand.Read(exponents[3])
		rand.Read(exponents[4])
		for digit := range byte(digits) {
			exponents = append(exponents, bytes.Repeat([]byte{digit<<4 | (digits - 1 - digit)}, n))
		}
		for _, e := range exponents {
			if got, want := d.fixed().exp(e), keyOf(d, e).share; !bytes.Equal(got, want) {
				t.Errorf("%v: 2^%x is %x, want %x", id, e, got, want)
			}
		}
	}
	d, err := NewDH(unhex(fields(t, "dh_params.txt")[0][1]), []byte{2})
	if err != nil {
		t.Fatal(err)
	}
	other := newFixedBase(d.base, d.modulus, 4) // the base stays as it was
	if got, want := other.exp([]byte{1, 2, 3, 4}), keyOf(d, []byte{1, 2, 3, 4}).share; !bytes.Equal(got, want) || d.base.Bits()[0] != 2 {
		t.Errorf("got %x, want %x; the base is %v", got, want, new(big.Int).SetBytes(d.base.Bytes(d.modulus)))
	}
}

func BenchmarkNewFixedBase(b *testing.B) {
	for _, id := range []wire.NamedGroup{wire.GroupFFDHE2048, wire.GroupFFDHE3072} {
		b.Run(id.String(), func(b *testing.B) {
			b.ReportAllocs()
			d := DHOf(id)
			for b.Loop() {
				newFixedBase(d.base, d.modulus, d.exponentLen)
			}
		})
	}
}
