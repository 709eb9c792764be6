package certcheck

import (
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A stranger sends authorities of one name, none of which signed another, and many that did:
// neither the search nor the explanation tries them all.
func TestExplainingIsCheap(t *testing.T) {
	forged := authority(t, "A", nil)
	certs := chain(server(t, forged))
	for range MaxChain - 1 {
		by := authority(t, "A", nil)
		certs = append(certs, sign(t, template("A", []change{isCA}), newKey(), newKey().Public(), by).Certificate)
	}
	deep, _ := deep(t, MaxChain)
	for name, certs := range map[string][]*x509.Certificate{"one name": certs, "a long chain": deep} {
		o := Options{Roots: trust(authority(t, "A", nil), authority(t, "A", nil)), Time: now, Name: "example.com"}
		s, refused := o.search(certs)
		if refused != nil || len(s.find(true)) > 0 {
			t.Fatalf("%s: %v", name, refused)
		}
		e := s.explain()
		if n := checked(s); n == 0 || n > MaxSignatures {
			t.Errorf("%s: %d signatures were checked, at most %d may be", name, n, MaxSignatures)
		}
		if e.Alert == 0 || e.Reason == "" || e.Hint == "" {
			t.Errorf("%s: no explanation: %+v", name, e)
		}
	}
}

// checked is how many signatures a search has verified, of keys that count once.
func checked(s *search) int { return MaxSignatures - s.left }

// The authority that has the key identifier is tried before others of its name, so
// that those do not use up what may be checked.
func TestSearchFollowsKeyIdentifiers(t *testing.T) {
	root := authority(t, "Root", nil)
	real := authority(t, "A", root)
	certs := chain(server(t, real))
	for range 10 {
		certs = append(certs, authority(t, "A", nil).Certificate)
	}
	o := Options{Roots: trust(root), Time: now, Name: "example.com"}
	s, _ := o.search(append(certs, real.Certificate))
	if ways := s.find(true); len(ways) != 1 || checked(s) != 2+10 {
		t.Errorf("%d ways, and %d signatures were checked, want 1 and 12", len(ways), checked(s))
	}
	if first := s.links[0]; first.issuer != real.Certificate || first.err != nil {
		t.Errorf("first %v was tried", first.issuer.Subject)
	}
}

// A large public exponent makes each check of a signature slow.
func TestParseExponents(t *testing.T) {
	root := authority(t, "Root", nil)
	n := rsa1024().Public().(*rsa.PublicKey).N
	for e, good := range map[int]bool{3: true, MaxRSAExponent: true, MaxRSAExponent + 2: false, 1<<31 - 1: false} {
		_, err := Parse(raw(sign(t, template("key", nil), nil, &rsa.PublicKey{N: n, E: e}, root)))
		if good && err != nil {
			t.Errorf("exponent %d: %v", e, err)
		}
		var refused *Error
		if !good && (!errors.As(err, &refused) || refused.Alert != wire.AlertUnsupportedCertificate || !strings.Contains(refused.Reason, "has the exponent")) {
			t.Errorf("exponent %d: %v", e, err)
		}
	}
}
