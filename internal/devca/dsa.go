package devca

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 what DHE_DSS suites are signed with
	"crypto/rand"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/asn1"
	"encoding/pem"
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

// info is the key's SubjectPublicKeyInfo.
func (k *DSAKey) info() ([]byte, error) {
	algorithm, err := k.algorithm()
	if err != nil {
		return nil, err
	}
	y, err := asn1.Marshal(k.Y)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{algorithm, asn1.BitString{Bytes: y, BitLength: 8 * len(y)}})
}
