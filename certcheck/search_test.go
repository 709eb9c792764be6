package certcheck

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
	"github.com/vitrine-tls/vitrine/wire"
)

// cross issues another certificate for an authority that there is already.
func cross(t testing.TB, p, by *party, changes ...change) *party {
	t.Helper()
	return sign(t, template(p.Subject.CommonName, append([]change{isCA}, changes...)), p.key, p.key.Public(), by)
}

// waysOf describes the chains that Verify returns: the common names, with the serial number
// where one name stands for several certificates.
func waysOf(chains [][]*x509.Certificate) (ways []string) {
	for _, chain := range chains {
		var names []string
		for _, c := range chain {
			names = append(names, c.Subject.CommonName)
		}
		ways = append(ways, strings.Join(names, " < "))
	}
	return ways
}

func TestSearchFindsEveryWay(t *testing.T) {
	old, fresh := authority(t, "Old root", nil), authority(t, "New root", nil)
	sub := authority(t, "Sub", old)
	subAgain := cross(t, sub, fresh)
	freshByOld := cross(t, fresh, old)
	expired := cross(t, sub, old, valid(-60*day, -day))
	client := cross(t, sub, old, usage(x509.ExtKeyUsageClientAuth))
	leaf := server(t, sub)
	a, b := authority(t, "A", nil), authority(t, "B", nil)
	ab, ba := cross(t, a, b), cross(t, b, a)
	aOld := cross(t, a, old)

	for _, tc := range []struct {
		name  string
		certs []*x509.Certificate
		roots []*party
		want  []string
	}{
		{"cross-signed", chain(leaf, sub, subAgain), []*party{old, fresh}, []string{"example.com < Sub < Old root", "example.com < Sub < New root"}},
		{"only one root is trusted", chain(leaf, sub, subAgain), []*party{fresh}, []string{"example.com < Sub < New root"}},
		{"reordered, the other first", chain(leaf, subAgain, sub), []*party{old}, []string{"example.com < Sub < Old root"}},
		{"doubled", chain(leaf, sub, sub, leaf, sub), []*party{old}, []string{"example.com < Sub < Old root"}},
		{"a new root by way of the old", chain(leaf, subAgain, freshByOld), []*party{old}, []string{"example.com < Sub < New root < Old root"}},
		{"a new root and the old", chain(leaf, subAgain, freshByOld), []*party{old, fresh}, []string{"example.com < Sub < New root", "example.com < Sub < New root < Old root"}},
		{"the root was sent too", chain(leaf, sub, old), []*party{old}, []string{"example.com < Sub < Old root"}},
		{"an expired one beside", chain(leaf, expired, sub), []*party{old}, []string{"example.com < Sub < Old root"}},
		{"one for clients beside", chain(leaf, client, sub), []*party{old}, []string{"example.com < Sub < Old root"}},
		{"a trusted intermediate", chain(leaf, sub), []*party{sub, old}, []string{"example.com < Sub", "example.com < Sub < Old root"}},
		{"a loop with an exit", chain(server(t, a), ab, ba, aOld), []*party{old}, []string{"example.com < A < Old root"}},
		{"a trusted leaf", chain(leaf, sub), []*party{leaf, old}, []string{"example.com"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := Options{Roots: trust(tc.roots...), Time: now, Name: "example.com"}
			got, err := Verify(context.Background(), tc.certs, o)
			if ways := waysOf(got); err != nil || !reflect.DeepEqual(ways, tc.want) {
				t.Errorf("%v, %v; want %v", ways, err, tc.want)
			}
			// crypto/x509 may find more, since it does not see that two are the same.
			o.setDefaults()
			s := newSearch(&o, tc.certs)
			if refused := s.ask(); refused != nil || len(s.find(true)) < len(got) {
				t.Errorf("crypto/x509 finds %d ways, %v", len(s.ways), refused)
			}
		})
	}
}

