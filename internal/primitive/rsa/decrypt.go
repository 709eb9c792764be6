package rsa

import (
	"crypto"
	"crypto/rand"
	std "crypto/rsa"
	"crypto/subtle"

	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
)

// DecryptSessionKey opens a ciphertext of PKCS #1 v1.5 that holds n bytes. Whatever is
// wrong with the padding or the length, the result is n random bytes, and takes the same
// time: nothing tells one from the other (Bleichenbacher). The result may also be of
// another length, or empty: if the ciphertext is not below the modulus, which is no
// secret, and for keys of other types, where their Decrypt does what it does.
func DecryptSessionKey(key crypto.Decrypter, ciphertext []byte, n int) []byte {
	if k, ok := key.(*std.PrivateKey); ok {
		if opened := decryptSessionKey(k, ciphertext, n); opened != nil {
			return opened
		}
	}
	// The error of a key that is kept elsewhere may depend on the padding, so it
	// is dropped.
	//lint:ignore SA1019 the protocol is PKCS #1 v1.5, and what it is blamed for is answered here
	opened, _ := key.Decrypt(rand.Reader, ciphertext, &std.PKCS1v15DecryptOptions{SessionKeyLen: n})
	return opened
}

// decryptSessionKey returns nil where crypto/rsa is to decrypt. That never depends on
// what the ciphertext holds.
func decryptSessionKey(k *std.PrivateKey, ciphertext []byte, n int) []byte {
	made := of(k)
	if made == nil || len(ciphertext) != k.Size() || n+11 > k.Size() {
		return nil
	}
	x := modexp.FromBytes(ciphertext, k.Size()/8)
	if !made.n.Below(x) {
		return nil
	}
	z, ok := made.private(x)
	if !ok {
		return nil
	}
	key := make([]byte, n)
	rand.Read(key) // never fails: it ends the program instead
	padded := z.Bytes()
	subtle.ConstantTimeCopy(isPadded(padded, n), key, padded[len(padded)-n:])
	clear(padded)
	return key
}

// isPadded returns 1 if b is 0, 2, bytes that are not 0, 0, and n bytes; else 0. RFC
// 8017 §7.2.2.
func isPadded(b []byte, n int) int {
	zero := len(b) - n - 1
	good := subtle.ConstantTimeByteEq(b[0], 0) & subtle.ConstantTimeByteEq(b[1], 2) & subtle.ConstantTimeByteEq(b[zero], 0)
	for _, v := range b[2:zero] {
		good &= 1 - subtle.ConstantTimeByteEq(v, 0)
	}
	return good
}
