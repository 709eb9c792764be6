package certcheck_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
)

// selfSigned stands for what a peer sent.
func selfSigned() [][]byte {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "example.com"}, DNSNames: []string{"example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, _ := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	return [][]byte{der}
}

func Example() {
	certs, err := certcheck.Parse(selfSigned())
	if err != nil {
		fmt.Println(err)
		return
	}
	own := x509.NewCertPool()
	own.AddCert(certs[0])

	for _, o := range []certcheck.Options{
		{Roots: own, Name: "example.com"},
		{Roots: own, Name: "example.org"},
		{Roots: x509.NewCertPool(), Name: "example.com"},
	} {
		_, err := certcheck.Verify(context.Background(), certs, o)
		var refused *certcheck.Error
		if errors.As(err, &refused) {
			fmt.Printf("%v: %s\n", refused.Alert, refused.Reason)
			continue
		}
		fmt.Println("good")
	}
	// Output:
	// good
	// bad_certificate: the certificate is for "example.com"; not for "example.org"
	// unknown_ca: self-signed by "example.com" and not itself trusted
}
