package otherkeys

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vitrine-tls/vitrine/wire"
)

// MLDSA is a parameter set of ML-DSA: its row in FIPS 204 §4, table 1.
type MLDSA uint8

// The parameter sets, of the strength of AES-128, AES-192 and AES-256.
const (
	MLDSA44 MLDSA = iota + 1
	MLDSA65
	MLDSA87
)

// mldsaSets are the parameter sets: how each is named where, and who computes it.
var mldsaSets = [...]struct {
	set    MLDSA
	oid    asn1.ObjectIdentifier // of a key and of a signature: RFC 9881 §2
	scheme wire.SignatureScheme  // draft-ietf-tls-mldsa §3
	do     sign.Scheme
	// sign appends no context and takes fresh randomness: FIPS 204 calls this hedged.
	sign func(key sign.PrivateKey, message, signature []byte) error
	// bits holds a coefficient of the secret vectors, in an expanded key; the largest is most.
	bits, most uint
	columns    int // polynomials of the first of these vectors
	short      int // of both
}{
	{MLDSA44, mldsaOID(17), wire.MLDSA44, mldsa44.Scheme(), func(k sign.PrivateKey, m, sig []byte) error {
		return mldsa44.SignTo(k.(*mldsa44.PrivateKey), m, nil, true, sig)
	}, 3, 4, 4, 4 + 4},
	{MLDSA65, mldsaOID(18), wire.MLDSA65, mldsa65.Scheme(), func(k sign.PrivateKey, m, sig []byte) error {
		return mldsa65.SignTo(k.(*mldsa65.PrivateKey), m, nil, true, sig)
	}, 4, 8, 5, 5 + 6},
	{MLDSA87, mldsaOID(19), wire.MLDSA87, mldsa87.Scheme(), func(k sign.PrivateKey, m, sig []byte) error {
		return mldsa87.SignTo(k.(*mldsa87.PrivateKey), m, nil, true, sig)
	}, 3, 4, 7, 7 + 8},
}

func mldsaOID(last int) asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, last}
}

// mldsaOf is the set of an algorithm's identifier; 0 for any other.
func mldsaOf(id asn1.ObjectIdentifier) MLDSA {
	for i := range mldsaSets {
		if mldsaSets[i].oid.Equal(id) {
			return mldsaSets[i].set
		}
	}
	return 0
}

// String is the name of FIPS 204, "ML-DSA-44".
func (s MLDSA) String() string { return mldsaSets[s-1].do.Name() }

// Scheme is that of TLS 1.3 by which keys of the set sign.
func (s MLDSA) Scheme() wire.SignatureScheme { return mldsaSets[s-1].scheme }

// SignatureSize is the length of every signature of the set, in bytes.
func (s MLDSA) SignatureSize() int { return mldsaSets[s-1].do.SignatureSize() }

// Algorithm is the AlgorithmIdentifier, in DER, of the set's keys and signatures. It has no
// parameters. RFC 9881 §2.
func (s MLDSA) Algorithm() []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(mldsaSets[s-1].oid) })
	return b.BytesOrPanic()
}

// MLDSAPublicKey is a public key of ML-DSA. RFC 9881 §4.
type MLDSAPublicKey struct {
	Set   MLDSA
	bytes []byte // as FIPS 204 §7.2 encodes it; they belong to the certificate
}

// Bytes is the key as FIPS 204 §7.2 encodes it, which must not be changed.
func (k MLDSAPublicKey) Bytes() []byte { return k.bytes }

// Equal reports whether x is the same key.
func (k MLDSAPublicKey) Equal(x crypto.PublicKey) bool {
	other, ok := x.(MLDSAPublicKey)
	return ok && k.Set == other.Set && bytes.Equal(k.bytes, other.bytes)
}

// Verify checks a signature over a message, with an empty context. FIPS 204 §5.3.
func (k MLDSAPublicKey) Verify(message, signature []byte) bool {
	do := mldsaSets[k.Set-1].do
	key, err := do.UnmarshalBinaryPublicKey(k.bytes)
	return err == nil && do.Verify(key, message, signature, nil)
}

// Info is the key's SubjectPublicKeyInfo in DER. RFC 9881 §4.
func (k MLDSAPublicKey) Info() []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(k.Set.Algorithm())
		b.AddASN1BitString(k.bytes)
	})
	return b.BytesOrPanic()
}

func parseMLDSAPublic(set MLDSA, alg algorithm, key []byte) (crypto.PublicKey, error) {
	if want := mldsaSets[set-1].do.PublicKeySize(); alg.given || len(key) != want {
		return nil, fmt.Errorf("not an %v key of %d bytes without parameters", set, want)
	}
	return MLDSAPublicKey{set, key}, nil
}

// MLDSAPrivateKey is a private key of ML-DSA. It signs messages, not hashes of them, and is
// safe for concurrent use.
type MLDSAPrivateKey struct {
	public MLDSAPublicKey
	key    sign.PrivateKey
	seed   []byte // nil for a key of which the expanded form alone is known
}

// MLDSASeedSize is the length of what a private key is made from, in bytes.
const MLDSASeedSize = 32

// NewMLDSAKey makes the key of a seed, of [MLDSASeedSize] bytes. FIPS 204 §6.1.
func NewMLDSAKey(set MLDSA, seed []byte) *MLDSAPrivateKey {
	public, key := mldsaSets[set-1].do.DeriveKey(seed)
	return newMLDSAKey(set, public, key, bytes.Clone(seed))
}

func newMLDSAKey(set MLDSA, public sign.PublicKey, key sign.PrivateKey, seed []byte) *MLDSAPrivateKey {
	encoded, _ := public.MarshalBinary() // it errs for no key
	return &MLDSAPrivateKey{MLDSAPublicKey{set, encoded}, key, seed}
}

// Public returns an [MLDSAPublicKey].
func (k *MLDSAPrivateKey) Public() crypto.PublicKey { return k.public }

// Sign wants the message itself and opts that name no hash. The signature is hedged: it takes
// randomness of its own, so that a fault in computing it does not tell the key, and is safe
// even where that randomness is bad. FIPS 204 §3.4, §5.2.
func (k *MLDSAPrivateKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts != nil && opts.HashFunc() != 0 {
		return nil, errors.New("an ML-DSA key signs messages, not hashes of them")
	}
	s := &mldsaSets[k.public.Set-1]
	sig := make([]byte, s.do.SignatureSize())
	return sig, s.sign(k.key, message, sig)
}

// PKCS8 is the private key in DER, as the DER in a PEM file's "PRIVATE KEY": its seed, or the
// expanded form where nothing else is known. RFC 9881 §6.
func (k *MLDSAPrivateKey) PKCS8() []byte {
	var b cryptobyte.Builder
	b.AddASN1(casn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		b.AddBytes(k.public.Set.Algorithm())
		b.AddASN1(casn1.OCTET_STRING, func(b *cryptobyte.Builder) {
			if k.seed != nil {
				b.AddASN1(mldsaSeedTag, func(b *cryptobyte.Builder) { b.AddBytes(k.seed) })
				return
			}
			expanded, _ := k.key.MarshalBinary() // it errs for no key
			b.AddASN1OctetString(expanded)
		})
	})
	return b.BytesOrPanic()
}
