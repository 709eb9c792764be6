package differ

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	_ "crypto/md5" // for signatures with it
	"crypto/rsa"
	"crypto/sha256"
	_ "crypto/sha512"
	"io"
	"math/big"
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

var (
	idEC  = []int{1, 2, 840, 10045, 2, 1}
	idRSA = []int{1, 2, 840, 113549, 1, 1, 1}
	null  = []byte{5, 0}
)

// info is a SubjectPublicKeyInfo.
func info(algorithm, key []byte) []byte {
	return forge.Sequence(algorithm, forge.Tagged(3, []byte{0}, key))
}

// modulus is an RSA key's info whose factors nobody knows.
func modulus(bits int, exponent ...byte) []byte {
	return info(forge.Sequence(forge.OID(idRSA...), null), modulusAndExponent(bits, exponent...))
}

func modulusAndExponent(bits int, exponent ...byte) []byte {
	n := new(big.Int).SetBytes(bytes.Repeat([]byte{0x5a, 0xc3, 0x91}, (bits+7)/8))
	n.Rsh(n, uint(n.BitLen()-bits))
	n.SetBit(n, bits-1, 1).SetBit(n, 0, 1)
	number := func(b []byte) []byte {
		if len(b) > 0 && b[0]&0x80 != 0 {
			b = append([]byte{0}, b...)
		}
		return forge.Tagged(2, b)
	}
	return forge.Sequence(number(n.Bytes()), number(exponent))
}

// curveKey is a key on a curve, the same in each process.
func curveKey(c elliptic.Curve) *ecdsa.PrivateKey {
	size := (c.Params().BitSize + 7) / 8
	scalar := bytes.Repeat([]byte{0x35}, size)
	scalar[0] = 0
	key, err := ecdsa.ParseRawPrivateKey(c, scalar)
	if err != nil {
		panic(err)
	}
	return key
}

