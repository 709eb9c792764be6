package kex

import (
	"crypto/subtle"

	"filippo.io/bigmod"
)

// fixedBase raises one base to many exponents: it holds base^(digit * 16^i) for
// every digit of four bits at every place i, so that a power is a product of one
// entry for each place, without squarings. It halves what a key costs.
type fixedBase struct {
	modulus *bigmod.Modulus
	limbs   int
	entries []uint // of limbs each, 16 for a place, from the lowest place on
}

const digits = 16

// newFixedBase computes the table for exponents of n bytes. It is as dear as
// half a dozen powers.
func newFixedBase(base *bigmod.Nat, modulus *bigmod.Modulus, n int) *fixedBase {
	f := &fixedBase{modulus: modulus, limbs: len(base.Bits())}
	f.entries = make([]uint, 0, 2*n*digits*f.limbs)
	next := bigmod.NewNat().ExpandFor(modulus) // base^(16^i)
	copy(next.Bits(), base.Bits())
	for range 2 * n {
		power := bigmod.NewNat().SetUint(1).ExpandFor(modulus)
		for range digits {
			f.entries = append(f.entries, power.Bits()...)
			power.Mul(next, modulus)
		}
		next = power
	}
	return f
}

// exp returns base^exponent, big-endian and as long as the modulus. The time
// depends on the exponent's length alone.
func (f *fixedBase) exp(exponent []byte) []byte {
	power := bigmod.NewNat().SetUint(1).ExpandFor(f.modulus)
	entry := bigmod.NewNat().ExpandFor(f.modulus)
	for i := range 2 * len(exponent) {
		b := exponent[len(exponent)-1-i/2]
		f.pick(entry.Bits(), i, b>>(i%2*4)&0xf)
		power.Mul(entry, f.modulus)
	}
	return power.Bytes(f.modulus)
}

// pick copies the entry of a secret digit: it looks at all of them, so that the
// cache does not tell which.
func (f *fixedBase) pick(dst []uint, place int, digit byte) {
	clear(dst)
	row := f.entries[place*digits*f.limbs:]
	for d := range digits {
		mask := -uint(subtle.ConstantTimeByteEq(byte(d), digit))
		for i, limb := range row[d*f.limbs:][:len(dst)] {
			dst[i] |= limb & mask
		}
	}
}
