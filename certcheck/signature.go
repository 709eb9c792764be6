package certcheck

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	_ "crypto/md5" // by a named switch alone: Options.LegacySignatures
	"crypto/rsa"
	_ "crypto/sha1" // the same
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	fastrsa "github.com/vitrine-tls/vitrine/internal/primitive/rsa"
	"github.com/vitrine-tls/vitrine/wire"
)

// algorithm is one way to sign a certificate.
type algorithm struct {
	id x509.SignatureAlgorithm
	// name and der, its AlgorithmIdentifier, are those of one that crypto/x509 does not know.
	// scheme has to be named in Options.Schemes.
	name, der string
	scheme    wire.SignatureScheme
	hash      crypto.Hash // 0 where the message itself is signed
	// forgeable: two messages of one hash can be made, and so a certificate that nobody
	// has signed.
	forgeable bool
	check     func(key crypto.PublicKey, hash crypto.Hash, signed, signature []byte) error
}

// algorithms are those that can be verified. Which of them may stand in a path is a rule's
// business.
var algorithms = []algorithm{
	{id: x509.MD5WithRSA, hash: crypto.MD5, forgeable: true, check: checkPKCS1},
	{id: x509.SHA1WithRSA, hash: crypto.SHA1, forgeable: true, check: checkPKCS1},
	{id: x509.ECDSAWithSHA1, hash: crypto.SHA1, forgeable: true, check: checkECDSA},
	{id: x509.SHA256WithRSA, hash: crypto.SHA256, check: checkPKCS1},
	{id: x509.SHA384WithRSA, hash: crypto.SHA384, check: checkPKCS1},
	{id: x509.SHA512WithRSA, hash: crypto.SHA512, check: checkPKCS1},
	{id: x509.SHA256WithRSAPSS, hash: crypto.SHA256, check: checkPSS},
	{id: x509.SHA384WithRSAPSS, hash: crypto.SHA384, check: checkPSS},
	{id: x509.SHA512WithRSAPSS, hash: crypto.SHA512, check: checkPSS},
	{id: x509.ECDSAWithSHA256, hash: crypto.SHA256, check: checkECDSA},
	{id: x509.ECDSAWithSHA384, hash: crypto.SHA384, check: checkECDSA},
	{id: x509.ECDSAWithSHA512, hash: crypto.SHA512, check: checkECDSA},
	{id: x509.PureEd25519, check: checkEd25519},
	// RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3.
	{name: "SHA224-RSA", der: "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e\x05\x00", scheme: wire.RSAPKCS1SHA224, hash: crypto.SHA224, check: checkPKCS1},
	{name: "ECDSA-SHA224", der: "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x01", scheme: wire.ECDSASHA224, hash: crypto.SHA224, check: checkECDSA},
	{name: "Ed448", der: "\x30\x05\x06\x03\x2b\x65\x71", scheme: wire.Ed448, check: checkEd448},
	mldsa(otherkeys.MLDSA44), mldsa(otherkeys.MLDSA65), mldsa(otherkeys.MLDSA87),
}

// mldsa is the row of a parameter set. RFC 9881 §3.
func mldsa(set otherkeys.MLDSA) algorithm {
	return algorithm{name: set.String(), der: string(set.Algorithm()), scheme: set.Scheme(),
		check: func(key crypto.PublicKey, _ crypto.Hash, signed, signature []byte) error {
			k, ok := key.(otherkeys.MLDSAPublicKey)
			if !ok || k.Set != set {
				return errOtherKey
			}
			if !k.Verify(signed, signature) {
				return errSignature
			}
			return nil
		}}
}

func (a *algorithm) String() string {
	if a.name != "" {
		return a.name
	}
	return a.id.String()
}

// algorithmOf returns how c is signed, or nil where that is not supported. A later crypto/x509
// that knows more algorithms changes nothing.
func algorithmOf(c *x509.Certificate) *algorithm {
	der := ""
	if c.SignatureAlgorithm == x509.UnknownSignatureAlgorithm || c.SignatureAlgorithm > x509.PureEd25519 {
		if der = outerAlgorithm(c); der == "" {
			return nil
		}
	}
	for i := range algorithms {
		if a := &algorithms[i]; a.der == der && (der != "" || a.id == c.SignatureAlgorithm) {
			return a
		}
	}
	return nil
}

