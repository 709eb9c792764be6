package otherkeys

import (
	"bytes"
	"crypto"
	"errors"
	"io"

	"github.com/cloudflare/circl/sign/ed448"
)

// Ed448PublicKey is a public key of Ed448, 57 bytes. RFC 8032 §5.2.5.
type Ed448PublicKey []byte

// Equal reports whether x is the same key.
func (k Ed448PublicKey) Equal(x crypto.PublicKey) bool {
	other, ok := x.(Ed448PublicKey)
	return ok && bytes.Equal(k, other)
}

// Verify checks a signature over a message, with an empty context. RFC 8032 §5.2.7.
func (k Ed448PublicKey) Verify(message, sig []byte) bool {
	return ed448.Verify(ed448.PublicKey(k), message, sig, "")
}

// ed448PrivateKey signs messages, not hashes of them.
type ed448PrivateKey struct{ key ed448.PrivateKey }

// Public returns an [Ed448PublicKey].
func (k ed448PrivateKey) Public() crypto.PublicKey {
	return Ed448PublicKey(k.key[ed448.SeedSize:])
}

// Sign wants the message itself and opts that name no hash. RFC 8032 §5.2.6.
func (k ed448PrivateKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts.HashFunc() != 0 {
		return nil, errors.New("an Ed448 key signs messages, not hashes of them")
	}
	return ed448.Sign(k.key, message, ""), nil
}
