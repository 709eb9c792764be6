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
)

// algorithm is one way to sign a certificate.
type algorithm struct {
	id   x509.SignatureAlgorithm
	hash crypto.Hash // 0 where the message itself is signed
	// forgeable: two messages of one hash can be made, and so a certificate that nobody
	// has signed.
	forgeable bool
	check     func(key crypto.PublicKey, hash crypto.Hash, signed, signature []byte) error
}

// algorithms are those that can be verified. Which of them may stand in a path is a rule's
// business.
var algorithms = []algorithm{
	{x509.MD5WithRSA, crypto.MD5, true, checkPKCS1},
	{x509.SHA1WithRSA, crypto.SHA1, true, checkPKCS1},
	{x509.ECDSAWithSHA1, crypto.SHA1, true, checkECDSA},
	{x509.SHA256WithRSA, crypto.SHA256, false, checkPKCS1},
	{x509.SHA384WithRSA, crypto.SHA384, false, checkPKCS1},
	{x509.SHA512WithRSA, crypto.SHA512, false, checkPKCS1},
	{x509.SHA256WithRSAPSS, crypto.SHA256, false, checkPSS},
	{x509.SHA384WithRSAPSS, crypto.SHA384, false, checkPSS},
	{x509.SHA512WithRSAPSS, crypto.SHA512, false, checkPSS},
	{x509.ECDSAWithSHA256, crypto.SHA256, false, checkECDSA},
	{x509.ECDSAWithSHA384, crypto.SHA384, false, checkECDSA},
	{x509.ECDSAWithSHA512, crypto.SHA512, false, checkECDSA},
	{x509.PureEd25519, 0, false, checkEd25519},
}

// algorithmOf returns how c is signed, or nil where that is not supported.
func algorithmOf(c *x509.Certificate) *algorithm {
	for i := range algorithms {
		if algorithms[i].id == c.SignatureAlgorithm {
			return &algorithms[i]
		}
	}
	return nil
}

var (
	errSignature = errors.New("the signature is wrong")
	errOtherKey  = errors.New("the authority's key is of another kind than the signature")
	errLargeKey  = errors.New("the authority's key is too large")
)

// checkSignature verifies c's signature with the key of an authority, and nothing else.
func checkSignature(c, authority *x509.Certificate) error {
	a := algorithmOf(c)
	if a == nil || authority.PublicKey == nil {
		return x509.ErrUnsupportedAlgorithm
	}
	signed := c.RawTBSCertificate
	if a.hash != 0 {
		h := a.hash.New()
		h.Write(signed)
		signed = h.Sum(nil)
	}
	return a.check(authority.PublicKey, a.hash, signed, c.Signature)
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
	if err == nil && rsa.VerifyPKCS1v15(k, hash, signed, signature) != nil {
		err = errSignature
	}
	return err
}

func checkPSS(key crypto.PublicKey, hash crypto.Hash, signed, signature []byte) error {
	k, err := rsaKeyOf(key)
	if err == nil && rsa.VerifyPSS(k, hash, signed, signature, &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash}) != nil {
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
