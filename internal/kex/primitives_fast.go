//go:build !vitrine_std

package kex

import (
	"crypto/rand"

	"filippo.io/edwards25519"
	circl25519 "github.com/cloudflare/circl/dh/x25519"
	circl1024 "github.com/cloudflare/circl/kem/mlkem/mlkem1024"
	circl768 "github.com/cloudflare/circl/kem/mlkem/mlkem768"
)

// x25519Base sets public to the scalar times the base point. It goes over the
// birationally equivalent Edwards curve, where the base point has a table: a
// third of the cost of the Montgomery ladder. RFC 7748 §4.1.
func x25519Base(public, scalar *[32]byte) {
	var s edwards25519.Scalar
	var p edwards25519.Point
	s.SetBytesWithClamping(scalar[:]) // errs for a wrong length only
	copy(public[:], p.ScalarBaseMult(&s).BytesMontgomery())
}

// x25519Shared sets shared to the scalar times the peer's point; all zeros for
// a point of small order.
func x25519Shared(shared, scalar, peer *[32]byte) {
	circl25519.Shared((*circl25519.Key)(shared), (*circl25519.Key)(scalar), (*circl25519.Key)(peer))
}

type (
	mlkem768Key  circl768.PrivateKey
	mlkem1024Key circl1024.PrivateKey
)

func (k *mlkem768Key) finish(secret, peer []byte) ([]byte, error) {
	secret, shared := extend(secret, circl768.SharedKeySize)
	(*circl768.PrivateKey)(k).DecapsulateTo(shared, peer)
	return secret, nil
}

func (k *mlkem1024Key) finish(secret, peer []byte) ([]byte, error) {
	secret, shared := extend(secret, circl1024.SharedKeySize)
	(*circl1024.PrivateKey)(k).DecapsulateTo(shared, peer)
	return secret, nil
}

func generateMLKEM768(share []byte) ([]byte, private, error) {
	var seed [circl768.KeySeedSize]byte
	rand.Read(seed[:]) // never fails: it ends the program instead
	public, key := circl768.NewKeyFromSeed(seed[:])
	share, packed := extend(share, circl768.PublicKeySize)
	public.Pack(packed)
	return share, (*mlkem768Key)(key), nil
}

func generateMLKEM1024(share []byte) ([]byte, private, error) {
	var seed [circl1024.KeySeedSize]byte
	rand.Read(seed[:])
	public, key := circl1024.NewKeyFromSeed(seed[:])
	share, packed := extend(share, circl1024.PublicKeySize)
	public.Pack(packed)
	return share, (*mlkem1024Key)(key), nil
}

func respondMLKEM768(share, secret, peer []byte) ([]byte, []byte, error) {
	var key circl768.PublicKey
	if key.Unpack(peer) != nil {
		return nil, nil, errEncapsulationKey
	}
	var seed [circl768.EncapsulationSeedSize]byte
	rand.Read(seed[:])
	share, ciphertext := extend(share, circl768.CiphertextSize)
	secret, shared := extend(secret, circl768.SharedKeySize)
	key.EncapsulateTo(ciphertext, shared, seed[:])
	return share, secret, nil
}

func respondMLKEM1024(share, secret, peer []byte) ([]byte, []byte, error) {
	var key circl1024.PublicKey
	if key.Unpack(peer) != nil {
		return nil, nil, errEncapsulationKey
	}
	var seed [circl1024.EncapsulationSeedSize]byte
	rand.Read(seed[:])
	share, ciphertext := extend(share, circl1024.CiphertextSize)
	secret, shared := extend(secret, circl1024.SharedKeySize)
	key.EncapsulateTo(ciphertext, shared, seed[:])
	return share, secret, nil
}

// extend appends n bytes to b and returns the whole and the new part.
func extend(b []byte, n int) (whole, part []byte) {
	whole = append(b, make([]byte, n)...)
	return whole, whole[len(b):]
}
