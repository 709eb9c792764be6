package revocation

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

var (
	now  = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	hour = time.Hour
	day  = 24 * time.Hour
)

// pki is a leaf that names a responder and a list, and those that could answer for it.
type pki struct {
	leaf, issuer, other *x509.Certificate // other is a second leaf
	issuerKey           *ecdsa.PrivateKey
	responder           *x509.Certificate // authorized by the issuer
	responderKey        *ecdsa.PrivateKey
}

const (
	ocspURL = "http://ocsp.example/"
	crlURL  = "http://crl.example/i.crl"
)

func newPKI(t testing.TB, change ...func(*forge.Chain)) *pki {
	t.Helper()
	c := forge.NewChain(now)
	c.Leaf.Replace(forge.OCSPAt(ocspURL))
	for _, f := range change {
		f(c)
	}
	other := c.Leaf
	other.Key = forge.Key(9).Public()
	leaf, issuer, _ := c.DER()
	p := &pki{leaf: parsed(t, leaf), issuer: parsed(t, issuer), other: parsed(t, other.Sign(c.IntermediateKey)), issuerKey: c.IntermediateKey, responderKey: forge.Key(10)}
	p.responder = parsed(t, p.delegate(nil).Sign(c.IntermediateKey))
	return p
}

// delegate is the certificate of a responder.
func (p *pki) delegate(change func(*forge.Cert)) forge.Cert {
	c := forge.Cert{
		Issuer: p.issuer.RawSubject, Subject: forge.Name("Responder"), Key: p.responderKey.Public(),
		NotBefore: forge.Time(now.Add(-day)), NotAfter: forge.Time(now.Add(day)),
		Extensions: []forge.Ext{forge.KeyUsage(0), forge.ExtKeyUsage(forge.OCSPSigning)},
	}
	if change != nil {
		change(&c)
	}
	return c
}

func parsed(t testing.TB, der []byte) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (p *pki) id() []byte { return forge.CertID(forge.SHA1, crypto.SHA1, p.leaf, p.issuer) }

// good is a response that every rule lets pass.
func (p *pki) good() forge.Response {
	return forge.Response{ProducedAt: now.Add(-hour), Singles: []forge.Single{
		{CertID: p.id(), Status: forge.Good, This: now.Add(-hour), Next: now.Add(day)},
	}}
}

// list is a list that every rule lets pass, with the leaf on it or not.
func (p *pki) list(entries ...forge.Entry) forge.List {
	return forge.List{
		Issuer: p.issuer.RawSubject, This: now.Add(-hour), Next: now.Add(day), Entries: entries,
		Extensions: []forge.Ext{forge.AuthorityKey(p.issuer.SubjectKeyId), forge.Number(7)},
	}
}

func (p *pki) revokes(reason int) forge.Entry {
	return forge.Entry{Serial: p.leaf.SerialNumber, At: now.Add(-2 * day), Reason: reason}
}

func (p *pki) query(staple []byte) Query {
	return Query{Certificate: p.leaf, Issuer: p.issuer, Staple: staple, Time: now}
}

// network is a Fetcher that has what is at each URL.
type network map[string][]byte

func (n network) Fetch(_ context.Context, r Request) ([]byte, error) {
	if body, ok := n[r.URL]; ok {
		return body, nil
	}
	return nil, errors.New("nobody there")
}
