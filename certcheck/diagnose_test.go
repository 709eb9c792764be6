package certcheck

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A stranger sends authorities of one name, none of which signed another: the
// explanation must not try them all.
func TestExplainingIsCheap(t *testing.T) {
	forged := authority(t, "A", nil)
	certs := chain(server(t, forged))
	for range MaxChain - 1 {
		by := authority(t, "A", nil)
		certs = append(certs, sign(t, template("A", []change{isCA}), newKey(), newKey().Public(), by).Certificate)
	}
	deep, _ := deep(t, MaxChain)
	for name, certs := range map[string][]*x509.Certificate{"one name": certs, "a long chain": deep} {
		checks := 0
		var e Error
		e.untrusted(&links{certs, maxLinks, func(c, parent *x509.Certificate) error {
			checks++
			return c.CheckSignatureFrom(parent)
		}})
		if checks == 0 || checks > maxLinks {
			t.Errorf("%s: %d signatures were checked, at most %d may be", name, checks, maxLinks)
		}
		if e.Alert == 0 || e.Reason == "" || e.Hint == "" {
			t.Errorf("%s: no explanation: %+v", name, e)
		}
	}
}

// The authority that has the key identifier is tried before others of its name, so
// that those do not use up what may be checked.
func TestExplainingFollowsKeyIdentifiers(t *testing.T) {
	real := authority(t, "A", authority(t, "Root", nil))
	certs := chain(server(t, real))
	for range maxLinks + 1 {
		certs = append(certs, authority(t, "A", nil).Certificate)
	}
	certs = append(certs, real.Certificate)
	_, err := Verify(context.Background(), certs, Options{Roots: trust(authority(t, "Other", nil)), Time: now, Name: "example.com"})
	if err == nil || !strings.Contains(err.Error(), `not trusted: "Root"`) {
		t.Errorf("%v, want what the authority of the key identifier leads to", err)
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
