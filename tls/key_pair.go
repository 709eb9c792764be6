package tls

import (
	"crypto/dsa" //lint:ignore SA1019 DHE_DSS suites have no other key
	stdtls "crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"

	"github.com/vitrine-tls/vitrine/internal/kex"
)

// X509KeyPair reads a certificate chain and its private key, in PEM, and checks
// that they belong together. It fills in Certificate.Leaf. Unlike crypto/tls's it
// takes DSA keys too, for the DHE_DSS suites.
func X509KeyPair(certPEMBlock, keyPEMBlock []byte) (Certificate, error) {
	pair, err := stdtls.X509KeyPair(certPEMBlock, keyPEMBlock)
	if err != nil {
		if own, ok := dsaKeyPair(certPEMBlock, keyPEMBlock); ok {
			return own, nil
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

// dsaKeyPair reads a pair with a DSA key; ok is false for any other.
func dsaKeyPair(certPEM, keyPEM []byte) (pair Certificate, ok bool) {
	for block, rest := pem.Decode(certPEM); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			pair.Certificate = append(pair.Certificate, block.Bytes)
		}
	}
	if len(pair.Certificate) == 0 {
		return pair, false
	}
	var err error
	if pair.Leaf, err = x509.ParseCertificate(pair.Certificate[0]); err != nil {
		return pair, false
	}
	public, ok := pair.Leaf.PublicKey.(*dsa.PublicKey)
	for block, rest := pem.Decode(keyPEM); ok && block != nil; block, rest = pem.Decode(rest) {
		if key, err := kex.ParseDSSKey(block.Bytes); err == nil {
			pair.PrivateKey = key
			return pair, key.Fits(public)
		}
	}
	return pair, false
}
