package kex

import (
	"crypto/ecdh"
	"crypto/rand"
	"errors"

	"github.com/vitrine-tls/vitrine/wire"
)

// The elliptic curves. Shares are uncompressed points, RFC 8446 §4.2.8.2, and
// secrets the x coordinate with its leading zeros, §7.4.2.
// x25519 stands with the primitives, because the standard library's is slower.
var (
	p256 = stdCurve(wire.GroupP256, ecdh.P256(), 65, 32)
	p384 = stdCurve(wire.GroupP384, ecdh.P384(), 97, 48)
	p521 = stdCurve(wire.GroupP521, ecdh.P521(), 133, 66)
)

// stdCurve makes a component of one of crypto/ecdh's curves.
func stdCurve(id wire.NamedGroup, curve ecdh.Curve, shareLen, secretLen int) *component {
	generate := func(share []byte) ([]byte, stdKey, error) {
		key, err := curve.GenerateKey(rand.Reader)
		if err != nil {
			return nil, stdKey{}, err
		}
		return append(share, key.PublicKey().Bytes()...), stdKey{key}, nil
	}
	return &component{
		id: id, clientLen: shareLen, serverLen: shareLen, secretLen: secretLen,
		generate: func(share []byte) ([]byte, private, error) { return generate(share) },
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

type stdKey struct{ *ecdh.PrivateKey }

func (k stdKey) finish(secret, peer []byte) ([]byte, error) {
	point, err := k.Curve().NewPublicKey(peer) // checks that it is on the curve
	if err != nil {
		return nil, errPoint
	}
	shared, err := k.ECDH(point)
	if err != nil { // X25519 alone: the all-zero secret
		return nil, errSmallOrder
	}
	return append(secret, shared...), nil
}

var (
	errPoint = errors.New("not an uncompressed point on the curve")
	// errSmallOrder is for a point that gives the all-zero secret to everybody.
	// RFC 7748 §6.1, RFC 8446 §7.4.2.
	errSmallOrder = errors.New("a point of small order")
)
