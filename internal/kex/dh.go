package kex

import (
	"bytes"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"math/bits"
	"sync"
	"sync/atomic"

	"filippo.io/bigmod"

	"github.com/vitrine-tls/vitrine/wire"
)

// DH is a finite-field group: a modulus and a generator, both public. It is
// immutable.
type DH struct {
	id          wire.NamedGroup // of RFC 7919; 0 for parameters of somebody's own
	p, g        []byte          // big-endian, without leading zeros
	modulus     *bigmod.Modulus
	base        *bigmod.Nat
	exponentLen int // bytes
	// fixed is a table for the powers of g, made when it is first used; nil
	// where that would not pay.
	fixed func() *fixedBase
	// kernels are made when they are first used; see fast.
	kernels atomic.Pointer[kernels]
	making  sync.Mutex
}

// The bounds on a modulus, in bits. Below are moduli that a laptop breaks; the
// upper one bounds what a hostile server can make a client compute. What a
// connection takes is for the configuration to say, and far above the minimum.
const (
	minDHBits = 512
	maxDHBits = 8192
)

// NewDH makes a group of parameters that a ServerKeyExchange brought, or that a
// server has of its own; both are big-endian and copied. A group of RFC 7919 is
// recognised. It errs unless p is odd and has 512 to 8192 bits, and 1 < g < p-1.
//
// Whether p is prime, and of which order g is, is not checked: it would cost
// more than the handshake, and a server that wants to give the secret away has
// easier ways. A floor on the size is what a client has, see Bits.
func NewDH(p, g []byte) (*DH, error) {
	if known := DHOf(KnownDH(p, g)); known != nil {
		return known, nil
	}
	return newDH(0, p, g)
}

func newDH(id wire.NamedGroup, p, g []byte) (*DH, error) {
	d := &DH{id: id, p: bytes.Clone(stripZeros(p)), g: bytes.Clone(stripZeros(g))}
	switch n := d.Bits(); {
	case n < minDHBits || n > maxDHBits:
		return nil, fmt.Errorf("the Diffie-Hellman modulus has %d bits; %d to %d are taken", n, minDHBits, maxDHBits)
	case d.p[len(d.p)-1]&1 == 0:
		return nil, errors.New("the Diffie-Hellman modulus is even, so it is not a prime")
	case !d.within(d.g):
		return nil, errors.New("the Diffie-Hellman generator is not between 1 and p-1")
	}
	var err error
	if d.modulus, err = bigmod.NewModulus(d.p); err != nil {
		return nil, err
	}
	if d.base, err = bigmod.NewNat().SetBytes(d.g, d.modulus); err != nil {
		return nil, err
	}
	d.exponentLen = exponentLen(d.Bits())
	if id == 0 {
		d.exponentLen *= 2
	}
	return d, nil
}

// exponentLen is how many bytes of secret exponent a safe prime of that size
// deserves, RFC 7919 §5.2: twice the strength of the group.
//
// Of other parameters nobody knows whether p is a safe prime. Where it is not,
// the public value tells the exponent modulo the small factors of g's order, and
// only the rest of it protects (van Oorschot and Wiener). Such exponents are twice
// as long: an accidentally bad prime has some tens of bits of small factors, not
// hundreds.
func exponentLen(modulusBits int) int {
	for _, row := range []struct{ modulus, exponent int }{
		{2048, 225}, {3072, 275}, {4096, 325}, {6144, 375},
	} {
		if modulusBits <= row.modulus {
			return (row.exponent + 7) / 8
		}
	}
	return 400 / 8
}

// Bits is the length of the modulus.
func (d *DH) Bits() int {
	if len(d.p) == 0 {
		return 0
	}
	return 8*(len(d.p)-1) + bits.Len8(d.p[0])
}

// P and G return the parameters as they stand in a ServerKeyExchange. They are
// shared: do not write to them.
func (d *DH) P() []byte { return d.p }
func (d *DH) G() []byte { return d.g }

// within reports whether 1 < v < p-1, for a public v without leading zeros: 1 and
// p-1 have the orders 1 and 2. RFC 7919 §5.1.
func (d *DH) within(v []byte) bool {
	n := len(d.p) - 1
	switch {
	case len(v) == 0 || len(v) == 1 && v[0] == 1:
		return false
	case len(v) != len(d.p):
		return len(v) < len(d.p)
	}
	c := bytes.Compare(v[:n], d.p[:n])
	return c < 0 || c == 0 && v[n] < d.p[n]-1 // p is odd
}

// DHPrivate is a key for one handshake. Every handshake has a fresh one: what
// the length of a stripped premaster tells (Raccoon) is then of no further use.
type DHPrivate struct {
	dh       *DH
	exponent []byte
	share    []byte
}

// Generate makes a key. It errs if the generator turns out to be of a small order.
func (d *DH) Generate() (*DHPrivate, error) {
	k := &DHPrivate{dh: d, exponent: make([]byte, d.exponentLen)}
	rand.Read(k.exponent) // never fails: it ends the program instead
	k.share = d.powerOfBase(k.exponent)
	if !d.within(stripZeros(k.share)) {
		return nil, errors.New("the Diffie-Hellman generator is of small order")
	}
	return k, nil
}

// Share returns the public value, as long as the modulus. It is shared: do not
// write to it.
func (k *DHPrivate) Share() []byte { return k.share }

// Finish returns the premaster secret up to TLS 1.2, which is the caller's and
// has no leading zeros: RFC 5246 §8.1.2. Any error is the fault of peerShare, for
// which illegal_parameter is the alert.
func (k *DHPrivate) Finish(peerShare []byte) ([]byte, error) {
	secret, err := k.agree(peerShare)
	return stripZeros(secret), err
}

// agree returns the secret, as long as the modulus.
func (k *DHPrivate) agree(peerShare []byte) ([]byte, error) {
	d := k.dh
	peerShare = stripZeros(peerShare)
	if !d.within(peerShare) {
		return nil, errDHShare
	}
	z, err := d.power(peerShare, k.exponent)
	if err != nil {
		return nil, errDHShare
	}
	if d.isTrivial(z) == 1 { // not for a safe prime
		return nil, errDHOrder
	}
	return z, nil
}

// isTrivial returns 1 if z is 0, 1 or p-1, else 0.
func (d *DH) isTrivial(z []byte) int {
	last := len(z) - 1
	v := make([]byte, len(z))
	trivial := subtle.ConstantTimeCompare(z, v)
	v[last] = 1
	trivial |= subtle.ConstantTimeCompare(z, v)
	copy(v, d.p)
	v[last]-- // p is odd
	return trivial | subtle.ConstantTimeCompare(z, v)
}

var (
	errDHShare = errors.New("a Diffie-Hellman public value that is not between 1 and p-1")
	errDHOrder = errors.New("a Diffie-Hellman public value of small order")
)

func stripZeros(b []byte) []byte { return bytes.TrimLeft(b, "\x00") }
