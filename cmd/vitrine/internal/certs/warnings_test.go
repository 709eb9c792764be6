package certs

import (
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
)

// What is weak about a certificate of a connection that works, each by itself.
func TestCertificateWarnings(t *testing.T) {
	bits := func(n uint) *rsa.PublicKey { return &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), n-1), E: 65537} }
	good := func() *x509.Certificate {
		return &x509.Certificate{
			Subject: pkix.Name{CommonName: "x\x1b"}, RawSubject: []byte{1}, RawIssuer: []byte{2}, SerialNumber: big.NewInt(1),
			PublicKey: bits(2048), SignatureAlgorithm: x509.SHA256WithRSA, KeyUsage: x509.KeyUsageDigitalSignature,
		}
	}
	for _, c := range []struct {
		name   string
		change func(*x509.Certificate)
		above  bool // it stands above the leaf
		want   string
	}{
		{"good", func(*x509.Certificate) {}, false, ""},
		{"a short key", func(c *x509.Certificate) { c.PublicKey = bits(1024) }, false, "RSA 1024"},
		{"a short key above", func(c *x509.Certificate) { c.PublicKey = bits(1024) }, true, "RSA 1024"},
		{"SHA-1", func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }, false, "SHA-1"},
		{"SHA-1 of a root", func(c *x509.Certificate) { c.SignatureAlgorithm, c.RawIssuer = x509.SHA1WithRSA, c.RawSubject }, true, ""},
		{"a negative serial", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(-5) }, false, "negative serial"},
	} {
		cert := good()
		c.change(cert)
		state := tls.State{PeerCertificates: []*x509.Certificate{cert}}
		if c.above {
			state.PeerCertificates = []*x509.Certificate{good(), cert}
		}
		got := strings.Join(Warnings(state), "; ")
		if !strings.Contains(got, c.want) || (c.want == "") != (got == "") || strings.ContainsRune(got, 0x1b) {
			t.Errorf("%s: %q, want %q in it", c.name, got, c.want)
		}
	}
	state := tls.State{PeerCertificates: []*x509.Certificate{good()}, MissingKeyUsage: "digitalSignature"}
	if got := strings.Join(Warnings(state), "; "); !strings.Contains(got, "lacks digitalSignature") {
		t.Errorf("an unfitting key usage: %q", got)
	}
}
