package certcheck

import (
	"context"
	"crypto/x509"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A remembered chain must be judged anew in all that can change.
func TestRememberedChains(t *testing.T) {
	ca := authority(t, "remembered", nil)
	certs := chain(server(t, ca, usage(x509.ExtKeyUsageServerAuth)))
	o := Options{Roots: trust(ca), Name: "example.com", Time: now}
	if _, err := Verify(context.Background(), certs, o); err != nil {
		t.Fatal(err)
	}
	if proofs.find(certs, withUsages(o)) == nil {
		t.Fatal("a verified chain is not remembered")
	}
	if chains, err := Verify(context.Background(), certs, o); err != nil || len(chains) != 1 {
		t.Fatalf("again: %d chains, %v", len(chains), err)
	}
	name := o
	name.Name = "example.org"
	if _, err := Verify(context.Background(), certs, name); !errors.As(err, new(x509.HostnameError)) {
		t.Errorf("another name: %v", err)
	}
	late := o
	late.Time = certs[0].NotAfter.Add(time.Second)
	if _, err := Verify(context.Background(), certs, late); !errors.As(err, new(x509.CertificateInvalidError)) {
		t.Errorf("after its end: %v", err)
	}
	early := o
	early.Time = certs[0].NotBefore.Add(-time.Second)
	if _, err := Verify(context.Background(), certs, early); !errors.As(err, new(x509.CertificateInvalidError)) {
		t.Errorf("before its start: %v", err)
	}
	roots := o
	roots.Roots = trust(authority(t, "another", nil))
	if _, err := Verify(context.Background(), certs, roots); !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("other roots: %v", err)
	}
	usage := o
	usage.Usages = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}
	if _, err := Verify(context.Background(), certs, usage); err == nil {
		t.Error("another usage was accepted")
	}
}

// A peer that shows many certificates does not make us remember them all.
func TestRememberedChainsAreBounded(t *testing.T) {
	ca := authority(t, "bounded", nil)
	v := verified{byLeaf: map[*x509.Certificate]*proof{}}
	o := Options{Roots: trust(ca), Time: now}
	var last []*x509.Certificate
	for range maxProofs + 10 {
		last = chain(server(t, ca))
		v.keep(last, o, [][]*x509.Certificate{last})
	}
	if len(v.byLeaf) != maxProofs || v.find(last, o) == nil {
		t.Errorf("%d chains are remembered, of at most %d; the last: %v", len(v.byLeaf), maxProofs, v.find(last, o) != nil)
	}
}

// What a constraint on a root says now counts, a minute later at the latest.
func TestRememberedChainsGrowOld(t *testing.T) {
	ca := authority(t, "with a constraint", nil)
	certs := chain(server(t, ca))
	asked, revoked := 0, error(nil)
	pool := x509.NewCertPool()
	pool.AddCertWithConstraint(ca.Certificate, func([]*x509.Certificate) error { asked++; return revoked })
	o := Options{Roots: pool, Name: "example.com", Time: now}
	verify := func(what string, o Options, wantAsked int, refused bool) {
		t.Helper()
		if _, err := Verify(context.Background(), certs, o); (err != nil) != refused {
			t.Errorf("%s: %v", what, err)
		}
		if asked != wantAsked {
			t.Errorf("%s: the constraint was asked %d times, want %d", what, asked, wantAsked)
		}
	}
	anew := o
	anew.Anew = true
	verify("anew, with nothing remembered", anew, 1, false)
	verify("for the first time", o, 2, false)
	verify("remembered", o, 2, false)
	synctest.Test(t, func(t *testing.T) { // whose clock starts in the year 2000
		verify("after the clock was set back", o, 3, false)
		time.Sleep(MaxRemembered - time.Nanosecond)
		verify("almost too old", o, 3, false)
		revoked = errors.New("revoked now")
		verify("anew", anew, 4, true)
		time.Sleep(time.Nanosecond)
		verify("too old", o, 5, true)
	})
}

func withUsages(o Options) Options {
	o.Usages = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return o
}
