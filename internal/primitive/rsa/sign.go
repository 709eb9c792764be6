package rsa

import (
	"crypto"
	std "crypto/rsa"
	"crypto/subtle"
	"encoding/binary"
	"hash"
	"io"

	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
)

// prefixes are what stands before the hash in a signature of PKCS #1 v1.5: a DigestInfo
// in DER up to the hash itself. MD5 with SHA-1, of TLS up to 1.1, has none. RFC 8017 §9.2,
// RFC 4346 §7.4.3.
var prefixes = map[crypto.Hash]string{
	crypto.MD5SHA1: "",
	crypto.SHA1:    "\x30\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14",
	crypto.SHA224:  "\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c",
	crypto.SHA256:  "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20",
	crypto.SHA384:  "\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
	crypto.SHA512:  "\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
}

// Sign signs as key.Sign does, of which it also has the errors. PKCS #1 v1.5 and PSS
// with a salt as long as the hash, of a *rsa.PrivateKey, are what it is fast at.
func Sign(key crypto.Signer, random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if k, ok := key.(*std.PrivateKey); ok {
		if signature := sign(k, random, digest, opts); signature != nil {
			return signature, nil
		}
	}
	return key.Sign(random, digest, opts)
}

// sign returns nil where crypto/rsa is to sign, or to say what is wrong.
func sign(k *std.PrivateKey, random io.Reader, digest []byte, opts crypto.SignerOpts) []byte {
	h := opts.HashFunc()
	prefix, known := prefixes[h]
	made := of(k)
	if made == nil || !known || len(digest) != h.Size() {
		return nil
	}
	var padded []byte
	if o, ok := opts.(*std.PSSOptions); !ok {
		padded = padPKCS1(k.Size(), prefix, digest)
	} else if o.SaltLength == std.PSSSaltLengthEqualsHash && h.Available() {
		padded = padPSS(k.Size(), random, digest, h)
	}
	if padded == nil {
		return nil
	}
	z, ok := made.private(modexp.FromBytes(padded, k.Size()/8))
	if !ok {
		return nil
	}
	return z.Bytes()
}

// padPKCS1 is EMSA-PKCS1-v1_5 for a modulus of so many bytes. RFC 8017 §9.2.
func padPKCS1(size int, prefix string, digest []byte) []byte {
	b := make([]byte, size)
	b[1] = 1
	rest := size - len(prefix) - len(digest)
	for i := 2; i < rest-1; i++ {
		b[i] = 0xff
	}
	copy(b[rest:], prefix)
	copy(b[rest+len(prefix):], digest)
	return b
}

// padPSS is EMSA-PSS with MGF1 by the same hash and a salt as long as that, for a
// modulus of so many bytes whose highest bit is set; nil if random fails. RFC 8017 §9.1.1.
func padPSS(size int, random io.Reader, digest []byte, hash crypto.Hash) []byte {
	n := hash.Size()
	salt := make([]byte, n)
	if _, err := io.ReadFull(random, salt); err != nil {
		return nil
	}
	h := hash.New()
	h.Write(make([]byte, 8))
	h.Write(digest)
	h.Write(salt)

	b := make([]byte, size)
	block, mask := b[:size-n-1], b[size-n-1:]
	mask = h.Sum(mask[:0])
	block[len(block)-n-1] = 1
	copy(block[len(block)-n:], salt)
	xorMask(block, h, mask)
	block[0] &= 0x7f // the number has one bit less than the modulus
	b[size-1] = 0xbc
	return b
}

// xorMask is MGF1. RFC 8017 §B.2.1.
func xorMask(dst []byte, h hash.Hash, seed []byte) {
	var counter [4]byte
	var mask []byte
	for i := uint32(0); len(dst) > 0; i++ {
		binary.BigEndian.PutUint32(counter[:], i)
		h.Reset()
		h.Write(seed)
		h.Write(counter[:])
		mask = h.Sum(mask[:0])
		dst = dst[subtle.XORBytes(dst, dst, mask):]
	}
}
