package devca

import (
	"bytes"
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 what DHE_DSS suites are signed with
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
)

// dsaParameters are a group of 2048 and 256 bits, as OpenSSL generates it:
// finding one takes seconds, and any number of keys may share it.
//
//go:embed dsa_parameters.pem
var dsaParameters []byte

var oidDSA = asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}

// DSAKey is a DSA key as a crypto.Signer, which crypto/dsa's is not.
type DSAKey struct{ dsa.PrivateKey }

// NewDSAKey makes a key of 2048 bits.
func NewDSAKey() (*DSAKey, error) {
	block, _ := pem.Decode(dsaParameters)
	k := &DSAKey{}
	if _, err := asn1.Unmarshal(block.Bytes, &k.Parameters); err != nil {
		return nil, err
	}
	return k, dsa.GenerateKey(&k.PrivateKey, rand.Reader)
}

// Public returns a *dsa.PublicKey.
func (k *DSAKey) Public() crypto.PublicKey { return &k.PublicKey }

// Sign returns the DER of a Dss-Sig-Value (RFC 3279 §2.2.2) over the leftmost
// bits of digest.
func (k *DSAKey) Sign(random io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	r, s, err := dsa.Sign(random, &k.PrivateKey, digest[:min(len(digest), k.Q.BitLen()/8)])
	if err != nil {
		return nil, err
	}
	return asn1.Marshal([]any{r, s})
}

// algorithm is RFC 3279 §2.3.2's identifier of the key.
func (k *DSAKey) algorithm() (a pkix.AlgorithmIdentifier, err error) {
	parameters, err := asn1.Marshal(k.Parameters)
	return pkix.AlgorithmIdentifier{Algorithm: oidDSA, Parameters: asn1.RawValue{FullBytes: parameters}}, err
}

// PKCS8 returns the private key in the DER of a PEM file's "PRIVATE KEY".
// RFC 5208 §5.
func (k *DSAKey) PKCS8() ([]byte, error) {
	algorithm, err := k.algorithm()
	if err != nil {
		return nil, err
	}
	x, err := asn1.Marshal(k.X)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}{0, algorithm, x})
}

// Certify is x509.CreateCertificate for any key, DSA included. The issuer's key
// must then be one of P-256.
func Certify(template, issuer *x509.Certificate, key crypto.Signer, issuerKey crypto.Signer) ([]byte, error) {
	k, ok := key.(*DSAKey)
	if !ok {
		return x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
	}
	if ca, ok := issuerKey.(*ecdsa.PrivateKey); !ok || ca.Curve != elliptic.P256() {
		return nil, errors.New("devca: DSA keys are certified with a key of P-256 only")
	}
	// crypto/x509 refuses to write DSA keys, so another stands in for it, is
	// replaced, and the result is signed anew.
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, issuerKey.Public(), issuerKey)
	if err != nil {
		return nil, err
	}
	return k.replace(der, issuerKey)
}

// replace puts k into a certificate and signs it with the issuer's key.
func (k *DSAKey) replace(der []byte, issuerKey crypto.Signer) ([]byte, error) {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	algorithm, err := k.algorithm()
	if err != nil {
		return nil, err
	}
	y, err := asn1.Marshal(k.Y)
	if err != nil {
		return nil, err
	}
	key, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{algorithm, asn1.BitString{Bytes: y, BitLength: 8 * len(y)}})
	if err != nil {
		return nil, err
	}
	var whole struct {
		TBS       []asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &whole); err != nil {
		return nil, err
	}
	for i, field := range whole.TBS {
		if bytes.Equal(field.FullBytes, cert.RawSubjectPublicKeyInfo) {
			whole.TBS[i] = asn1.RawValue{FullBytes: key}
		}
	}
	tbs, err := asn1.Marshal(whole.TBS)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(tbs)
	signature, err := issuerKey.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	whole.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	return asn1.Marshal(whole)
}
