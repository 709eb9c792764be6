package kex

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"fmt"

	fastrsa "github.com/vitrine-tls/vitrine/internal/primitive/rsa"
	"github.com/vitrine-tls/vitrine/wire"
)

// PremasterLen is the length of an RSA premaster secret in bytes. RFC 5246 §7.4.7.1.
const PremasterLen = 48

// OpenPremaster decrypts the client's RSA premaster secret. clientVersion is
// legacy_version of the ClientHello, which the premaster must repeat.
//
// Whatever is wrong with the ciphertext, its length included, the result is a random
// premaster and no error: then the handshake fails at Finished, and the peer cannot
// tell bad padding from a bad version from a good guess (Bleichenbacher; Klima,
// Pokorny and Rosa). Only a key that is not RSA is an error. RFC 5246 §7.4.7.1.
func OpenPremaster(key crypto.Decrypter, ciphertext []byte, clientVersion wire.Version) (premaster [PremasterLen]byte, err error) {
	public, ok := key.Public().(*rsa.PublicKey)
	if !ok {
		return premaster, fmt.Errorf("RSA key exchange needs an RSA key, not %T", key.Public())
	}
	rand.Read(premaster[:])
	if len(ciphertext) != public.Size() { // an eavesdropper sees that too: there is nothing to hide
		return premaster, nil
	}

	// A key makes random bytes of bad padding, or nothing, which fails as any other.
	opened := fastrsa.DecryptSessionKey(key, ciphertext, PremasterLen)
	var candidate [PremasterLen]byte
	copy(candidate[:], opened)
	good := subtle.ConstantTimeEq(int32(len(opened)), PremasterLen)
	good &= subtle.ConstantTimeByteEq(candidate[0], byte(clientVersion>>8))
	good &= subtle.ConstantTimeByteEq(candidate[1], byte(clientVersion))
	subtle.ConstantTimeCopy(good, premaster[:], candidate[:])
	return premaster, nil
}

// SealPremaster makes a premaster secret and encrypts it to the server's key.
// clientVersion is legacy_version of our ClientHello. It errs for a key that is
// too small. RFC 5246 §7.4.7.1.
func SealPremaster(key *rsa.PublicKey, clientVersion wire.Version) (premaster [PremasterLen]byte, encrypted []byte, err error) {
	rand.Read(premaster[:])
	premaster[0], premaster[1] = byte(clientVersion>>8), byte(clientVersion)
	//lint:ignore SA1019 the protocol is PKCS #1 v1.5
	encrypted, err = rsa.EncryptPKCS1v15(rand.Reader, key, premaster[:])
	if err != nil {
		return premaster, nil, fmt.Errorf("cannot encrypt the premaster secret: %w", err)
	}
	return premaster, encrypted, nil
}
