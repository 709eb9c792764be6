package certcheck

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"math/big"
	"sync"
	"testing"
	"time"
)

// now is the moment of every test, and not today.
var now = time.Date(2016, 11, 21, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// party is a certificate and its key.
type party struct {
	*x509.Certificate
	key crypto.Signer
}

// change alters a template before it is signed.
type change func(*x509.Certificate)

var serial = big.NewInt(0)

func template(name string, changes []change) *x509.Certificate {
	serial = new(big.Int).Add(serial, big.NewInt(1))
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-30 * day), NotAfter: now.Add(30 * day),
	}
	for _, f := range changes {
		f(c)
	}
	return c
}

// sign issues a certificate for pub by an authority; a nil one means self-signed with key.
func sign(t testing.TB, c *x509.Certificate, key crypto.Signer, pub crypto.PublicKey, by *party) *party {
	t.Helper()
	parent, signer := c, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, pub, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &party{cert, key}
}

var keys uint64

// newKey returns another key each time, but the same ones in each process:
// what a fuzz worker finds, the others can replay.
func newKey() crypto.Signer {
	keys++
	var seed [ed25519.SeedSize]byte
	binary.BigEndian.PutUint64(seed[:], keys)
	return ed25519.NewKeyFromSeed(seed[:])
}

var rsa1024 = sync.OnceValue(func() crypto.Signer {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	return key
})

func issue(t testing.TB, name string, by *party, changes ...change) *party {
	t.Helper()
	key := newKey()
	return sign(t, template(name, changes), key, key.Public(), by)
}

// authority makes a CA; with a nil parent a root.
func authority(t testing.TB, name string, by *party, changes ...change) *party {
	t.Helper()
	return issue(t, name, by, append([]change{isCA}, changes...)...)
}

// server makes a leaf for example.com.
func server(t testing.TB, by *party, changes ...change) *party {
	t.Helper()
	return issue(t, "example.com", by, append([]change{names("example.com", "www.example.com")}, changes...)...)
}

func isCA(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
}

func names(dns ...string) change { return func(c *x509.Certificate) { c.DNSNames = dns } }

func valid(from, to time.Duration) change {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(from), now.Add(to) }
}

func usage(u ...x509.ExtKeyUsage) change {
	return func(c *x509.Certificate) { c.ExtKeyUsage = u }
}

func chain(parties ...*party) (certs []*x509.Certificate) {
	for _, p := range parties {
		certs = append(certs, p.Certificate)
	}
	return certs
}

func trust(parties ...*party) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, p := range parties {
		pool.AddCert(p.Certificate)
	}
	return pool
}
