package kex

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/subtle"
	"errors"

	"github.com/vitrine-tls/vitrine/wire"
)

// The elliptic curves. Shares are uncompressed points, RFC 8446 §4.2.8.2, and
// secrets the x coordinate with its leading zeros, §7.4.2.
var (
	x25519 = diffieHellman(wire.GroupX25519, 32, 32, generateX25519)
	p256   = diffieHellman(wire.GroupP256, 65, 32, generateNIST(ecdh.P256()))
	p384   = diffieHellman(wire.GroupP384, 97, 48, generateNIST(ecdh.P384()))
	p521   = diffieHellman(wire.GroupP521, 133, 66, generateNIST(ecdh.P521()))
)

// diffieHellman makes a component of a function in which both sides do the
// same: respond is generate and finish.
func diffieHellman(id wire.NamedGroup, shareLen, secretLen int, generate func(share []byte) ([]byte, private, error)) *component {
	return &component{
		id: id, clientLen: shareLen, serverLen: shareLen, secretLen: secretLen,
		generate: generate,
		respond: func(share, secret, peer []byte) ([]byte, []byte, error) {
			share, key, err := generate(share)
			if err != nil {
				return nil, nil, err
			}
			secret, err = key.finish(secret, peer)
			return share, secret, err
		},
	}
}

type nistKey struct {
	curve ecdh.Curve
	key   *ecdh.PrivateKey
}

func generateNIST(curve ecdh.Curve) func([]byte) ([]byte, private, error) {
	return func(share []byte) ([]byte, private, error) {
		key, err := curve.GenerateKey(rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		return append(share, key.PublicKey().Bytes()...), nistKey{curve, key}, nil
	}
}

func (k nistKey) finish(secret, peer []byte) ([]byte, error) {
	point, err := k.curve.NewPublicKey(peer) // checks that it is on the curve
	if err != nil {
		return nil, errors.New("not an uncompressed point on the curve")
	}
	x, err := k.key.ECDH(point)
	if err != nil {
		return nil, err
	}
	return append(secret, x...), nil
}

// x25519Key is a scalar. RFC 7748 §5.
type x25519Key [32]byte

func generateX25519(share []byte) ([]byte, private, error) {
	key := new(x25519Key)
	rand.Read(key[:]) // never fails: it ends the program instead
	var public [32]byte
	x25519Base(&public, (*[32]byte)(key))
	return append(share, public[:]...), key, nil
}

// finish refuses the all-zero secret, which a point of small order gives to
// everybody. RFC 7748 §6.1, RFC 8446 §7.4.2.
func (k *x25519Key) finish(secret, peer []byte) ([]byte, error) {
	var shared, zero [32]byte
	x25519Shared(&shared, (*[32]byte)(k), (*[32]byte)(peer))
	if subtle.ConstantTimeCompare(shared[:], zero[:]) == 1 {
		return nil, errors.New("a point of small order")
	}
	return append(secret, shared[:]...), nil
}