// RFC 5280 §4.2.1.9: an authority that was issued to itself, to change its key, does not
// count for pathLenConstraint. crypto/x509 counts it.
func TestPathLengthDoesNotCountSelfIssued(t *testing.T) {
	root := authority(t, "Root", nil, func(c *x509.Certificate) { c.MaxPathLenZero = true })
	rolled := authority(t, "Root", root) // the same name, a new key
	certs := chain(server(t, rolled), rolled)
	if _, err := Verify(context.Background(), certs, Options{Roots: trust(root), Time: now, Name: "example.com"}); err != nil {
		t.Error(err)
	}
	below := authority(t, "Below", rolled)
	certs = chain(server(t, below), below, rolled)
	_, err := Verify(context.Background(), certs, Options{Roots: trust(root), Time: now, Name: "example.com"})
	if !invalid(x509.TooManyIntermediates)(err) {
		t.Errorf("another authority below: %v", err)
	}
}

// A certificate that is trusted as it is makes nobody an authority.
func TestTrustedLeafIsNoAuthority(t *testing.T) {
	pinned := server(t, nil)
	certs := chain(server(t, pinned), pinned)
	_, err := Verify(context.Background(), certs, Options{Roots: trust(pinned), Time: now, Name: "example.com"})
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Rule == nil || e.Rule.Name != "root-ca-flag" {
		t.Errorf("what a trusted server has signed: %v", err)
	}
}

// Signatures over SHA-1 and MD5 are taken by a named switch alone, and the verdict says so.
func TestLegacySignatures(t *testing.T) {
	for _, tc := range []struct {
		key  crypto.Signer
		hash crypto.Hash
	}{{forge.Key(2), crypto.SHA1}, {rsa1024(), crypto.SHA1}, {rsa1024(), crypto.MD5}} {
		c := forge.NewChain(now)
		c.Intermediate.Key = tc.key.Public()
		c.Leaf.Hash = tc.hash
		leaf := reparsed(t, c.Leaf.Sign(tc.key))
		sub, root := reparsed(t, c.Intermediate.Sign(c.RootKey)), reparsed(t, c.Root.Sign(c.RootKey))
		algorithm := leaf.SignatureAlgorithm
		sent := chain(leaf, sub)
		o := Options{Roots: trust(root), Time: now, Name: "example.com", MinRSABits: MinRSABits}
		if _, err := Verify(t.Context(), sent, o); err == nil {
			t.Errorf("%v is taken", algorithm)
		}
		o.LegacySignatures = true
		if _, err := Verify(t.Context(), sent, o); err != nil {
			t.Errorf("%v by the switch: %v", algorithm, err)
		}
		o.LegacySignatures = false
		if _, err := Verify(t.Context(), sent, o); err == nil {
			t.Errorf("%v is taken once it is remembered", algorithm)
		}
		o.LegacySignatures = true
		v := Judge(t.Context(), sent, o)
		_, warnings := v.Paths[0].Breaches(o.Profile)
		warned := false
		for _, w := range warnings {
			warned = warned || w.Rule.Name == "web-signature" && strings.Contains(w.Breach, "can be forged")
		}
		if v.Refused != nil || !warned {
			t.Errorf("%v: refused %v, warnings %v", algorithm, v.Refused, warnings)
		}
		der := append([]byte(nil), leaf.Raw...)
		der[len(der)-1] ^= 1
		if _, err := Verify(t.Context(), chain(reparsed(t, der), sub), o); err == nil {
			t.Errorf("%v: a wrong signature is taken", algorithm)
		}
	}
}

