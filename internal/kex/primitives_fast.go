//go:build !vitrine_std

package kex

import (
	"crypto/rand"
	"crypto/subtle"

	"filippo.io/edwards25519"
	circl25519 "github.com/cloudflare/circl/dh/x25519"
	circl1024 "github.com/cloudflare/circl/kem/mlkem/mlkem1024"
	circl768 "github.com/cloudflare/circl/kem/mlkem/mlkem768"

	"github.com/vitrine-tls/vitrine/wire"
)

var x25519 = &component{
	id: wire.GroupX25519, clientLen: 32, serverLen: 32, secretLen: 32,
	generate: func(share []byte) ([]byte, private, error) {
		key := new(x25519Key)
		return key.generate(share), key, nil
	},
	respond: func(share, secret, peer []byte) ([]byte, []byte, error) {
		var key x25519Key
		share = key.generate(share)
		secret, err := key.finish(secret, peer)
		return share, secret, err
	},
}

// x25519Key is a scalar. RFC 7748 §5.
type x25519Key [32]byte

func (k *x25519Key) generate(share []byte) []byte {
	rand.Read(k[:]) // never fails: it ends the program instead
	share, public := extend(share, len(k))
	k.base((*[32]byte)(public))
	return share
}

// base sets public to the scalar times the base point. It goes over the
// birationally equivalent Edwards curve, where the base point has a table: less
// than half the cost of the Montgomery ladder. RFC 7748 §4.1.
func (k *x25519Key) base(public *[32]byte) {
	var s edwards25519.Scalar
	var p edwards25519.Point
	s.SetBytesWithClamping(k[:]) // errs for a wrong length only
	copy(public[:], p.ScalarBaseMult(&s).BytesMontgomery())
}

func (k *x25519Key) finish(secret, peer []byte) ([]byte, error) {
	var zero [32]byte
	secret, shared := extend(secret, len(zero))
	circl25519.Shared((*circl25519.Key)(shared), (*circl25519.Key)(k), (*circl25519.Key)(peer))
	if subtle.ConstantTimeCompare(shared, zero[:]) == 1 {
		return nil, errSmallOrder
	}
	return secret, nil
}

type (
	mlkem768Key  circl768.PrivateKey
	mlkem1024Key circl1024.PrivateKey
)

func (k *mlkem768Key) finish(secret, peer []byte) ([]byte, error) {
	secret, shared := extend(secret, circl768.SharedKeySize)
	(*circl768.PrivateKey)(k).DecapsulateTo(shared, peer)
	leaveAVX()
	return secret, nil
}

func (k *mlkem1024Key) finish(secret, peer []byte) ([]byte, error) {
	secret, shared := extend(secret, circl1024.SharedKeySize)
	(*circl1024.PrivateKey)(k).DecapsulateTo(shared, peer)
	leaveAVX()
	return secret, nil
}

func generateMLKEM768(share []byte) ([]byte, private, error) {
	var seed [circl768.KeySeedSize]byte
	rand.Read(seed[:]) // never fails: it ends the program instead
	public, key := circl768.NewKeyFromSeed(seed[:])
	leaveAVX()
	share, packed := extend(share, circl768.PublicKeySize)
	public.Pack(packed)
	return share, (*mlkem768Key)(key), nil
}

func generateMLKEM1024(share []byte) ([]byte, private, error) {
	var seed [circl1024.KeySeedSize]byte
	rand.Read(seed[:])
	public, key := circl1024.NewKeyFromSeed(seed[:])
	leaveAVX()
	share, packed := extend(share, circl1024.PublicKeySize)
	public.Pack(packed)
	return share, (*mlkem1024Key)(key), nil
}

func respondMLKEM768(share, secret, peer []byte) ([]byte, []byte, error) {
	var key circl768.PublicKey
	err := key.Unpack(peer)
	leaveAVX()
	if err != nil {
		return nil, nil, errEncapsulationKey
	}
	var seed [circl768.EncapsulationSeedSize]byte
	rand.Read(seed[:])
	share, ciphertext := extend(share, circl768.CiphertextSize)
	secret, shared := extend(secret, circl768.SharedKeySize)
	key.EncapsulateTo(ciphertext, shared, seed[:])
	leaveAVX()
	return share, secret, nil
}

func respondMLKEM1024(share, secret, peer []byte) ([]byte, []byte, error) {
	var key circl1024.PublicKey
	err := key.Unpack(peer)
	leaveAVX()
	if err != nil {
		return nil, nil, errEncapsulationKey
	}
	var seed [circl1024.EncapsulationSeedSize]byte
	rand.Read(seed[:])
	share, ciphertext := extend(share, circl1024.CiphertextSize)
	secret, shared := extend(secret, circl1024.SharedKeySize)
	key.EncapsulateTo(ciphertext, shared, seed[:])
	leaveAVX()
	return share, secret, nil
}

// extend appends n bytes to b and returns the whole and the new part.
func extend(b []byte, n int) (whole, part []byte) {
	whole = append(b, make([]byte, n)...)
	return whole, whole[len(b):]
}
