package kex

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
)

// DSA, for the suites of DHE_DSS alone. crypto/dsa works on math/big, which is
// not constant-time: verifying has no secrets, and signing is for servers that
// switch it on.

// The sizes of FIPS 186-4 §4.2, in bits. They also bound what a hostile
// certificate can make us compute.
const (
	minDSA = 1024
	maxDSA = 3072
)

// maxDSASignature is the longest DER of two numbers of 256 bits, in bytes.
const maxDSASignature = 2 + 2*(2+1+32)

// dssSigValue is the signature as it stands in a message. RFC 3279 §2.2.2.
type dssSigValue struct{ R, S *big.Int }

// checkDSA judges the key before anything is computed with it.
func checkDSA(key *dsa.PublicKey) error {
	for _, n := range []*big.Int{key.P, key.Q, key.G, key.Y} {
		if n == nil {
			return errors.New("the DSA key lacks a number")
		}
	}
	p, q := key.P.BitLen(), key.Q.BitLen()
	switch one := big.NewInt(1); {
	case p < minDSA || p > maxDSA:
		return fmt.Errorf("the DSA modulus has %d bits; %d to %d are taken", p, minDSA, maxDSA)
	case q != 160 && q != 224 && q != 256:
		return fmt.Errorf("the DSA subgroup has %d bits; 160, 224 and 256 are taken", q)
	case key.P.Bit(0) == 0 || key.Q.Bit(0) == 0:
		return errors.New("a DSA prime is even")
	case key.G.Cmp(one) <= 0 || key.G.Cmp(key.P) >= 0 || key.Y.Cmp(one) <= 0 || key.Y.Cmp(key.P) >= 0:
		return errors.New("a number of the DSA key is not between 1 and p")
	}
	return nil
}

// truncated is the digest as FIPS 186-4 §4.6 takes it: no longer than q.
func truncated(digest []byte, q *big.Int) []byte {
	return digest[:min(len(digest), q.BitLen()/8)]
}

// VerifyDSS checks a signature over a digest by SHA-1 or SHA-256: the DER of a
// Dss-Sig-Value or, as NSS sends it in SSL 3.0, which does not say, the two
// numbers side by side. It errs for a key of unusual size too, see checkDSA.
// RFC 2246 §4.7, RFC 5246 §4.7.
func VerifyDSS(key *dsa.PublicKey, digest, sig []byte) error {
	if err := checkDSA(key); err != nil {
		return err
	}
	v, ok := parseDSS(sig, key.Q.BitLen()/8)
	if !ok || !dsa.Verify(key, truncated(digest, key.Q), v.R, v.S) {
		return errDSS
	}
	return nil
}

// parseDSS reads a signature whose numbers have n bytes each.
func parseDSS(sig []byte, n int) (v dssSigValue, ok bool) {
	if len(sig) > maxDSASignature {
		return v, false
	}
	if rest, err := asn1.Unmarshal(sig, &v); err == nil {
		return v, len(rest) == 0
	}
	if len(sig) != 2*n {
		return v, false
	}
	return dssSigValue{new(big.Int).SetBytes(sig[:n]), new(big.Int).SetBytes(sig[n:])}, true
}

var errDSS = errors.New("the DSA signature does not verify")

// DSSKey is a server's DSA key as a crypto.Signer. Signing is not
// constant-time, and anyone who measures enough signatures may find the key.
type DSSKey struct{ key dsa.PrivateKey }

// Public returns a *dsa.PublicKey.
func (k *DSSKey) Public() crypto.PublicKey { return &k.key.PublicKey }

// Fits reports whether public is the other half of k.
func (k *DSSKey) Fits(public *dsa.PublicKey) bool {
	own := &k.key.PublicKey
	return own.P.Cmp(public.P) == 0 && own.Q.Cmp(public.Q) == 0 && own.G.Cmp(public.G) == 0 && own.Y.Cmp(public.Y) == 0
}

// Sign returns the DER of a Dss-Sig-Value over the digest.
func (k *DSSKey) Sign(rand io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	r, s, err := dsa.Sign(rand, &k.key, truncated(digest, k.key.Q))
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(dssSigValue{r, s})
}

// openSSLKey is what OpenSSL writes as "DSA PRIVATE KEY".
type openSSLKey struct {
	Version       int
	P, Q, G, Y, X *big.Int
}

// pkcs8Key is RFC 5208 §5 with the parameters of RFC 3279 §2.3.2.
type pkcs8Key struct {
	Version   int
	Algorithm struct {
		OID        asn1.ObjectIdentifier
		Parameters struct{ P, Q, G *big.Int }
	}
	Key        []byte
	Attributes asn1.RawValue `asn1:"optional,tag:0"`
}

var oidDSA = asn1.ObjectIdentifier{1, 2, 840, 10040, 4, 1}

// ParseDSSKey reads the DER of a private key as "PRIVATE KEY" (PKCS #8) or "DSA
// PRIVATE KEY" hold it in PEM files; crypto/x509 knows neither. It errs for what
// is no DSA key, and for numbers out of their bounds. That the key is the one of
// a certificate is for the caller to compare.
func ParseDSSKey(der []byte) (*DSSKey, error) {
	var plain openSSLKey
	if rest, err := asn1.Unmarshal(der, &plain); err == nil && len(rest) == 0 {
		return newDSSKey(plain.P, plain.Q, plain.G, plain.X)
	}
	var wrapped pkcs8Key
	if rest, err := asn1.Unmarshal(der, &wrapped); err != nil || len(rest) != 0 || !wrapped.Algorithm.OID.Equal(oidDSA) {
		return nil, errors.New("not a DSA private key")
	}
	var x *big.Int
	if rest, err := asn1.Unmarshal(wrapped.Key, &x); err != nil || len(rest) != 0 {
		return nil, errors.New("not a DSA private key")
	}
	group := wrapped.Algorithm.Parameters
	return newDSSKey(group.P, group.Q, group.G, x)
}

func newDSSKey(p, q, g, x *big.Int) (*DSSKey, error) {
	k := &DSSKey{dsa.PrivateKey{PublicKey: dsa.PublicKey{Parameters: dsa.Parameters{P: p, Q: q, G: g}, Y: g}, X: x}}
	if err := checkDSA(&k.key.PublicKey); err != nil { // with g in place of y
		return nil, err
	}
	if x.Sign() <= 0 || x.Cmp(q) >= 0 {
		return nil, errors.New("the DSA private number is not between 0 and q")
	}
	k.key.Y = new(big.Int).Exp(g, x, p)
	return k, nil
}