func keyDeviations() []deviation {
	leafKey := func(name string, from certcheck.Profile, spki []byte) []deviation {
		return one("leaf: "+name, from, func(s *specimen) { s.Leaf.Key = spki })
	}
	curve := func(id ...int) []byte { return forge.Sequence(forge.OID(idEC...), forge.OID(id...)) }
	p256 := curve(1, 2, 840, 10045, 3, 1, 7)
	point, _ := forge.Key(1).PublicKey.Bytes()
	off := slices.Clone(point)
	off[64] ^= 1
	edwards := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	plain := func(id ...int) []byte { return forge.Sequence(forge.OID(id...)) }
	f4 := []byte{1, 0, 1}
	all := slices.Concat(
		leafKey("RSA key of 512 bits", inter, modulus(512, f4...)),
		leafKey("RSA key of 1024 bits", inter, modulus(1024, f4...)),
		leafKey("RSA key of 2040 bits", inter, modulus(2040, f4...)),
		leafKey("RSA key of 2048 bits", never, modulus(2048, f4...)),
		leafKey("RSA key of 2049 bits", web, modulus(2049, f4...)),
		leafKey("RSA key of 4096 bits", never, modulus(4096, f4...)),
		leafKey("RSA key of 8192 bits", never, modulus(8192, f4...)),
		leafKey("RSA key of 8200 bits", inter, modulus(8200, f4...)),
		leafKey("RSA key of 16384 bits", inter, modulus(16384, f4...)),
		leafKey("RSA key with the exponent 1", inter, modulus(2048, 1)),
		leafKey("RSA key with the exponent 2", inter, modulus(2048, 2)),
		leafKey("RSA key with the exponent 3", never, modulus(2048, 3)),
		leafKey("RSA key with the exponent 65536", inter, modulus(2048, 1, 0, 0)),
		leafKey("RSA key with the exponent 2^32+1", inter, modulus(2048, 1, 0, 0, 0, 1)),
		leafKey("RSA key with a negative exponent", inter, info(forge.Sequence(forge.OID(idRSA...), null), forge.Sequence([]byte{2, 2, 0x0f, 1}, []byte{2, 1, 0xff}))),
		leafKey("RSA key without parameters", inter, bytes.Replace(modulus(2048, f4...), append(forge.OID(idRSA...), null...), append(forge.OID(idRSA...), 4, 0), 1)),
		leafKey("RSA-PSS key", web, info(plain(1, 2, 840, 113549, 1, 1, 10), modulusAndExponent(2048, f4...))),
		leafKey("RSA-PSS key with NULL for parameters", inter, bytes.Replace(modulus(2048, f4...), forge.OID(idRSA...), forge.OID(1, 2, 840, 113549, 1, 1, 10), 1)),
		leafKey("key on P-224", web, spki(curveKey(elliptic.P224()))),
		leafKey("key on P-384", never, spki(curveKey(elliptic.P384()))),
		leafKey("key on P-521", never, spki(curveKey(elliptic.P521()))),
		leafKey("key on secp256k1", inter, info(curve(1, 3, 132, 0, 10), point)),
		leafKey("key on a curve that nobody knows", inter, info(curve(1, 2, 3, 4), point)),
		leafKey("key that is no point of its curve", inter, info(p256, off)),
		leafKey("key that is a compressed point", inter, info(p256, elliptic.MarshalCompressed(elliptic.P256(), forge.Key(1).X, forge.Key(1).Y))),
		leafKey("key that is the point at infinity", inter, info(p256, []byte{0})),
		leafKey("key on a curve with explicit parameters", inter, info(forge.Sequence(forge.OID(idEC...), forge.Sequence([]byte{2, 1, 1})), point)),
		leafKey("key on no curve", inter, info(forge.Sequence(forge.OID(idEC...)), point)),
		leafKey("Ed25519 key", web, info(plain(1, 3, 101, 112), edwards[32:])),
		leafKey("Ed25519 key of 31 octets", inter, info(plain(1, 3, 101, 112), edwards[33:])),
		leafKey("Ed448 key", web, info(plain(1, 3, 101, 113), bytes.Repeat([]byte{9}, 57))),
		leafKey("X25519 key", inter, info(plain(1, 3, 101, 110), edwards[32:])),
		leafKey("key of an unknown kind", inter, info(plain(1, 2, 3, 4), point)),
		leafKey("key with unused bits", inter, forge.Sequence(p256, forge.Tagged(3, []byte{1}, point))),
		leafKey("key with trailing data", inter, forge.Sequence(p256, forge.Tagged(3, []byte{0}, point), null)),
	)
	for _, p := range []place{middle, root} {
		key := func(name string, from certcheck.Profile, key func() crypto.Signer, algorithm []byte, hash crypto.Hash) {
			all = append(all, deviation{p.String() + ": " + name, from, func(s *specimen) {
				s.setKey(p, key())
				below := s.cert(p - 1)
				below.Inner, below.Outer, below.Hash = algorithm, algorithm, hash
			}})
		}
		weak := inter
		if p == root {
			weak = web // it is trusted as it is
		}
		rsaWith := func(bits int) func() crypto.Signer { return func() crypto.Signer { return rsaKey(bits) } }
		key("RSA key of 1024 bits", weak, rsaWith(1024), nil, 0)
		key("RSA key of 2048 bits", never, rsaWith(2048), nil, 0)
		key("key on P-224", web, func() crypto.Signer { return curveKey(elliptic.P224()) }, nil, 0)
		key("key on P-384", never, func() crypto.Signer { return curveKey(elliptic.P384()) }, ecdsaWith(3), crypto.SHA384)
		key("key on P-521", never, func() crypto.Signer { return curveKey(elliptic.P521()) }, ecdsaWith(4), crypto.SHA512)
		key("Ed25519 key", web, func() crypto.Signer { return edwards }, nil, 0)
	}
	return all
}

func spki(key *ecdsa.PrivateKey) []byte {
	point, err := key.PublicKey.Bytes()
	if err != nil {
		panic(err)
	}
	id := map[elliptic.Curve][]int{elliptic.P224(): {1, 3, 132, 0, 33}, elliptic.P384(): {1, 3, 132, 0, 34}, elliptic.P521(): {1, 3, 132, 0, 35}}[key.Curve]
	return info(forge.Sequence(forge.OID(idEC...), forge.OID(id...)), point)
}

// ecdsaWith and rsaWith are signature algorithms.
func ecdsaWith(n int) []byte { return forge.Sequence(forge.OID(1, 2, 840, 10045, 4, 3, n)) }
func rsaWith(n int) []byte   { return forge.Sequence(forge.OID(1, 2, 840, 113549, 1, 1, n), null) }

// pss signs with RSA-PSS.
type pss struct{ *rsa.PrivateKey }

func (k pss) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return k.PrivateKey.Sign(random, digest, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: o.HashFunc()})
}

// pssWith is the algorithm with the parameters for a hash and a length of salt.
func pssWith(hash []int, salt byte) []byte {
	h := forge.Sequence(forge.OID(hash...), null)
	mgf := forge.Sequence(forge.OID(1, 2, 840, 113549, 1, 1, 8), h)
	return forge.Sequence(forge.OID(1, 2, 840, 113549, 1, 1, 10),
		forge.Sequence(forge.Tagged(0xa0, h), forge.Tagged(0xa1, mgf), forge.Tagged(0xa2, []byte{2, 1, salt})))
}

