package differ

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// moment is when every chain is judged.
var moment = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// place is one of the certificates of a chain.
type place int

const (
	leaf place = iota
	middle
	root
)

var placeNames = [...]string{"leaf", "intermediate", "root"}

func (p place) String() string { return placeNames[p] }

// specimen is a good chain that deviations change before it is signed.
type specimen struct {
	*forge.Chain
	keys    [3]crypto.Signer
	signers [3]crypto.Signer // of each certificate, where it is not the key of the one above
	damage  [3]func([]byte) []byte
	name    string
	// hand changes what is handed over, after everything is signed.
	hand []func(*handover)
}

// handover is what a verifier gets.
type handover struct {
	leaf          []byte
	others, roots [][]byte
	name          string
}

func newSpecimen() *specimen {
	c := forge.NewChain(moment)
	return &specimen{Chain: c, keys: [3]crypto.Signer{c.LeafKey, c.IntermediateKey, c.RootKey}, name: "example.com"}
}

func (s *specimen) cert(p place) *forge.Cert {
	return [...]*forge.Cert{&s.Leaf, &s.Intermediate, &s.Root}[p]
}

// signer is the key that signs the certificate at p.
func (s *specimen) signer(p place) crypto.Signer {
	if s.signers[p] != nil {
		return s.signers[p]
	}
	return s.keys[min(p+1, root)]
}

// setKey gives the certificate at p another key, and has the identifiers follow.
func (s *specimen) setKey(p place, key crypto.Signer) {
	s.keys[p] = key
	s.cert(p).Key = key.Public()
	id := forge.KeyID(key.Public())
	if p == leaf {
		return
	}
	s.cert(p).Replace(forge.SubjectKey(id))
	s.cert(p - 1).Replace(forge.AuthorityKey(id))
}

// der signs the certificate at p.
func (s *specimen) der(p place) []byte {
	der := s.cert(p).Sign(s.signer(p))
	if s.damage[p] != nil {
		der = s.damage[p](der)
	}
	return der
}

func (s *specimen) make() *handover {
	h := &handover{leaf: s.der(leaf), others: [][]byte{s.der(middle)}, roots: [][]byte{s.der(root)}, name: s.name}
	for _, f := range s.hand {
		f(h)
	}
	return h
}

func (s *specimen) then(f func(*handover)) { s.hand = append(s.hand, f) }

// lengthen puts n authorities between the root and the intermediate. change, unless nil,
// alters each; they are numbered from the intermediate up.
func (s *specimen) lengthen(n int, change func(i int, c *forge.Cert)) {
	above := func(i int) (name []byte, key crypto.Signer) {
		if i == n {
			return s.Root.Subject, s.keys[root]
		}
		return forge.Name(fmt.Sprint("Link ", i)), forge.Key(100 + i)
	}
	issuer, signer := above(0)
	s.Intermediate.Issuer, s.signers[middle] = issuer, signer
	s.Intermediate.Replace(forge.AuthorityKey(forge.KeyID(signer.Public())))
	s.then(func(h *handover) {
		for i := range n {
			subject, key := above(i)
			issuer, signer := above(i + 1)
			c := authority(subject, issuer, key, signer)
			if change != nil {
				change(i, &c)
			}
			h.others = append(h.others, c.Sign(signer))
		}
	})
}

// authority is the content of a good authority's certificate.
func authority(subject, issuer []byte, key, signer crypto.Signer) forge.Cert {
	return forge.Cert{
		Subject: subject, Issuer: issuer, Key: key.Public(), NotBefore: forge.Time(moment.Add(-30 * day)), NotAfter: forge.Time(moment.Add(30 * day)),
		Extensions: []forge.Ext{forge.BasicConstraints(true, -1), forge.KeyUsage(5, 6), forge.SubjectKey(forge.KeyID(key.Public())),
			forge.AuthorityKey(forge.KeyID(signer.Public()))},
	}
}

// rsaKey returns a key of so many bits, made once.
func rsaKey(bits int) *rsa.PrivateKey {
	rsaMu.Lock()
	defer rsaMu.Unlock()
	if rsaKeys[bits] == nil {
		key, err := rsa.GenerateKey(nil, bits)
		if err != nil {
			panic(err)
		}
		rsaKeys[bits] = key
	}
	return rsaKeys[bits]
}

var (
	rsaMu   sync.Mutex
	rsaKeys = map[int]*rsa.PrivateKey{}
)

// cross returns the intermediate's certificate as another root issued it.
func (s *specimen) cross(rootName string, rootKey *ecdsa.PrivateKey, change func(*forge.Cert)) []byte {
	c := s.Intermediate
	c.Extensions = slices.Clone(c.Extensions)
	c.Issuer = forge.Name(rootName)
	c.Replace(forge.AuthorityKey(forge.KeyID(rootKey.Public())))
	if change != nil {
		change(&c)
	}
	return c.Sign(rootKey)
}