// NamedScheme is the scheme of the signature on c, where a path may have it only if
// [Options].Schemes names it; 0 for any other. The kind of the authority's key is not seen.
func NamedScheme(c *x509.Certificate) wire.SignatureScheme {
	if a := algorithmOf(c); a != nil {
		return a.scheme
	}
	return 0
}

// pssKeySchemes are those of an authority whose key is for RSASSA-PSS alone.
var pssKeySchemes = map[crypto.Hash]wire.SignatureScheme{
	crypto.SHA256: wire.RSAPSSPSSSHA256, crypto.SHA384: wire.RSAPSSPSSSHA384, crypto.SHA512: wire.RSAPSSPSSSHA512,
}

// named is the scheme by which c's issuer in the path has signed it, where that has to be
// named; 0 for any other.
func (p *path) named(c *x509.Certificate) wire.SignatureScheme {
	if a, issuer := algorithmOf(c), p.issuerOf(c); a != nil && issuer != nil {
		if _, pss := otherkeys.Of(issuer).(*otherkeys.PSSPublicKey); pss {
			return pssKeySchemes[a.hash]
		}
	}
	return NamedScheme(c)
}

// outerAlgorithm returns the AlgorithmIdentifier behind what is signed, which crypto/x509
// has compared with the one within.
func outerAlgorithm(c *x509.Certificate) string {
	all := cryptobyte.String(c.Raw)
	var algorithm cryptobyte.String
	if !all.ReadASN1(&all, casn1.SEQUENCE) || !all.SkipASN1(casn1.SEQUENCE) || !all.ReadASN1Element(&algorithm, casn1.SEQUENCE) {
		return ""
	}
	return string(algorithm)
}

var (
	errSignature = errors.New("the signature is wrong")
	errOtherKey  = errors.New("the authority's key is of another kind than the signature")
	errLargeKey  = errors.New("the authority's key is too large")
)

// checkSignature verifies c's signature with the key of an authority, and nothing else.
func checkSignature(c, authority *x509.Certificate) error {
	a, key := algorithmOf(c), otherkeys.Of(authority)
	if a == nil || key == nil {
		return x509.ErrUnsupportedAlgorithm
	}
	signed := c.RawTBSCertificate
	if a.hash != 0 {
		h := a.hash.New()
		h.Write(signed)
		signed = h.Sum(nil)
	}
	return a.check(key, a.hash, signed, c.Signature)
}

// rsaKeyOf returns a key whose use costs no more than it may.
func rsaKeyOf(key crypto.PublicKey) (*rsa.PublicKey, error) {
	k, ok := key.(*rsa.PublicKey)
	switch {
	case !ok:
		return nil, errOtherKey
	case k.N.BitLen() > MaxRSABits || k.E > MaxRSAExponent:
		return nil, errLargeKey
	}
	return k, nil
}

func checkPKCS1(key crypto.PublicKey, hash crypto.Hash, signed, signature []byte) error {
	k, err := rsaKeyOf(key)
	if err == nil && fastrsa.Verify(k, signed, signature, hash) != nil {
		err = errSignature
	}
	return err
}

func checkPSS(key crypto.PublicKey, hash crypto.Hash, signed, signature []byte) error {
	if own, ok := key.(*otherkeys.PSSPublicKey); ok {
		_, err := rsaKeyOf(own.Key)
		if err == nil && own.Verify(hash, signed, signature) != nil {
			err = errSignature
		}
		return err
	}
	k, err := rsaKeyOf(key)
	if err == nil && fastrsa.Verify(k, signed, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}) != nil {
		err = errSignature
	}
	return err
}

func checkECDSA(key crypto.PublicKey, _ crypto.Hash, signed, signature []byte) error {
	k, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return errOtherKey
	}
	if !ecdsa.VerifyASN1(k, signed, signature) {
		return errSignature
	}
	return nil
}

func checkEd25519(key crypto.PublicKey, _ crypto.Hash, signed, signature []byte) error {
	k, ok := key.(ed25519.PublicKey)
	if !ok {
		return errOtherKey
	}
	if len(k) != ed25519.PublicKeySize || !ed25519.Verify(k, signed, signature) {
		return errSignature
	}
	return nil
}

func checkEd448(key crypto.PublicKey, _ crypto.Hash, signed, signature []byte) error {
	k, ok := key.(otherkeys.Ed448PublicKey)
	if !ok {
		return errOtherKey
	}
	if !k.Verify(signed, signature) {
		return errSignature
	}
	return nil
}
