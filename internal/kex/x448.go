package kex

import (
	"crypto/rand"

	circl448 "github.com/cloudflare/circl/dh/x448"

	"github.com/vitrine-tls/vitrine/wire"
)

// x448 is the same with both build tags, because the standard library has none.
var x448 = &component{
	id: wire.GroupX448, clientLen: circl448.Size, serverLen: circl448.Size, secretLen: circl448.Size,
	generate: func(share []byte) ([]byte, private, error) {
		key := new(x448Key)
		return key.generate(share), key, nil
	},
	respond: func(share, secret, peer []byte) ([]byte, []byte, error) {
		var key x448Key
		share = key.generate(share)
		secret, err := key.finish(secret, peer)
		return share, secret, err
	},
}

// x448Key is a scalar. RFC 7748 §5.
type x448Key circl448.Key

func (k *x448Key) generate(share []byte) []byte {
	rand.Read(k[:]) // never fails: it ends the program instead
	var public circl448.Key
	circl448.KeyGen(&public, (*circl448.Key)(k))
	return append(share, public[:]...)
}

// finish refuses the points whose product is all zeros, whatever the scalar; only
// the peer's share tells them. RFC 7748 §6.2.
func (k *x448Key) finish(secret, peer []byte) ([]byte, error) {
	var shared circl448.Key
	if !circl448.Shared(&shared, (*circl448.Key)(k), (*circl448.Key)(peer)) {
		return nil, errSmallOrder
	}
	return append(secret, shared[:]...), nil
}
