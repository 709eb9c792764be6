package certcheck

import (
	"context"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// repeated verifies one chain, to see what is remembered of it.
type repeated struct {
	*testing.T
	certs []*x509.Certificate
}

func (r repeated) search(o Options) (n int, err error) {
	r.Helper()
	s, refused := o.search(r.certs)
	if refused != nil {
		return 0, refused
	}
	for _, w := range s.find(true) {
		n = checked(s)
		s.remember(w.chain)
		return n, nil
	}
	return checked(s), s.explain()
}

// Signatures are checked once; all that can change is judged anew.
func TestRememberedSignatures(t *testing.T) {
	ca := authority(t, "remembered", nil)
	sub := authority(t, "Sub", ca)
	r := repeated{t, chain(server(t, sub, usage(x509.ExtKeyUsageServerAuth)), sub)}
	o := Options{Roots: trust(ca), Name: "example.com", Time: now}
	anew := o
	anew.Anew = true
	for i, tc := range []struct {
		o    Options
		want int // signatures that are checked
	}{{anew, 2}, {anew, 2}, {o, 2}, {o, 0}, {anew, 2}, {o, 0}} {
		if n, err := r.search(tc.o); err != nil || n != tc.want {
			t.Errorf("verification %d: %d signatures were checked, want %d; %v", i, n, tc.want, err)
		}
	}
	for name, tc := range map[string]struct {
		change func(*Options)
		as     func(error) bool
	}{
		"another name":        {func(o *Options) { o.Name = "example.org" }, as[x509.HostnameError]},
		"after its end":       {func(o *Options) { o.Time = r.certs[0].NotAfter.Add(time.Second) }, as[x509.CertificateInvalidError]},
		"before its start":    {func(o *Options) { o.Time = r.certs[0].NotBefore.Add(-time.Second) }, as[x509.CertificateInvalidError]},
		"other roots":         {func(o *Options) { o.Roots = trust(authority(t, "another", nil)) }, as[x509.UnknownAuthorityError]},
		"another of its name": {func(o *Options) { o.Roots = trust(authority(t, "remembered", nil)) }, func(err error) bool { return true }},
		"another usage":       {func(o *Options) { o.Usages = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }, as[x509.CertificateInvalidError]},
	} {
		changed := o
		tc.change(&changed)
		if _, err := Verify(context.Background(), r.certs, changed); err == nil || !tc.as(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What was refused is not remembered, not even the signatures that are right in it: a peer
// could fill the memory with its own.
func TestRefusalsAreNotRemembered(t *testing.T) {
	ca := authority(t, "refused", nil)
	r := repeated{t, chain(server(t, ca), ca)}
	o := Options{Roots: trust(authority(t, "another", nil)), Name: "example.com", Time: now}
	for range 2 {
		if _, err := Verify(context.Background(), r.certs, o); err == nil {
			t.Fatal("accepted")
		}
	}
	o.Roots = trust(ca)
	if n, err := r.search(o); err != nil || n != 1 {
		t.Errorf("%d signatures were checked, want 1; %v", n, err)
	}
}

// A verification of what is remembered waits for nobody who remembers something: all
// handshakes of a server look at the same few.
func TestRememberedTakesNoLock(t *testing.T) {
	ca := authority(t, "Root", nil)
	certs, err := Parse(raw(server(t, ca)))
	o := Options{Roots: trust(ca), Name: "example.com", Time: now}
	if err == nil {
		_, err = Verify(context.Background(), certs, o)
	}
	if err != nil {
		t.Fatal(err)
	}
	for i := range proofs.shards {
		proofs.shards[i].mu.Lock()
		defer proofs.shards[i].mu.Unlock()
	}
	done := make(chan error, 1)
	go func() {
		again, err := Parse([][]byte{certs[0].Raw})
		if err == nil {
			_, err = Verify(context.Background(), again, o)
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("it waits for a lock")
	}
}

// A verification of what is remembered allocates what it returns, and nothing else.
func TestRememberedAllocates(t *testing.T) {
	ca := authority(t, "Root", nil)
	sub := authority(t, "Sub", ca)
	certs, o := chain(server(t, sub), sub), Options{Roots: trust(ca), Name: "example.com", Time: now}
	if n := testing.AllocsPerRun(100, func() { Verify(context.Background(), certs, o) }); n > 3 { // two, and the pool may have been emptied
		t.Errorf("%v allocations", n)
	}
}

// A signature is remembered for the key that made it, and for each bit of the certificate.
func TestRememberedForOneKey(t *testing.T) {
	a, b := authority(t, "A", nil), authority(t, "A", nil)
	leaf := server(t, a)
	r := repeated{t, chain(leaf)}
	if _, err := r.search(Options{Roots: trust(a), Name: "example.com", Time: now}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.search(Options{Roots: trust(b), Name: "example.com", Time: now}); err == nil {
		t.Error("another key of the same name is taken for the one that signed")
	}
	der := append([]byte(nil), leaf.Raw...)
	der[len(der)-1] ^= 1 // of the signature
	if _, err := Verify(context.Background(), chain(reparsed(t, der)), Options{Roots: trust(a), Name: "example.com", Time: now}); err == nil {
		t.Error("another signature on the same certificate is taken for the one that was checked")
	}
}

// A peer that shows many certificates does not make us remember them all.
func TestRememberedSignaturesAreBounded(t *testing.T) {
	p := new(proven)
	issuer := &x509.Certificate{}
	var latest []link
	for i := range 5000 {
		l := link{&x509.Certificate{Raw: []byte{1000: byte(i)}}, issuer}
		if i%100 == 0 {
			l.certificate.Raw = append(make([]byte, 15000), byte(i/100)) // one that needs the room of several
		}
		p.add(l, RFC5280)
		if strictest, ok := p.has(l); !ok || strictest != RFC5280 {
			t.Fatal("what was added last is not there")
		}
		p.add(l, Interoperable) // counts once, and makes it no laxer
		latest = append(latest, l)
	}
	for _, l := range latest[len(latest)-300:] {
		if _, ok := p.has(l); !ok {
			t.Fatal("one of the last 300 has made room for an older one")
		}
	}
	huge := link{&x509.Certificate{Raw: make([]byte, shardBudget)}, issuer}
	p.add(huge, Interoperable)
	if _, ok := p.has(huge); ok {
		t.Error("one certificate takes the place of all others")
	}
	kept, bytes := 0, 0
	for i := range p.shards {
		size := 0
		for l := range p.shards[i].set.Range {
			kept++
			size += l.(link).size()
		}
		if size != p.shards[i].size {
			t.Errorf("shard %d has %d bytes, and counts %d", i, size, p.shards[i].size)
		}
		bytes += size
	}
	if bytes > proofBudget || bytes < proofBudget/2 {
		t.Errorf("%d signatures with %d bytes are remembered, of at most %d", kept, bytes, proofBudget)
	}
}

// What was accepted under a lax profile is looked at again under a stricter one, and after
// that not again.
func TestRememberedForAProfile(t *testing.T) {
	c := forge.NewChain(now)
	c.Leaf.NotAfter = forge.GeneralizedTime(now.Add(day)) // a breach of time-form, from RFC5280 on
	sent, root := chain(reparsed(t, c.Leaf.Sign(c.IntermediateKey)), reparsed(t, c.Intermediate.Sign(c.RootKey))), reparsed(t, c.Root.Sign(c.RootKey))
	for i, tc := range []struct {
		profile Profile
		good    bool
	}{{Interoperable, true}, {RFC5280, false}, {Interoperable, true}, {WebPKI, false}} {
		_, err := Verify(t.Context(), sent, Options{Roots: trust(root), Time: now, Name: "example.com", Profile: tc.profile})
		if (err == nil) != tc.good {
			t.Errorf("verification %d, under %v: %v", i, tc.profile, err)
		}
	}
}

// What was put on a root is asked each time.
func TestConditionsAreAskedEachTime(t *testing.T) {
	ca := authority(t, "with a constraint", nil)
	sub := authority(t, "Sub", ca)
	certs := chain(server(t, sub), sub)
	asked, revoked := 0, error(nil)
	pool := x509.NewCertPool()
	pool.AddCertWithConstraint(ca.Certificate, func(below []*x509.Certificate) error {
		if asked++; len(below) != 2 || below[0] != certs[0] {
			t.Errorf("asked about %d certificates", len(below))
		}
		return revoked
	})
	o := Options{Roots: pool, Name: "example.com", Time: now}
	for i := range 3 {
		if _, err := Verify(context.Background(), certs, o); err != nil || asked != i+1 {
			t.Fatalf("time %d: the constraint was asked %d times; %v", i, asked, err)
		}
	}
	revoked = errors.New("revoked\x1b now")
	_, err := Verify(context.Background(), certs, o)
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Rule == nil || e.Rule.Name != "root-condition" || e.Reason != `what is demanded of the root "with a constraint" refuses the path: "revoked\x1b now"` {
		t.Errorf("refused by the constraint: %v", err)
	}
}
