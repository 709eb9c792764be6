package otherkeys

import (
	"bytes"
	"crypto"
	"crypto/sha3"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/sign"
)

// An expanded private key is rho, K, tr, and the packed vectors s1, s2 and t0. FIPS 204 §7.2.
const (
	rhoSize      = 32
	expandedHead = 32 + rhoSize + trSize
	trSize       = 64
	coefficients = 256 // of a polynomial
	t0Bits       = 13
)

// expandedMLDSA takes a key without its seed. What no seed makes is refused, for it signs
// wrongly, or not at all: coefficients out of range, a hash of another public key, and a
// vector t0 that is not what is left of A·s1 + s2.
func expandedMLDSA(set MLDSA, expanded []byte) (*MLDSAPrivateKey, error) {
	s := &mldsaSets[set-1]
	size := coefficients * int(s.bits) / 8
	short := expanded[expandedHead:][:s.short*size]
	if !inRange(short, s.bits, s.most) {
		return nil, fmt.Errorf("the expanded %v key has coefficients that no key has: it is damaged", set)
	}
	private, err := s.do.UnmarshalBinaryPrivateKey(expanded)
	if err != nil {
		return nil, err
	}
	public, ok := private.(interface{ Public() crypto.PublicKey }).Public().(sign.PublicKey)
	if !ok {
		return nil, errors.New("an expanded key without a public one")
	}
	k := newMLDSAKey(set, public, private, nil)
	if !bytes.Equal(sha3.SumSHAKE256(k.public.bytes, trSize), expanded[32+rhoSize:expandedHead]) || !fitsT0(expanded, len(short), s.columns, s.bits, s.most/2) {
		return nil, fmt.Errorf("the expanded %v key does not fit its own public key: it is damaged", set)
	}
	return k, nil
}

// unpacked calls f with each number of so many bits in packed, of which the first has the
// lowest bits.
func unpacked(packed []byte, bits uint, f func(i int, v uint32)) {
	var have, window uint
	i := 0
	for _, b := range packed {
		window |= uint(b) << have
		for have += 8; have >= bits; have -= bits {
			f(i, uint32(window&(1<<bits-1)))
			window >>= bits
			i++
		}
	}
}

// inRange reports whether no number of packed is above most. It takes the same time for all.
func inRange(packed []byte, bits, most uint) bool {
	var wrong uint32
	unpacked(packed, bits, func(_ int, v uint32) { wrong |= uint32(most) - v })
	return wrong>>31 == 0 // a difference below 0 has set its sign
}

// fitsT0 computes t = A·s1 + s2 and compares its low bits with t0. short is the length of s1
// and s2 together, columns the number of polynomials of s1, and eta the most that a
// coefficient of theirs is from 0. FIPS 204 §6.1, without a branch on a secret.
func fitsT0(expanded []byte, short, columns int, bits, eta uint) bool {
	size := coefficients * int(bits) / 8
	polynomials := make([]polynomial, short/size)
	unpacked(expanded[expandedHead:][:short], bits, func(i int, v uint32) {
		polynomials[i/coefficients][i%coefficients] = (fieldPrime + uint32(eta) - v) % fieldPrime
	})
	s1, s2 := polynomials[:columns], polynomials[columns:]
	for i := range s1 {
		s1[i].transform()
	}
	var wrong uint32
	rest := expanded[expandedHead+short:]
	const t0Size = coefficients * t0Bits / 8
	for row := range s2 {
		var t polynomial
		for column := range s1 {
			a := uniform(expanded[:rhoSize], byte(column), byte(row))
			for i := range t {
				t[i] = (t[i] + times(a[i], s1[column][i])) % fieldPrime
			}
		}
		t.back()
		unpacked(rest[row*t0Size:][:t0Size], t0Bits, func(i int, v uint32) {
			whole := (t[i] + s2[row][i]) % fieldPrime
			high := (whole + 1<<(t0Bits-1) - 1) >> t0Bits
			wrong |= whole - high<<t0Bits ^ (1<<(t0Bits-1) - v)
		})
	}
	return wrong == 0
}

const fieldPrime = 8380417

// polynomial has coefficients of the field, from 0 on.
type polynomial [coefficients]uint32

func times(a, b uint32) uint32 { return uint32(uint64(a) * uint64(b) % fieldPrime) }

// roots are the powers of 1753, a root of unity, in the order of reversed bits. FIPS 204
// appendix B.
var roots = func() (z polynomial) {
	power := uint32(1)
	for i := range coefficients {
		reversed := 0
		for bit := range 8 {
			reversed |= i >> bit & 1 << (7 - bit)
		}
		z[reversed] = power
		power = times(power, 1753)
	}
	return z
}()

// transform is the number-theoretic transform, back its inverse. FIPS 204 §7.5.
func (p *polynomial) transform() {
	m := 0
	for half := coefficients / 2; half > 0; half /= 2 {
		for start := 0; start < coefficients; start += 2 * half {
			m++
			for j := start; j < start+half; j++ {
				t := times(roots[m], p[j+half])
				p[j+half] = (p[j] + fieldPrime - t) % fieldPrime
				p[j] = (p[j] + t) % fieldPrime
			}
		}
	}
}

func (p *polynomial) back() {
	m := coefficients
	for half := 1; half < coefficients; half *= 2 {
		for start := 0; start < coefficients; start += 2 * half {
			m--
			for j := start; j < start+half; j++ {
				t := p[j]
				p[j] = (t + p[j+half]) % fieldPrime
				p[j+half] = times(fieldPrime-roots[m], (t+fieldPrime-p[j+half])%fieldPrime)
			}
		}
	}
	const inverse = 8347681 // of 256
	for i := range p {
		p[i] = times(p[i], inverse)
	}
}

// uniform is an entry of the matrix A, which is public. FIPS 204 §7.3, algorithm 30.
func uniform(rho []byte, column, row byte) (p polynomial) {
	h := sha3.NewSHAKE128()
	h.Write(rho)
	h.Write([]byte{column, row})
	var b [3]byte
	for i := 0; i < coefficients; {
		h.Read(b[:])
		if v := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2]&0x7f)<<16; v < fieldPrime {
			p[i] = v
			i++
		}
	}
	return p
}
