//go:build vitrine_std

package kex

import (
	"crypto/ecdh"
	"crypto/mlkem"

	"github.com/vitrine-tls/vitrine/wire"
)

var x25519 = stdCurve(wire.GroupX25519, ecdh.X25519(), 32, 32)

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
