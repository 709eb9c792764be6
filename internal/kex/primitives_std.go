//go:build vitrine_std

package kex

import (
	"crypto/ecdh"
	"crypto/mlkem"
)

// x25519Base sets public to the scalar times the base point.
func x25519Base(public, scalar *[32]byte) {
	key, err := ecdh.X25519().NewPrivateKey(scalar[:])
	if err != nil {
		return // in FIPS 140-only mode alone; the peer refuses the all-zero share
	}
	copy(public[:], key.PublicKey().Bytes())
}

// x25519Shared sets shared to the scalar times the peer's point; all zeros for
// a point of small order.
func x25519Shared(shared, scalar, peer *[32]byte) {
	clear(shared[:])
	key, err := ecdh.X25519().NewPrivateKey(scalar[:])
	if err != nil {
		return
	}
	point, err := ecdh.X25519().NewPublicKey(peer[:])
	if err != nil {
		return
	}
	if secret, err := key.ECDH(point); err == nil {
		copy(shared[:], secret)
	}
}

// decapsulator is what both sizes of key have in common.
type decapsulator interface {
	Decapsulate(ciphertext []byte) ([]byte, error)
}

type mlkemKey struct{ decapsulator }

func (k mlkemKey) finish(secret, peer []byte) ([]byte, error) {
	shared, err := k.Decapsulate(peer)
	return append(secret, shared...), err
}

func generateMLKEM768(share []byte) ([]byte, private, error) {
	key, err := mlkem.GenerateKey768()
	if err != nil {
		return nil, nil, err
	}
	return append(share, key.EncapsulationKey().Bytes()...), mlkemKey{key}, nil
}

func generateMLKEM1024(share []byte) ([]byte, private, error) {
	key, err := mlkem.GenerateKey1024()
	if err != nil {
		return nil, nil, err
	}
	return append(share, key.EncapsulationKey().Bytes()...), mlkemKey{key}, nil
}

func respondMLKEM768(share, secret, peer []byte) ([]byte, []byte, error) {
	key, err := mlkem.NewEncapsulationKey768(peer)
	if err != nil {
		return nil, nil, errEncapsulationKey
	}
	shared, ciphertext := key.Encapsulate()
	return append(share, ciphertext...), append(secret, shared...), nil
}

func respondMLKEM1024(share, secret, peer []byte) ([]byte, []byte, error) {
	key, err := mlkem.NewEncapsulationKey1024(peer)
	if err != nil {
		return nil, nil, errEncapsulationKey
	}
	shared, ciphertext := key.Encapsulate()
	return append(share, ciphertext...), append(secret, shared...), nil
}
