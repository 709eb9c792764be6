package forge

import (
	"crypto/x509"
	"testing"
	"time"
)

// crypto/x509 accepts the chain as it is before anything is changed in it.
func TestChain(t *testing.T) {
	now := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	leafDER, intermediateDER, rootDER := NewChain(now).DER()
	var certs []*x509.Certificate
	for _, der := range [][]byte{leafDER, intermediateDER, rootDER} {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		certs = append(certs, c)
	}
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(certs[2])
	intermediates.AddCert(certs[1])
	if _, err := certs[0].Verify(x509.VerifyOptions{DNSName: "www.example.com", Roots: roots, Intermediates: intermediates, CurrentTime: now}); err != nil {
		t.Fatal(err)
	}
}

func TestReplaceAndRemove(t *testing.T) {
	c := Cert{Extensions: []Ext{KeyUsage(0), BasicConstraints(false, -1)}}
	c.Replace(KeyUsage(5))
	c.Replace(MustStaple())
	c.Remove(IDBasicConstraints)
	if len(c.Extensions) != 2 || !c.Extensions[0].ID.Equal(IDKeyUsage) || !c.Extensions[1].ID.Equal(IDTLSFeature) {
		t.Errorf("extensions %v", c.Extensions)
	}
}
