package revocation

import (
	"crypto/x509"
	"math/big"
	"testing"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/otherkeys"
)

// A response signed by an ML-DSA key is taken from a responder that the issuer has named, and
// refused where its signature is damaged, or is said to be one of another set.
func TestOCSPByMLDSA(t *testing.T) {
	p := newPKI(t)
	for set := otherkeys.MLDSA44; set <= otherkeys.MLDSA87; set++ {
		key := otherkeys.NewMLDSAKey(set, make([]byte, otherkeys.MLDSASeedSize))
		template := &x509.Certificate{
			SerialNumber: big.NewInt(77), Subject: p.responder.Subject, NotBefore: now.Add(-day), NotAfter: now.Add(day),
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		}
		der, err := devca.Certify(template, p.issuer, key, p.issuerKey)
		if err != nil {
			t.Fatal(err)
		}
		responder := parsed(t, der)
		for name, test := range map[string]struct {
			change func(*forge.Response)
			want   Status
		}{
			"as it is":              {func(*forge.Response) {}, Good},
			"damaged":               {func(r *forge.Response) { r.Damage = flipped }, Unknown},
			"said to be of another": {func(r *forge.Response) { r.Algorithm = (otherkeys.MLDSA44 + (set-otherkeys.MLDSA44+1)%3).Algorithm() }, Unknown},
			"without a certificate": {func(r *forge.Response) { r.Certs = nil }, Unknown},
		} {
			r := p.good()
			r.Responder, r.Certs, r.Algorithm = forge.ByName(responder.RawSubject), [][]byte{der}, set.Algorithm()
			test.change(&r)
			if a := (&Checker{Mode: Soft}).Check(t.Context(), p.query(r.Sign(key))); a.Status != test.want {
				t.Errorf("%v, %s: %v, with doubts %v", set, name, a.Status, a.Doubts)
			}
		}
	}
}
