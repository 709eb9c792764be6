package faults

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"runtime/debug"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/tls"
)

func TestMain(m *testing.M) {
	testPKI()               // outside of all bubbles
	debug.SetGCPercent(400) // most of what is allocated here lives for half a millisecond
	leak.Main(m)
}

const serverName = "a.test"

// today is when all connections are made, as far as the configs know.
var today = time.Date(2030, 6, 15, 12, 0, 0, 0, time.UTC)

// The certificates of an authority are valid for two years around today.
var notBefore, notAfter = today.AddDate(-1, 0, 0), today.AddDate(1, 0, 0)

// pki has keys whose signatures are all of one length, so that two runs of a flow
// are, and cheap ones.
type pki struct {
	roots               *x509.CertPool
	server, rsa, client tls.Certificate
	authority           *x509.Certificate
	key                 ed25519.PrivateKey
}

var testPKI = sync.OnceValue(func() *pki {
	p := &pki{roots: x509.NewCertPool()}
	_, p.key = must2(ed25519.GenerateKey(rand.Reader))
	// The authority outlives all clocks but the most wrong.
	root := &x509.Certificate{Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: today.AddDate(-20, 0, 0), NotAfter: today.AddDate(20, 0, 0)}
	p.authority = p.issue(root, root, p.key)
	p.roots.AddCert(p.authority)
	leaf := func(key crypto.Signer, usage x509.ExtKeyUsage) tls.Certificate {
		c := p.issue(&x509.Certificate{DNSNames: []string{serverName}, ExtKeyUsage: []x509.ExtKeyUsage{usage},
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, NotBefore: notBefore, NotAfter: notAfter}, p.authority, key)
		return tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key, Leaf: c}
	}
	_, key := must2(ed25519.GenerateKey(rand.Reader))
	p.server = leaf(key, x509.ExtKeyUsageServerAuth)
	p.rsa = leaf(must(rsa.GenerateKey(rand.Reader, 1024)), x509.ExtKeyUsageServerAuth)
	_, key = must2(ed25519.GenerateKey(rand.Reader))
	p.client = leaf(key, x509.ExtKeyUsageClientAuth)
	return p
})

func (p *pki) issue(template, parent *x509.Certificate, key crypto.Signer) *x509.Certificate {
	template.SerialNumber = big.NewInt(1)
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), p.key))))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func must2[A, B any](a A, b B, err error) (A, B) { return a, must(b, err) }
