package diagnose_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// An entity is a certificate and its key.
type entity struct {
	cert *x509.Certificate
	key  crypto.Signer
	by   *entity
}

// from makes a template of an ordinary certificate, which changes alter.
func template(name string, changes ...func(*x509.Certificate)) *x509.Certificate {
	number, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	c := &x509.Certificate{SerialNumber: number, Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
	for _, change := range changes {
		change(c)
	}
	return c
}

func authority(c *x509.Certificate) {
	c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
}

func named(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = names }
}

func valid(from, to time.Duration) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(to) }
}

func purpose(u x509.ExtKeyUsage) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{u} }
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var rsaKeys = map[int]func() *rsa.PrivateKey{1024: rsaKey(1024), 2048: rsaKey(2048)}

// rsaKey makes a key once.
func rsaKey(bits int) func() *rsa.PrivateKey {
	return sync.OnceValue(func() *rsa.PrivateKey {
		key, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			panic(err)
		}
		return key
	})
}

// certify issues a certificate for a key; by nil signs it by itself.
func certify(t testing.TB, by *entity, c *x509.Certificate, key crypto.Signer) *entity {
	t.Helper()
	if key == nil {
		key = newKey(t)
	}
	issuer, signer := c, key
	if by != nil {
		issuer, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, issuer, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &entity{cert, key, by}
}

// A pki is a root, an intermediate, and what they certify.
type pki struct {
	t            testing.TB
	root, middle *entity
}

func newPKI(t testing.TB) *pki {
	root := certify(t, nil, template("Example Root", authority), nil)
	return &pki{t, root, certify(t, root, template("Example Intermediate", authority), nil)}
}

// leaf is a certificate of the intermediate for a.test, with its chain.
func (p *pki) leaf(changes ...func(*x509.Certificate)) tls.Certificate {
	return p.leafFor(nil, changes...)
}

func (p *pki) leafFor(key crypto.Signer, changes ...func(*x509.Certificate)) tls.Certificate {
	e := certify(p.t, p.middle, template("a.test", append([]func(*x509.Certificate){named("a.test")}, changes...)...), key)
	return tls.Certificate{Certificate: [][]byte{e.cert.Raw, p.middle.cert.Raw}, PrivateKey: e.key}
}

func (p *pki) trust() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.root.cert)
	return pool
}
