package certcheck

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"testing"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

func BenchmarkParse(b *testing.B) {
	root := authority(b, "Root", nil)
	in := raw(server(b, root), root)
	kept, err := Parse(in)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(in); err != nil {
			b.Fatal(err)
		}
	}
	_ = kept[0].Raw
}

func BenchmarkVerify(b *testing.B) {
	root := authority(b, "Root", nil)
	sub := authority(b, "Sub", root)
	certs := chain(server(b, sub), sub)
	o := Options{Roots: trust(root), Time: now, Name: "example.com"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Verify(context.Background(), certs, o); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyAnew checks the signatures of a chain of three, beside crypto/x509.
func BenchmarkVerifyAnew(b *testing.B) {
	for name, key := range map[string]func() crypto.Signer{
		"ECDSA": func() crypto.Signer { k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader); return k },
		"RSA":   func() crypto.Signer { k, _ := rsa.GenerateKey(rand.Reader, 2048); return k },
	} {
		rootKey, subKey, leafKey := key(), key(), key()
		root := sign(b, template("Root", []change{isCA}), rootKey, rootKey.Public(), nil)
		sub := sign(b, template("Sub", []change{isCA}), subKey, subKey.Public(), root)
		leaf := sign(b, template("example.com", []change{names("example.com")}), leafKey, leafKey.Public(), sub)
		certs, roots := chain(leaf, sub), trust(root)
		b.Run(name+"/ours", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Verify(context.Background(), certs, Options{Roots: roots, Time: now, Name: "example.com", Anew: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/crypto-x509", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				intermediates := x509.NewCertPool()
				intermediates.AddCert(sub.Certificate)
				if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates, CurrentTime: now, DNSName: "example.com"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// largeKey is an RSA key of 8192 bits with which nobody can sign.
func largeKey(i int) *rsa.PublicKey {
	n := new(big.Int).Lsh(big.NewInt(1), 8191)
	return &rsa.PublicKey{N: n.Add(n, big.NewInt(int64(2*i+1))), E: 65537}
}

// pathological are chains that are made to cost as much as they can.
var pathological = map[string]func(b testing.TB) ([]*x509.Certificate, *x509.CertPool){
	"layers that sign each other": func(b testing.TB) ([]*x509.Certificate, *x509.CertPool) {
		return layers(b, authority(b, "Root", nil), 3, 5), trust(authority(b, "Root", nil))
	},
	"many good ways": func(b testing.TB) ([]*x509.Certificate, *x509.CertPool) {
		root := authority(b, "Root", nil)
		return layers(b, root, 3, 5), trust(root)
	},
	"RSA of 8192 bits, of one name": func(b testing.TB) ([]*x509.Certificate, *x509.CertPool) {
		small := rsa1024().(*rsa.PrivateKey)
		var certs []*x509.Certificate
		for i := range MaxChain { // signed by a key of the right kind, and none of these
			c := forge.Cert{
				Issuer: forge.Name("A"), Subject: forge.Name("A"), Key: largeKey(i), NotBefore: forge.Time(now.Add(-day)), NotAfter: forge.Time(now.Add(day)),
				Extensions: []forge.Ext{forge.BasicConstraints(true, -1), forge.KeyUsage(0, 5), forge.SAN(forge.DNS("example.com"))},
				Damage:     func(s []byte) []byte { return append(make([]byte, 1024-len(s)), s...) },
			}
			one, err := x509.ParseCertificate(c.Sign(small))
			if err != nil {
				b.Fatal(err)
			}
			certs = append(certs, one)
		}
		return certs, trust(authority(b, "B", nil))
	},
	"P-521, of one name": func(b testing.TB) ([]*x509.Certificate, *x509.CertPool) {
		var certs []*x509.Certificate
		for range MaxChain {
			own, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
			other, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
			certs = append(certs, sign(b, template("A", []change{isCA, names("example.com")}), own, own.Public(), &party{template("A", nil), other}).Certificate)
		}
		return certs, trust(authority(b, "B", nil))
	},
	"P-384, of one name": func(b testing.TB) ([]*x509.Certificate, *x509.CertPool) {
		var certs []*x509.Certificate
		for range MaxChain {
			own, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
			other, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
			certs = append(certs, sign(b, template("A", []change{isCA, names("example.com")}), own, own.Public(), &party{template("A", nil), other}).Certificate)
		}
		return certs, trust(authority(b, "B", nil))
	},
	"name constraints": func(b testing.TB) ([]*x509.Certificate, *x509.CertPool) {
		return constrainedLayers(b)
	},
}

// constrainedLayers have many ways, each with long lists of constraints against many names.
func constrainedLayers(b testing.TB) ([]*x509.Certificate, *x509.CertPool) {
	var dns, bases []string
	for i := range maxNames - 2 {
		dns = append(dns, fmt.Sprintf("a%d.very.long.name.below.example.com", i))
	}
	for i := range 400 {
		bases = append(bases, fmt.Sprintf("x%d.very.long.name.below.example.com", i))
	}
	root := authority(b, "Root", nil)
	by, certs := root, []*x509.Certificate(nil)
	for i := range 5 {
		key := newKey()
		var next *party
		for range 3 {
			next = sign(b, template(fmt.Sprintf("Layer %d", i), []change{isCA, func(c *x509.Certificate) {
				c.PermittedDNSDomainsCritical, c.ExcludedDNSDomains = true, bases
			}}), key, key.Public(), by)
			certs = append(certs, next.Certificate)
		}
		by = next
	}
	leaf := issue(b, "example.com", by, names(append(dns, "example.com")...))
	return append(chain(leaf), certs...), trust(root)
}

// BenchmarkPathological: each ends within 50 ms of the processor.
func BenchmarkPathological(b *testing.B) {
	for name, make := range pathological {
		certs, roots := make(b)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Verify(context.Background(), certs, Options{Roots: roots, Time: now, Name: "example.com", Anew: true})
			}
		})
	}
}
