package engine

import (
	"crypto/dsa" //lint:ignore SA1019 the key of DHE_DSS suites
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"os"

	"github.com/vitrine-tls/vitrine/internal/devca"
)

// loadDSA is LoadX509KeyPair for a DSA key, which crypto/tls does not know.
func loadDSA(certFile, _ string) (c stdtls.Certificate, err error) {
	text, err := os.ReadFile(certFile)
	if err != nil {
		return c, err
	}
	cert, rest := pem.Decode(text)
	private, _ := pem.Decode(rest)
	if c.Leaf, err = x509.ParseCertificate(cert.Bytes); err != nil {
		return c, err
	}
	var info struct { // RFC 5208 §5
		Version   int
		Algorithm pkix.AlgorithmIdentifier
		Key       []byte
	}
	if _, err := asn1.Unmarshal(private.Bytes, &info); err != nil {
		return c, err
	}
	key := &devca.DSAKey{PrivateKey: dsa.PrivateKey{PublicKey: *c.Leaf.PublicKey.(*dsa.PublicKey)}}
	_, err = asn1.Unmarshal(info.Key, &key.X)
	c.Certificate, c.PrivateKey = [][]byte{cert.Bytes}, key
	return c, err
}
