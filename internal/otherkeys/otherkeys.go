// Package otherkeys has the keys that TLS signs with and crypto/x509 of Go 1.26 does not
// know: RSA keys that are for RSASSA-PSS alone, Ed448, and ML-DSA. crypto/x509 reads a
// certificate with such a key and leaves its PublicKey nil; this package reads the key from
// its SubjectPublicKeyInfo, and the private key from PKCS #8. Both are read strictly: what
// is not DER, or has something behind it, is refused.
package otherkeys

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/sign/ed448"
	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidPSS   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10} // RFC 4055 §1.2
	oidEd448 = asn1.ObjectIdentifier{1, 3, 101, 113}              // RFC 8410 §3
)

var errUnknown = errors.New("not a key of RSASSA-PSS, Ed448 or ML-DSA")

// Of returns the public key of a certificate: that of crypto/x509 or, where that knows
// none, a [*PSSPublicKey], an [Ed448PublicKey] or an [MLDSAPublicKey]; nil where it is none
// of these. A later crypto/x509 that knows more kinds changes nothing.
func Of(c *x509.Certificate) crypto.PublicKey {
	if c.PublicKey != nil && c.PublicKeyAlgorithm <= x509.Ed25519 {
		return c.PublicKey
	}
	if key, err := ParsePublic(c.RawSubjectPublicKeyInfo); err == nil {
		return key
	}
	return c.PublicKey
}

// RSA returns the certificate's RSA key, also one for RSASSA-PSS alone; nil where it has
// another.
func RSA(c *x509.Certificate) *rsa.PublicKey {
	switch key := Of(c).(type) {
	case *rsa.PublicKey:
		return key
	case *PSSPublicKey:
		return key.Key
	}
	return nil
}

// Name is what a certificate's key of this package is called for people, "RSA-PSS 2048",
// "Ed448" or "ML-DSA-44"; empty for any other key.
func Name(c *x509.Certificate) string { return NameOf(Of(c)) }

// NameOf is [Name] of a key by itself.
func NameOf(key crypto.PublicKey) string {
	switch key := key.(type) {
	case *PSSPublicKey:
		return fmt.Sprintf("RSA-PSS %d", key.Key.N.BitLen())
	case Ed448PublicKey:
		return "Ed448"
	case MLDSAPublicKey:
		return key.Set.String()
	}
	return ""
}

// ParsePublic reads a SubjectPublicKeyInfo in DER, and returns a [*PSSPublicKey], an
// [Ed448PublicKey] or an [MLDSAPublicKey]; any other key is an error. RFC 5280 §4.1.2.7.
//
//	SubjectPublicKeyInfo ::= SEQUENCE { algorithm AlgorithmIdentifier, subjectPublicKey BIT STRING }
func ParsePublic(der []byte) (crypto.PublicKey, error) {
	in := cryptobyte.String(der)
	var spki, key cryptobyte.String
	if !in.ReadASN1(&spki, casn1.SEQUENCE) || !in.Empty() {
		return nil, errors.New("not a SubjectPublicKeyInfo in DER")
	}
	alg, err := readAlgorithm(&spki)
	if err != nil {
		return nil, err
	}
	if !spki.ReadASN1BitStringAsBytes((*[]byte)(&key)) || !spki.Empty() {
		return nil, errors.New("not a SubjectPublicKeyInfo in DER")
	}
	switch {
	case alg.id.Equal(oidPSS):
		limits, err := alg.limits()
		if err != nil {
			return nil, err
		}
		rsaKey, err := x509.ParsePKCS1PublicKey(key)
		if err != nil {
			return nil, err
		}
		return &PSSPublicKey{Key: rsaKey, Limits: limits}, nil
	case alg.id.Equal(oidEd448):
		if alg.given || len(key) != ed448.PublicKeySize {
			return nil, errors.New("not an Ed448 key of 57 bytes without parameters")
		}
		return Ed448PublicKey(key), nil
	}
	if set := mldsaOf(alg.id); set != 0 {
		return parseMLDSAPublic(set, alg, key)
	}
	return nil, errUnknown
}

