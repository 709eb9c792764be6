package rsa

import (
	"bytes"
	"crypto"
	std "crypto/rsa"

	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
)

// Verify reports by nil that sig is a signature over digest. With *rsa.PSSOptions it is
// rsa.VerifyPSS, else rsa.VerifyPKCS1v15 with the hash of opts, and the errors are theirs:
// the kernels only ever say that a signature is good. All others, and those that are none,
// are crypto/rsa's to judge. PKCS #1 v1.5 and PSS with a salt as long as the hash, for keys
// of 1024, 1536, 2048, 3072 and 4096 bits, are what it is fast at.
//
// Neither the key nor the signature is a secret.
func Verify(key *std.PublicKey, digest, sig []byte, opts crypto.SignerOpts) error {
	if verified(key, digest, sig, opts) {
		return nil
	}
	if o, ok := opts.(*std.PSSOptions); ok {
		return std.VerifyPSS(key, o.Hash, digest, sig, o)
	}
	return std.VerifyPKCS1v15(key, opts.HashFunc(), digest, sig)
}

// verified reports whether the kernels took the key, and the signature is good.
func verified(key *std.PublicKey, digest, sig []byte, opts crypto.SignerOpts) bool {
	h := opts.HashFunc()
	prefix, known := prefixes[h]
	o, isPSS := opts.(*std.PSSOptions)
	switch {
	case !modexp.Available(), !known, len(digest) != h.Size(),
		isPSS && (o.SaltLength != std.PSSSaltLengthEqualsHash || !h.Available()):
		return false
	}
	opened := open(key, sig)
	switch {
	case opened == nil:
		return false
	case isPSS:
		return isPSSOf(opened, digest, h)
	}
	return bytes.Equal(opened, padPKCS1(len(sig), prefix, digest))
}

// maxExponent is what crypto/rsa allows.
const maxExponent = 1<<31 - 1

// open raises a signature to the public exponent. It returns nil if that is for crypto/rsa,
// or for nobody: the key is of another size or even, its exponent is even, below 3 or
// above maxExponent, or the signature is not as long as the modulus or not below it. RFC
// 8017 §5.2.2.
func open(key *std.PublicKey, sig []byte) []byte {
	if key.N == nil || key.N.Sign() <= 0 || len(sig) != key.Size() || key.E < 3 || key.E&1 == 0 || key.E > maxExponent {
		return nil
	}
	n, err := modexp.NewModulus(key.N.Bytes())
	if err != nil {
		return nil
	}
	x := modexp.FromBytes(sig, n.Len())
	if !n.Below(x) {
		return nil
	}
	return n.ExpPublic(x, uint(key.E)).Bytes()
}

// isPSSOf reports whether b, which it destroys, is EMSA-PSS over digest with MGF1 by the
// same hash and a salt as long as that, for a modulus as long as b whose highest bit is
// set. RFC 8017 §9.1.2.
func isPSSOf(b, digest []byte, hash crypto.Hash) bool {
	n := hash.Size()
	if len(b) < 2*n+2 || b[len(b)-1] != 0xbc || b[0]&0x80 != 0 {
		return false
	}
	block, seed := b[:len(b)-n-1], b[len(b)-n-1:len(b)-1]
	h := hash.New()
	xorMask(block, h, seed)
	block[0] &= 0x7f
	zeros, salt := block[:len(block)-n-1], block[len(block)-n:]
	for _, v := range zeros {
		if v != 0 {
			return false
		}
	}
	if block[len(zeros)] != 1 {
		return false
	}
	h.Reset()
	h.Write(make([]byte, 8))
	h.Write(digest)
	h.Write(salt)
	return bytes.Equal(h.Sum(nil), seed)
}