// Where a pool cannot be opened, crypto/x509 finds the paths, and refuses what it refuses.
func TestPoolsThatStayShut(t *testing.T) {
	poolsOpen = false
	defer func() { poolsOpen = true }()
	root := authority(t, "Root", nil)
	sub := authority(t, "Sub", root)
	narrow := authority(t, "Narrow", root, func(c *x509.Certificate) {
		c.PermittedDNSDomainsCritical, c.PermittedDNSDomains = true, []string{"example.org"}
	})
	direct := authority(t, "Direct", root, func(c *x509.Certificate) { c.MaxPathLenZero = true })
	below := authority(t, "Below", direct)
	weak := sign(t, template("Weak", []change{names("example.com")}), rsa1024(), rsa1024().Public(), root)
	for name, tc := range map[string]struct {
		certs  []*x509.Certificate
		alert  wire.AlertCode // 0: accepted
		reason string
	}{
		"good":           {chain(server(t, sub), sub), 0, ""},
		"another name":   {chain(issue(t, "x", root, names("example.org"))), wire.AlertBadCertificate, "not for"},
		"expired":        {chain(server(t, root, valid(-60*day, -3*day))), wire.AlertCertificateExpired, "expired 3 days ago"},
		"unknown":        {chain(server(t, authority(t, "Other", nil))), wire.AlertUnknownCA, `not trusted: "Other"`},
		"purpose":        {chain(server(t, root, usage(x509.ExtKeyUsageClientAuth))), wire.AlertUnsupportedCertificate, "not meant for this use"},
		"constraints":    {chain(server(t, narrow), narrow), wire.AlertBadCertificate, "not allowed to certify"},
		"path length":    {chain(server(t, below), below, direct), wire.AlertBadCertificate, "may have at most 0 authorities"},
		"our own rule":   {chain(weak), wire.AlertUnsupportedCertificate, "1024 bits"},
		"a wrong one":    {chain(server(t, authority(t, "Sub", nil)), sub), wire.AlertBadCertificate, "is wrong"},
		"a critical one": {chain(server(t, root, criticalUnknown)), wire.AlertUnsupportedCertificate, "critical extension"},
	} {
		_, err := Verify(context.Background(), tc.certs, Options{Roots: trust(root), Time: now, Name: "example.com"})
		e, _ := errors.AsType[*Error](err)
		if tc.alert == 0 && err != nil || tc.alert != 0 && (e == nil || e.Alert != tc.alert || !strings.Contains(e.Reason, tc.reason)) {
			t.Errorf("%s: %v, want %v: %s", name, err, tc.alert, tc.reason)
		}
		v := Judge(context.Background(), tc.certs, Options{Roots: trust(root), Time: now, Name: "example.com"})
		if (v.Refused == nil) != (err == nil) {
			t.Errorf("%s: Judge says %v", name, v.Refused)
		}
	}
}

// The fields of crypto/x509's pools are those that are read, and other types are not taken
// for them.
func TestPoolsOpen(t *testing.T) {
	if !poolsOpen {
		t.Fatal("this Go keeps x509.CertPool's certificates in another way: see pool.go")
	}
	for _, other := range []any{
		struct{ byName map[string][]int }{},
		struct {
			byName     map[string][]int
			lazyCerts  []pooled
			haveSum    map[[32]byte]bool
			systemPool bool
		}{},
		struct {
			byName     map[string][]int
			certs      []pooled
			haveSum    map[[28]byte]bool
			systemPool bool
		}{},
		struct {
			byName     map[string][]int
			lazyCerts  []func() (*x509.Certificate, error)
			haveSum    map[[28]byte]bool
			systemPool bool
		}{},
	} {
		if sameLayout(reflect.TypeOf(other), reflect.TypeFor[poolFields]()) {
			t.Errorf("%T is taken for a pool", other)
		}
	}
}

// Pools that were filled from PEM, copied, or are the system's, are searched too.
func TestPoolsOfEveryKind(t *testing.T) {
	root := authority(t, "Root", nil)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})
	fromPEM := x509.NewCertPool()
	fromPEM.AppendCertsFromPEM(text)
	for name, pool := range map[string]*x509.CertPool{"PEM": fromPEM, "a copy": fromPEM.Clone()} {
		if chains, err := Verify(context.Background(), chain(server(t, root)), Options{Roots: pool, Time: now, Name: "example.com"}); err != nil || len(chains) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if os.Getenv("SSL_CERT_FILE") == "" && systemPool() != nil {
		a, ok := open(nil)
		if ok && len(a.list) > 0 && a.list[0].getCert == nil {
			t.Error("the system's authorities cannot be read")
		}
	}
	if _, err := os.Stat(filepath.Join("/etc/ssl/certs", "ca-certificates.crt")); err == nil {
		if a, ok := open(nil); !ok || len(a.list) == 0 {
			t.Error("the system's authorities are not found")
		}
	}
}