// ParsePrivate reads a private key of one of these kinds in PKCS #8; any other is an error. The key signs only what its parameters allow. RFC 5958, RFC 8410 §7.
//
//	OneAsymmetricKey ::= SEQUENCE {
//	  version INTEGER, algorithm AlgorithmIdentifier, privateKey OCTET STRING,
//	  attributes [0] SET OPTIONAL, publicKey [1] BIT STRING OPTIONAL }
func ParsePrivate(der []byte) (crypto.Signer, error) {
	errSyntax := errors.New("not a private key in PKCS #8")
	in := cryptobyte.String(der)
	var body, key cryptobyte.String
	var version int
	if !in.ReadASN1(&body, casn1.SEQUENCE) || !in.Empty() || !body.ReadASN1Integer(&version) || version < 0 || version > 1 {
		return nil, errSyntax
	}
	alg, err := readAlgorithm(&body)
	if err != nil {
		return nil, err
	}
	if !body.ReadASN1(&key, casn1.OCTET_STRING) ||
		!body.SkipOptionalASN1(casn1.Tag(0).ContextSpecific().Constructed()) ||
		!body.SkipOptionalASN1(casn1.Tag(1).ContextSpecific()) || !body.Empty() {
		return nil, errSyntax
	}
	switch {
	case alg.id.Equal(oidPSS):
		limits, err := alg.limits()
		if err != nil {
			return nil, err
		}
		rsaKey, err := x509.ParsePKCS1PrivateKey(key)
		if err != nil {
			return nil, err
		}
		return &pssPrivateKey{rsaKey, PSSPublicKey{&rsaKey.PublicKey, limits}}, nil
	case alg.id.Equal(oidEd448):
		var seed cryptobyte.String
		if alg.given || !key.ReadASN1(&seed, casn1.OCTET_STRING) || !key.Empty() || len(seed) != ed448.SeedSize {
			return nil, errors.New("not an Ed448 key of 57 bytes without parameters")
		}
		return ed448PrivateKey{ed448.NewKeyFromSeed(seed)}, nil
	}
	if set := mldsaOf(alg.id); set != 0 {
		k, err := parseMLDSAPrivate(set, alg, key)
		if err != nil {
			return nil, err // and no signer that holds a nil
		}
		return k, nil
	}
	return nil, errUnknown
}

// Pair returns key, as [ParsePrivate] gives it, for a certificate with the public key: it
// signs what the parameters of both allow. It is nil where they are no pair.
func Pair(key crypto.Signer, public crypto.PublicKey) crypto.Signer {
	switch key := key.(type) {
	case *pssPrivateKey:
		theirs, ok := public.(*PSSPublicKey)
		if !ok || !theirs.Key.Equal(key.public.Key) {
			return nil
		}
		limits, ok := key.public.Limits.and(theirs.Limits)
		if !ok {
			return nil
		}
		return &pssPrivateKey{key.key, PSSPublicKey{key.public.Key, limits}}
	case ed448PrivateKey:
		if key.Public().(Ed448PublicKey).Equal(public) {
			return key
		}
	case *MLDSAPrivateKey:
		if key.public.Equal(public) {
			return key
		}
	}
	return nil
}

// algorithm is an AlgorithmIdentifier.
type algorithm struct {
	id         asn1.ObjectIdentifier
	parameters cryptobyte.String // the element with its header
	given      bool              // there are parameters
}

func readAlgorithm(in *cryptobyte.String) (a algorithm, err error) {
	var body cryptobyte.String
	if !in.ReadASN1(&body, casn1.SEQUENCE) || !body.ReadASN1ObjectIdentifier(&a.id) {
		return a, errors.New("not an AlgorithmIdentifier in DER")
	}
	if a.given = !body.Empty(); a.given {
		var tag casn1.Tag
		if !body.ReadAnyASN1Element(&a.parameters, &tag) || !body.Empty() {
			return a, errors.New("not an AlgorithmIdentifier in DER")
		}
	}
	return a, nil
}