func signatureDeviations() []deviation {
	sha1, sha2 := forge.Sequence(forge.OID(1, 2, 840, 10045, 4, 1)), []int{2, 16, 840, 1, 101, 3, 4, 2, 1}
	ec := func(name string, from certcheck.Profile, algorithm []byte, hash crypto.Hash) []deviation {
		return changed("signature of "+name, from, from, never, func(c *forge.Cert) { c.Inner, c.Outer, c.Hash = algorithm, algorithm, hash })
	}
	rsaSigned := func(name string, from certcheck.Profile, key func() crypto.Signer, algorithm []byte, hash crypto.Hash) []deviation {
		return one("leaf: RSA signature of "+name, from, func(s *specimen) {
			s.setKey(middle, rsaKey(2048))
			s.signers[leaf] = key()
			s.Leaf.Inner, s.Leaf.Outer, s.Leaf.Hash = algorithm, algorithm, hash
		})
	}
	two := func() crypto.Signer { return rsaKey(2048) }
	pssKey := func() crypto.Signer { return pss{rsaKey(2048)} }
	damaged := func(name string, f func([]byte) []byte) []deviation {
		return changed("signature "+name, inter, inter, never, func(c *forge.Cert) { c.Damage = f })
	}
	return slices.Concat(
		ec("ECDSA with SHA-1", inter, sha1, crypto.SHA1), ec("ECDSA with SHA-224", web, ecdsaWith(1), crypto.SHA224),
		ec("ECDSA with SHA-384", never, ecdsaWith(3), crypto.SHA384), ec("ECDSA with SHA-512", never, ecdsaWith(4), crypto.SHA512),
		rsaSigned("MD5", inter, two, rsaWith(4), crypto.MD5), rsaSigned("SHA-1", inter, two, rsaWith(5), crypto.SHA1),
		rsaSigned("SHA-384", never, two, rsaWith(12), crypto.SHA384),
		rsaSigned("SHA-256, without parameters", rfc, two, forge.Sequence(forge.OID(1, 2, 840, 113549, 1, 1, 11)), 0),
		rsaSigned("PSS with SHA-256", never, pssKey, pssWith(sha2, 32), 0),
		rsaSigned("PSS with another length of salt", inter, pssKey, pssWith(sha2, 20), 0),
		changed("inner algorithm is not the outer", inter, inter, inter, func(c *forge.Cert) { c.Inner = ecdsaWith(3) }),
		changed("inner algorithm with parameters", inter, inter, inter, func(c *forge.Cert) { c.Inner = forge.Sequence(forge.OID(1, 2, 840, 10045, 4, 3, 2), null) }),
		changed("algorithm with parameters where there are none", rfc, rfc, never, func(c *forge.Cert) {
			c.Inner = forge.Sequence(forge.OID(1, 2, 840, 10045, 4, 3, 2), null)
			c.Outer = c.Inner
		}),
		changed("algorithm that nobody knows", inter, inter, never, func(c *forge.Cert) {
			c.Inner = forge.Sequence(forge.OID(1, 2, 3, 4))
			c.Outer = c.Inner
		}),
		changed("algorithm of another kind of key", inter, inter, never, func(c *forge.Cert) { c.Inner, c.Outer = rsaWith(11), rsaWith(11) }),
		everywhere("signed by another key", inter, inter, never, func(s *specimen, p place) { s.signers[p] = forge.Key(77) }),
		damaged("with a bit flipped", func(b []byte) []byte { b[len(b)-1] ^= 1; return b }),
		damaged("empty", func([]byte) []byte { return nil }),
		damaged("with trailing data", func(b []byte) []byte { return append(b, 0) }),
		damaged("of zeros", func([]byte) []byte { return []byte{0x30, 6, 2, 1, 0, 2, 1, 0} }),
		damaged("in another encoding", func(b []byte) []byte { return append([]byte{0x30, 0x81}, b[1:]...) }),
		damaged("of another message", func([]byte) []byte {
			sum := sha256.Sum256([]byte("another message"))
			b, err := forge.Key(2).Sign(nil, sum[:], crypto.SHA256)
			if err != nil {
				panic(err)
			}
			return b
		}),
		one("leaf: self-signed", inter, func(s *specimen) { s.Leaf.Issuer, s.signers[leaf] = s.Leaf.Subject, s.keys[leaf] }),
	)
}
