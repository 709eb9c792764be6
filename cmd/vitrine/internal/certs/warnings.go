package certs

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/otherkeys"
	"github.com/vitrine-tls/vitrine/tls"
)

// minRSA is the fewest bits of an RSA key that are safe.
const minRSA = 2048

// Warnings say what is weak about the certificates of a connection that works, and what
// the leaf's key was not meant for. What follows from its not being verified is said
// elsewhere.
func Warnings(s tls.State) (list []string) {
	for _, c := range s.PeerCertificates {
		list = append(list, warnings(c)...)
	}
	if s.MissingKeyUsage != "" {
		list = append(list, fmt.Sprintf("the key of %s is not meant for what it was used for: its key usage lacks %s", named(s.PeerCertificates[0]), s.MissingKeyUsage))
	}
	return list
}

// named quotes a certificate's name.
func named(c *x509.Certificate) string {
	return fmt.Sprintf("%q", cmp.Or(c.Subject.CommonName, c.Subject.String()))
}

func warnings(c *x509.Certificate) (list []string) {
	if key := otherkeys.RSA(c); key != nil && key.N.BitLen() < minRSA {
		list = append(list, fmt.Sprintf("the key of %s, RSA %d, is short enough to be broken; %d bits are safe", named(c), key.N.BitLen(), minRSA))
	}
	selfSigned := bytes.Equal(c.RawSubject, c.RawIssuer) // nobody relies on its signature
	if hash, weak := weakHashes[c.SignatureAlgorithm]; weak && !selfSigned {
		list = append(list, fmt.Sprintf("the certificate of %s is signed over %s, which can be forged", named(c), hash))
	}
	if c.SerialNumber.Sign() < 0 {
		list = append(list, fmt.Sprintf("the certificate of %s has a negative serial number, against RFC 5280 §4.1.2.2", named(c)))
	}
	return list
}

var weakHashes = map[x509.SignatureAlgorithm]string{
	x509.MD2WithRSA: "MD2", x509.MD5WithRSA: "MD5", x509.SHA1WithRSA: "SHA-1", x509.DSAWithSHA1: "SHA-1", x509.ECDSAWithSHA1: "SHA-1",
}
