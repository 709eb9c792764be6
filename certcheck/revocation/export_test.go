package revocation

import (
	"crypto"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// What the tests that make connections see of the tables here: they need package tls,
// which imports this one.

// Now is the moment that all of the tables is about.
var Now = now

// The places that the leaf of a Fixture names.
const (
	OCSPURL = ocspURL
	CRLURL  = crlURL
)

// Variant is one answer, and what is to be made of it.
type Variant struct {
	Name   string
	DER    []byte
	Status Status
	Doubt  string // why it says nothing; empty where it does
}

// Fixture is a chain for servers and clients, and all that is ever said of its leaf.
type Fixture struct {
	Leaf, Issuer, Root []byte
	Key                crypto.Signer
	// IssuerStaple and IssuerList say that the issuer is good.
	IssuerStaple     []byte
	IssuerList       *List
	Responses, Lists []Variant
}

// NewFixture makes a chain and every variant for it.
func NewFixture(t testing.TB) *Fixture {
	t.Helper()
	var c *forge.Chain
	p := newPKI(t, func(chain *forge.Chain) {
		c = chain
		c.Leaf.Replace(forge.ExtKeyUsage(forge.ServerAuth, forge.ClientAuth))
		c.Intermediate.Replace(forge.ExtKeyUsage(forge.ServerAuth, forge.ClientAuth))
	})
	root := parsed(t, c.Root.Sign(c.RootKey))
	f := &Fixture{Leaf: p.leaf.Raw, Issuer: p.issuer.Raw, Root: root.Raw, Key: c.LeafKey}
	f.IssuerStaple = forge.Response{ProducedAt: now.Add(-hour), Singles: []forge.Single{
		{CertID: forge.CertID(forge.SHA1, crypto.SHA1, p.issuer, root), Status: forge.Good, This: now.Add(-hour), Next: now.Add(24 * time.Hour)},
	}}.Sign(c.RootKey)
	var err error
	if f.IssuerList, err = ParseCRL(forge.List{Issuer: root.RawSubject, This: now.Add(-hour), Next: now.Add(day),
		Extensions: []forge.Ext{forge.AuthorityKey(root.SubjectKeyId), forge.Number(1)}}.Sign(c.RootKey)); err != nil {
		t.Fatal(err)
	}
	of := func(table []variant) (list []Variant) {
		for _, v := range table {
			list = append(list, Variant{v.name, v.make(p), v.status, v.doubt})
		}
		return list
	}
	f.Responses, f.Lists = of(responses), of(lists)
	return f
}
