package forge

import (
	"crypto/ecdsa"
	"time"
)

// Chain is a leaf, an intermediate and a root, every one of which every rule of every
// profile lets pass, until it is changed. Names are left to the caller to change.
type Chain struct {
	Leaf, Intermediate, Root          Cert
	LeafKey, IntermediateKey, RootKey *ecdsa.PrivateKey
}

// NewChain returns a chain for example.com and www.example.com that is valid 30 days
// before and after a moment.
func NewChain(now time.Time) *Chain {
	c := &Chain{LeafKey: Key(1), IntermediateKey: Key(2), RootKey: Key(3)}
	from, to := Time(now.AddDate(0, 0, -30)), Time(now.AddDate(0, 0, 30))
	root, intermediate := name("Root"), name("Intermediate")
	rootID, intermediateID := KeyID(c.RootKey.Public()), KeyID(c.IntermediateKey.Public())
	c.Root = Cert{
		Issuer: root, Subject: root, NotBefore: from, NotAfter: to, Key: c.RootKey.Public(),
		Extensions: []Ext{BasicConstraints(true, -1), KeyUsage(5, 6), SubjectKey(rootID)},
	}
	c.Intermediate = Cert{
		Issuer: root, Subject: intermediate, NotBefore: from, NotAfter: to, Key: c.IntermediateKey.Public(),
		Extensions: []Ext{BasicConstraints(true, 0), KeyUsage(5, 6), ExtKeyUsage(ServerAuth), SubjectKey(intermediateID),
			AuthorityKey(rootID), Policies(domainValidated), CRLAt("http://crl.example/root.crl"), issuerAt("http://crt.example/root.crt")},
	}
	c.Leaf = Cert{
		Issuer: intermediate, Subject: Name("example.com"), NotBefore: from, NotAfter: to, Key: c.LeafKey.Public(),
		Extensions: []Ext{KeyUsage(0), ExtKeyUsage(ServerAuth), SAN(DNS("example.com"), DNS("www.example.com")),
			AuthorityKey(intermediateID), Policies(domainValidated), CRLAt("http://crl.example/i.crl"), issuerAt("http://crt.example/i.crt")},
	}
	return c
}

// domainValidated is the policy of the CA/Browser Forum's baseline requirements.
var domainValidated = []int{2, 23, 140, 1, 2, 1}

// name has the attributes that the baseline requirements demand of an authority.
func name(common string) []byte {
	one := func(attribute []int, value string, tag uint8) []byte {
		return set(Sequence(OID(attribute...), text(tag, value)))
	}
	return Sequence(one([]int{2, 5, 4, 6}, "CH", 0x13), one([]int{2, 5, 4, 10}, "Example", 0x0c), one([]int{2, 5, 4, 3}, common, 0x0c))
}

// DER signs the chain and returns leaf, intermediate and root.
func (c *Chain) DER() (leaf, intermediate, root []byte) {
	return c.Leaf.Sign(c.IntermediateKey), c.Intermediate.Sign(c.RootKey), c.Root.Sign(c.RootKey)
}

// Replace puts e in the place of the extension of its kind, or at the end.
func (c *Cert) Replace(e Ext) {
	for i := range c.Extensions {
		if c.Extensions[i].ID.Equal(e.ID) {
			c.Extensions[i] = e
			return
		}
	}
	c.Extensions = append(c.Extensions, e)
}

// Remove leaves out the extensions of a kind.
func (c *Cert) Remove(id []int) {
	kept := c.Extensions[:0]
	for _, e := range c.Extensions {
		if !e.ID.Equal(id) {
			kept = append(kept, e)
		}
	}
	c.Extensions = kept
}