// A certificate that was made by hand has no bytes to check a signature of.
func TestCertificatesMadeByHand(t *testing.T) {
	root := authority(t, "Root", nil)
	byHand := *server(t, root).Certificate
	byHand.Raw = nil
	for _, c := range []*x509.Certificate{&byHand, nil} {
		if _, err := Verify(context.Background(), []*x509.Certificate{c}, Options{Roots: trust(root), Time: now, Name: "example.com"}); err == nil {
			t.Error("accepted")
		}
	}
}

// layers are authorities of a few names, each signed by each of the next name: the ways are
// as many as the product.
func layers(t testing.TB, root *party, wide, deep int) []*x509.Certificate {
	t.Helper()
	by := []*party{root}
	var certs []*x509.Certificate
	for i := range deep {
		key := newKey()
		var next []*party
		for range wide {
			next = append(next, sign(t, template(fmt.Sprintf("Layer %d", i), []change{isCA}), key, key.Public(), by[0]))
		}
		by = next
		certs = append(certs, chain(next...)...)
	}
	return append(chain(server(t, by[0])), certs...)
}

// What a stranger sends costs a bounded number of signatures, of paths and of comparisons.
func TestBudgets(t *testing.T) {
	root := authority(t, "Root", nil)
	certs := layers(t, root, 3, 5)
	for name, roots := range map[string]*x509.CertPool{"good": trust(root), "bad": trust(authority(t, "Root", nil))} {
		o := Options{Roots: roots, Time: now, Name: "example.com"}
		s, _ := o.search(certs)
		ways := s.find(true)
		if name == "good" && len(ways) != MaxPaths || name == "bad" && len(ways) != 0 || checked(s) > MaxSignatures {
			t.Errorf("%s: %d ways, and %d signatures were checked", name, len(ways), checked(s))
		}
		if name == "bad" {
			if e := s.explain(); e == nil || checked(s) > MaxSignatures {
				t.Errorf("%v, and %d signatures were checked", e, checked(s))
			}
		}
	}
	// All of one name: every pair may be a link.
	root = authority(t, "A", nil)
	certs = chain(issue(t, "A", root, names("example.com")))
	for range MaxChain - 1 {
		certs = append(certs, authority(t, "A", authority(t, "A", nil)).Certificate)
	}
	var many []*party
	for range 200 {
		many = append(many, authority(t, "A", nil))
	}
	o := Options{Roots: trust(many...), Time: now, Name: "example.com"}
	s, _ := o.search(certs)
	ways := s.find(true)
	e := s.explain()
	if len(ways) != 0 || !s.spent || s.left < 0 || e.Alert != wire.AlertBadCertificate || !strings.Contains(e.Reason, "more work than they are worth") {
		t.Errorf("%d ways, %d signatures may be checked yet: %v", len(ways), s.left, e)
	}
}

// Chains that are made to cost as much as they can cost a bounded number of signatures,
// counted by what each takes; BenchmarkPathological has the time.
func TestPathologicalChains(t *testing.T) {
	for name, make := range pathological {
		certs, roots := make(t)
		o := Options{Roots: roots, Time: now, Name: "example.com", Anew: true}
		s, _ := o.search(certs)
		if ways := s.find(true); len(ways) > 0 {
			if name != "many good ways" {
				t.Errorf("%s: accepted", name)
			}
			continue
		}
		if e := s.explain(); e == nil || e.Reason == "" || e.Hint == "" {
			t.Errorf("%s: %v", name, e)
		}
		spent := 0
		for _, l := range s.links {
			spent += price(l.issuer)
		}
		if spent != MaxSignatures-s.left || spent > MaxSignatures || spent == 0 {
			t.Errorf("%s: signatures for %d were checked, of at most %d, and %d are left", name, spent, MaxSignatures, s.left)
		}
		if slow := len(s.links); strings.HasPrefix(name, "RSA") && slow > 20 || strings.HasPrefix(name, "P-521") && slow > 10 {
			t.Errorf("%s: %d signatures were checked", name, slow)
		}
		if name == "name constraints" && s.path.left >= 0 {
			t.Errorf("%s: %d comparisons are left", name, s.path.left)
		}
	}
}
