package kex

import (
	"filippo.io/bigmod"

	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
)

// kernels are a group's modulus and generator as the kernels of modexp compute with
// them.
type kernels struct {
	modulus *modexp.Modulus
	base    modexp.Words
	fixed   *modexp.Fixed // of a group that many keys are made of; else nil
}

// newKernels returns nil if the kernels do not have the size of the modulus.
func newKernels(d *DH) *kernels {
	m, err := modexp.NewModulus(d.p)
	if err != nil {
		return nil
	}
	k := &kernels{modulus: m, base: modexp.FromBytes(d.g, m.Len())}
	if d.id != 0 {
		k.fixed = m.NewFixed(k.base, d.exponentLen)
	}
	return k
}

// fast returns what the kernels compute with; nil if filippo.io/bigmod is to compute.
func (d *DH) fast() *kernels {
	if !modexp.Available() {
		return nil
	}
	return d.kernels()
}

// powerOfBase returns g^exponent, as long as the modulus.
func (d *DH) powerOfBase(exponent []byte) []byte {
	switch k := d.fast(); {
	case k != nil && k.fixed != nil && len(exponent) == d.exponentLen:
		return k.fixed.Exp(exponent).Bytes()
	case k != nil:
		return k.modulus.Exp(k.base, exponent).Bytes()
	case d.fixed != nil:
		return d.fixed().exp(exponent)
	}
	return bigmod.NewNat().Exp(d.base, exponent, d.modulus).Bytes(d.modulus)
}

// power returns y^exponent, as long as the modulus, for a y below it.
func (d *DH) power(y, exponent []byte) ([]byte, error) {
	if k := d.fast(); k != nil {
		return k.modulus.Exp(modexp.FromBytes(y, k.modulus.Len()), exponent).Bytes(), nil
	}
	base, err := bigmod.NewNat().SetBytes(y, d.modulus)
	if err != nil {
		return nil, err
	}
	return bigmod.NewNat().Exp(base, exponent, d.modulus).Bytes(d.modulus), nil
}
