package kex

import (
	"filippo.io/bigmod"

	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
)

// kernels are a group's modulus and generator as the kernels of modexp compute with
// them.
type kernels struct {
	by      modexp.Kernels
	modulus *modexp.Modulus
	base    modexp.Words
	fixed   *modexp.Fixed // of a group that many keys are made of; else nil
}

// newKernels has no modulus if the kernels do not have the size of the group's.
func newKernels(d *DH) *kernels {
	by := modexp.Which()
	m, err := modexp.NewModulus(d.p)
	if err != nil {
		return &kernels{by: by}
	}
	k := &kernels{by: by, modulus: m, base: modexp.FromBytes(d.g, m.Len())}
	if d.id != 0 {
		k.fixed = m.NewFixed(k.base, d.exponentLen)
	}
	return k
}

// fast returns what the kernels compute with; nil if filippo.io/bigmod is to compute.
func (d *DH) fast() *kernels {
	by := modexp.Which()
	if by == modexp.None {
		return nil
	}
	k := d.kernels.Load()
	if k == nil || k.by != by {
		k = d.makeKernels(by)
	}
	if k.modulus == nil {
		return nil
	}
	return k
}

// makeKernels makes them when they are first used, once, and again if a test has changed
// what computes.
func (d *DH) makeKernels(by modexp.Kernels) *kernels {
	d.making.Lock()
	defer d.making.Unlock()
	k := d.kernels.Load()
	if k == nil || k.by != by {
		k = newKernels(d)
		d.kernels.Store(k)
	}
	return k
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
