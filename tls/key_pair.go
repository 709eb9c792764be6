package tls

import (
	"crypto"
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	stdtls "crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

// X509KeyPair reads a certificate chain and its private key, in PEM, and checks
// that they belong together. It fills in Certificate.Leaf. Unlike crypto/tls's it
// takes keys of RSASSA-PSS, Ed448 and ML-DSA too, and DSA keys for the DHE_DSS suites. A key of
// ML-DSA may stand there as its seed, expanded, or both (RFC 9881 §6).
func X509KeyPair(certPEMBlock, keyPEMBlock []byte) (Certificate, error) {
	pair, err := stdtls.X509KeyPair(certPEMBlock, keyPEMBlock)
	if err != nil {
		own, ok, why := otherKeyPair(certPEMBlock, keyPEMBlock)
		switch {
		case ok:
			return own, usableKey(own.PrivateKey)
		case why != nil:
			return pair, fmt.Errorf("tls: failed to parse private key: %w", why)
		}
	}
	return pair, err
}

// LoadX509KeyPair is [X509KeyPair] on two files.
func LoadX509KeyPair(certFile, keyFile string) (Certificate, error) {
	cert, err := os.ReadFile(certFile)
	if err != nil {
		return Certificate{}, err
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return Certificate{}, err
	}
	return X509KeyPair(cert, key)
}

// otherKeyPair reads a pair with a key that crypto/tls does not load; ok is false for any
// other, and for what is no pair. why says what is wrong with a key of ML-DSA.
func otherKeyPair(certPEM, keyPEM []byte) (pair Certificate, ok bool, why error) {
	for block, rest := pem.Decode(certPEM); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			pair.Certificate = append(pair.Certificate, block.Bytes)
		}
	}
	if len(pair.Certificate) == 0 {
		return pair, false, nil
	}
	var err error
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return pair, false, nil
	}
	for block, rest := pem.Decode(keyPEM); block != nil; block, rest = pem.Decode(rest) {
		key, err := keyFor(pair.Leaf, block.Bytes)
		if key != nil {
			pair.PrivateKey = key
			return pair, true, nil
		}
		if err != nil && strings.HasSuffix(block.Type, "PRIVATE KEY") {
			why = err
		}
	}
	return pair, false, why
}

// keyFor reads a private key, which must be that of leaf; nil where it is not. The error says
// why a key of ML-DSA is of no use.
func keyFor(leaf *x509.Certificate, der []byte) (crypto.Signer, error) {
	switch public := otherkeys.Of(leaf).(type) {
	case *dsa.PublicKey:
		if key, err := kex.ParseDSSKey(der); err == nil && key.Fits(public) {
			return key, nil
		}
	case *otherkeys.PSSPublicKey, otherkeys.Ed448PublicKey:
		if key, err := otherkeys.ParsePrivate(der); err == nil {
			return otherkeys.Pair(key, public), nil
		}
	case otherkeys.MLDSAPublicKey:
		key, err := otherkeys.ParsePrivate(der)
		if err != nil {
			return nil, err
		}
		if pair := otherkeys.Pair(key, public); pair != nil {
			return pair, nil
		}
		return nil, fmt.Errorf("the certificate is for another key of %v", public.Set)
	}
	return nil, nil
}

// usableKey refuses an RSASSA-PSS key whose parameters allow no signature of TLS.
func usableKey(key crypto.PrivateKey) error {
	if signer, ok := key.(crypto.Signer); ok && !otherkeys.SignsTLS(signer) {
		return errors.New("tls: the parameters of the RSASSA-PSS key allow none of TLS's signatures, which are over SHA-256, SHA-384 or SHA-512 with a salt as long as the hash")
	}
	return nil
}
