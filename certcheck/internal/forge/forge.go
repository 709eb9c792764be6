// Package forge makes certificates as bytes may say them, right or wrong: for tests of
// rules that crypto/x509's own CreateCertificate would never let us break.
package forge

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"time"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Cert is the content of a certificate. What is zero gets an ordinary value.
type Cert struct {
	Version             int    // as people count, 1 to 3; 0 for 3
	Serial              []byte // content of the INTEGER; nil for a random one
	Inner, Outer        []byte // signature algorithms in DER; nil for the signing key's
	Issuer, Subject     []byte // names in DER, see Name
	NotBefore, NotAfter []byte // times in DER, see Time
	Key                 any    // the public key, or its SubjectPublicKeyInfo as []byte
	UniqueID            []byte // of the issuer; nil leaves it out
	Extensions          []Ext  // in this order; nil leaves the field out
	Trailing            []byte // after the certificate

	Hash   crypto.Hash         // of the signature; 0 for SHA-256
	Change func([]byte) []byte // of what is signed
	Damage func([]byte) []byte // of the signature
}

// Ext is one extension.
type Ext struct {
	ID       asn1.ObjectIdentifier
	Critical bool
	Value    []byte // the content of the OCTET STRING
}

// Sign returns the certificate in DER, signed by key.
func (c Cert) Sign(key crypto.Signer) []byte {
	hash := c.Hash
	if hash == 0 {
		hash = crypto.SHA256
	}
	algorithm := algorithmOver(key, hash)
	tbs := build(func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { c.content(b, algorithm) })
	})
	if c.Change != nil {
		tbs = c.Change(tbs)
	}
	signature := sign(key, tbs, c.Hash)
	if c.Damage != nil {
		signature = c.Damage(signature)
	}
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(tbs)
			b.AddBytes(or(c.Outer, algorithm))
			b.AddASN1BitString(signature)
		})
		b.AddBytes(c.Trailing)
	})
}

func (c Cert) content(b *cryptobyte.Builder, algorithm []byte) {
	if version := max(c.Version, 0); version != 1 {
		if version == 0 {
			version = 3
		}
		b.AddASN1(casn1.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(version - 1)) })
	}
	b.AddASN1(casn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(or(c.Serial, serial())) })
	b.AddBytes(or(c.Inner, algorithm))
	b.AddBytes(or(c.Issuer, Name("")))
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(or(c.NotBefore, Time(time.Now().Add(-24*time.Hour))))
		b.AddBytes(or(c.NotAfter, Time(time.Now().Add(24*time.Hour))))
	})
	b.AddBytes(or(c.Subject, Name("")))
	b.AddBytes(spki(c.Key))
	if c.UniqueID != nil {
		b.AddBytes(Tagged(casn1.Tag(1).ContextSpecific(), []byte{0}, c.UniqueID))
	}
	if c.Extensions == nil {
		return
	}
	b.AddASN1(casn1.Tag(3).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
		b.AddBytes(extensions(c.Extensions))
	})
}

func or(given, ordinary []byte) []byte {
	if given != nil {
		return given
	}
	return ordinary
}

func build(f func(b *cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	f(&b)
	return must(b.Bytes())
}

// must is for what only a mistake in a test can cause.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Sequence returns a DER sequence of what is already in DER.
func Sequence(parts ...[]byte) []byte { return Tagged(casn1.SEQUENCE, parts...) }

// Tagged returns parts below a tag.
func Tagged(tag casn1.Tag, parts ...[]byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(tag, func(b *cryptobyte.Builder) {
			for _, p := range parts {
				b.AddBytes(p)
			}
		})
	})
}

// OID returns an object identifier in DER.
func OID(id ...int) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(id) })
}

func serial() []byte {
	b := make([]byte, 16)
	rand.Read(b)
	b[0] = b[0]&0x3f | 0x40
	return b
}

// Name returns a distinguished name in DER with a common name alone; an empty name
// for "".
func Name(common string) []byte {
	if common == "" {
		return Sequence()
	}
	return Names([]int{2, 5, 4, 3}, common)
}

// Names returns a distinguished name of one UTF-8 attribute.
func Names(attribute []int, value string) []byte {
	return Sequence(Tagged(casn1.SET, Sequence(OID(attribute...), Tagged(casn1.UTF8String, []byte(value)))))
}

// Time returns a moment in the encoding that RFC 5280 §4.1.2.5 demands.
func Time(t time.Time) []byte {
	if y := t.UTC().Year(); y < 1950 || y >= 2050 {
		return GeneralizedTime(t)
	}
	return UTCTime(t)
}

// UTCTime returns a moment with a year of two digits.
func UTCTime(t time.Time) []byte {
	return Tagged(casn1.UTCTime, []byte(t.UTC().Format("060102150405Z")))
}

// GeneralizedTime returns a moment with a year of four digits.
func GeneralizedTime(t time.Time) []byte {
	return Tagged(casn1.GeneralizedTime, []byte(t.UTC().Format("20060102150405Z")))
}

func spki(key any) []byte {
	if raw, ok := key.([]byte); ok {
		return raw
	}
	return must(x509.MarshalPKIXPublicKey(key))
}

// Algorithm returns the AlgorithmIdentifier with which key signs here.
func Algorithm(key crypto.Signer) []byte { return algorithmOver(key, crypto.SHA256) }

// overHash are the last arcs of the identifiers, of RSA and of ECDSA.
var overHash = map[crypto.Hash]struct{ rsa, ecdsa []int }{
	crypto.MD5:    {rsa: []int{4}},
	crypto.SHA1:   {[]int{5}, []int{1}},
	crypto.SHA224: {[]int{14}, []int{3, 1}},
	crypto.SHA256: {[]int{11}, []int{3, 2}},
	crypto.SHA384: {[]int{12}, []int{3, 3}},
}

func algorithmOver(key crypto.Signer, hash crypto.Hash) []byte {
	switch key.(type) {
	case ed25519.PrivateKey:
		return Sequence(OID(1, 3, 101, 112))
	case *rsa.PrivateKey:
		return Sequence(OID(append([]int{1, 2, 840, 113549, 1, 1}, overHash[hash].rsa...)...), []byte{5, 0})
	}
	return Sequence(OID(append([]int{1, 2, 840, 10045, 4}, overHash[hash].ecdsa...)...)) // *ecdsa.PrivateKey
}

// sign signs with a hash, 0 for SHA-256. Keys of Ed25519 and ML-DSA sign what is there itself.
func sign(key crypto.Signer, tbs []byte, hash crypto.Hash) []byte {
	switch key.Public().(type) {
	case *ecdsa.PublicKey, *rsa.PublicKey:
	default:
		return must(key.Sign(rand.Reader, tbs, crypto.Hash(0)))
	}
	if hash == 0 {
		hash = crypto.SHA256
	}
	h := hash.New()
	h.Write(tbs)
	return must(key.Sign(rand.Reader, h.Sum(nil), hash))
}

// Key returns the n-th P-256 key, the same in each process.
func Key(n int) *ecdsa.PrivateKey {
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], uint64(n))
	scalar := sha256.Sum256(seed[:]) // below the order, but for one in 2^32
	return must(ecdsa.ParseRawPrivateKey(elliptic.P256(), scalar[:]))
}

// KeyID is the usual identifier of a public key. RFC 5280 §4.2.1.2 (1).
func KeyID(key crypto.PublicKey) []byte {
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	must(asn1.Unmarshal(spki(key), &info))
	sum := sha1.Sum(info.Key.Bytes)
	return sum[:]
}
