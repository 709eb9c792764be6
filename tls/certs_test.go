package tls

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"
)

// pki is a throw-away authority with a certificate of each kind of key.
type pki struct {
	roots *x509.CertPool
	ca    *x509.Certificate
	key   crypto.Signer
	certs map[string]Certificate
}

var keyKinds = []string{"ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "rsa2048"}

var testPKI = sync.OnceValue(func() *pki {
	p := &pki{roots: x509.NewCertPool(), certs: map[string]Certificate{}}
	p.key = newKey("ecdsa-p256")
	p.ca = p.issue(&x509.Certificate{Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, p.key)
	p.roots.AddCert(p.ca)
	for _, kind := range keyKinds {
		p.certs[kind] = p.certificate(kind, &x509.Certificate{})
	}
	return p
})

func newKey(kind string) crypto.Signer {
	switch kind {
	case "ecdsa-p384":
		return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	case "ecdsa-p521":
		return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	case "rsa1024":
		return must(rsa.GenerateKey(rand.Reader, 1024))
	case "rsa2048":
		return must(rsa.GenerateKey(rand.Reader, 2048))
	}
	return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// issue signs the template with the CA's key; names and times have defaults.
func (p *pki) issue(t *x509.Certificate, key crypto.Signer) *x509.Certificate {
	t.SerialNumber = must(rand.Int(rand.Reader, big.NewInt(1<<62)))
	if t.NotAfter.IsZero() {
		t.NotBefore, t.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	}
	parent := p.ca
	if parent == nil {
		parent = t
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, t, parent, key.Public(), p.key))))
}

func (p *pki) certificate(kind string, t *x509.Certificate) Certificate {
	key := newKey(kind)
	if t.Subject.CommonName == "" {
		t.Subject.CommonName = kind
	}
	if t.DNSNames == nil {
		t.DNSNames = []string{"example.test"}
	}
	t.KeyUsage |= x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	cert := p.issue(t, key)
	return Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// server and client are configs that trust each other.
func (p *pki) server(kind string) *Config { return &Config{Certificates: []Certificate{p.certs[kind]}} }
func (p *pki) client() *Config            { return &Config{RootCAs: p.roots, ServerName: "example.test"} }

func testDeadline(t *testing.T, conns ...interface{ SetDeadline(time.Time) error }) {
	for _, c := range conns {
		if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
	}
}
