package certstore

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/tls"
)

func TestMain(m *testing.M) { leak.Main(m) }

// ca signs certificates, and OCSP responses about them.
type ca struct {
	cert *x509.Certificate
	key  crypto.Signer
}

var serial int64

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newCA(t testing.TB) *ca {
	t.Helper()
	key := newKey(t)
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &ca{parsed, key}
}

// write issues a certificate with this key for these names, and writes its files.
func (a *ca) write(t testing.TB, p Pair, key crypto.Signer, names ...string) *x509.Certificate {
	t.Helper()
	serial++
	c := &x509.Certificate{SerialNumber: big.NewInt(1000 + serial), DNSNames: names, OCSPServer: []string{"http://ocsp.example/"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	put(t, p.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
	put(t, p.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

var written time.Time

// put writes a file, each time with a later date, as a slow clock of a file system may
// not give it.
func put(t testing.TB, name string, content ...[]byte) {
	t.Helper()
	if err := os.WriteFile(name, slices.Concat(content...), 0o600); err != nil {
		t.Fatal(err)
	}
	if written.IsZero() {
		written = time.Now().Add(-time.Minute)
	}
	written = written.Add(time.Second)
	if err := os.Chtimes(name, written, written); err != nil {
		t.Fatal(err)
	}
}

func pairIn(t testing.TB, name string) Pair {
	dir := t.TempDir()
	return Pair{Cert: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key")}
}

// events collects what a store reports.
type events struct {
	mu  sync.Mutex
	all []string
}

func (e *events) report(event Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	text := event.What
	if event.Err != nil {
		text += ": " + event.Err.Error()
	}
	e.all = append(e.all, text)
}

func hello(name string, schemes ...tls.SignatureScheme) *tls.ClientHelloInfo {
	return &tls.ClientHelloInfo{
		ServerName: name, SupportedVersions: []uint16{tls.VersionTLS13}, SignatureSchemes: schemes,
		SupportedCurves: []tls.CurveID{tls.CurveP256}, CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256},
	}
}

func TestChoice(t *testing.T) {
	a := newCA(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	first, second, wild, weak := pairIn(t, "1"), pairIn(t, "2"), pairIn(t, "3"), pairIn(t, "4")
	a.write(t, first, newKey(t), "a.example")
	a.write(t, second, newKey(t), "B.example")
	a.write(t, wild, newKey(t), "*.example")
	a.write(t, weak, rsaKey, "a.example")
	s, err := Open([]Pair{first, second, wild, weak}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name   string
		scheme tls.SignatureScheme
		want   int
	}{
		{"a.example", tls.ECDSAWithP256AndSHA256, 0},
		{"a.example", tls.PSSWithSHA256, 3},
		{"A.EXAMPLE", tls.ECDSAWithP256AndSHA256, 0},
		{"b.example", tls.ECDSAWithP256AndSHA256, 1},
		{"b.example.", tls.ECDSAWithP256AndSHA256, 1},
		{"c.example", tls.ECDSAWithP256AndSHA256, 2},
		{"c.c.example", tls.ECDSAWithP256AndSHA256, 0},
		{"b.example", tls.PSSWithSHA256, 3},
		{"", tls.ECDSAWithP256AndSHA256, 0},
		{"a.example", tls.Ed25519, 0},
	} {
		got, err := s.GetCertificate(hello(tc.name, tc.scheme))
		if want := s.pairs[tc.want].cert; err != nil || got != want {
			t.Errorf("%s with %v: %v, %v; want number %d", tc.name, tc.scheme, got.Leaf.DNSNames, err, tc.want)
		}
	}
}

func TestReload(t *testing.T) {
	a := newCA(t)
	p := pairIn(t, "server")
	oldKey, newerKey := newKey(t), newKey(t)
	first := a.write(t, p, oldKey, "a.example")
	oldFiles := read(t, p)
	var told events
	s, err := Open([]Pair{p}, Options{Report: told.report})
	if err != nil {
		t.Fatal(err)
	}
	serves := func(want *x509.Certificate) {
		t.Helper()
		s.Look(t.Context())
		got, err := s.GetCertificate(hello("a.example", tls.ECDSAWithP256AndSHA256))
		if err != nil || !got.Leaf.Equal(want) {
			t.Errorf("serves %v, %v; want %v", got.Leaf.SerialNumber, err, want.SerialNumber)
		}
	}
	serves(first)
	second := a.write(t, p, newerKey, "a.example")
	newFiles := read(t, p)

	put(t, p.Key, oldFiles[1]) // the certificate is new, its key is not
	serves(first)
	serves(first)
	put(t, p.Cert, newFiles[0][:100])
	serves(first)
	if err := os.Remove(p.Cert); err != nil {
		t.Fatal(err)
	}
	serves(first)
	put(t, p.Cert, newFiles[0])
	put(t, p.Key, newFiles[1])
	serves(second)
	serves(second)
	if len(told.all) != 4 || told.all[3] != "reloaded" {
		t.Errorf("told %q, want three failures once each, and a success", told.all)
	}
}

// A file that is written while the pair is read may be half of the new one: what was read
// does not count, and the next look reads again.
func TestFilesThatChangeWhileTheyAreRead(t *testing.T) {
	a := newCA(t)
	p := pairIn(t, "server")
	key := newKey(t)
	a.write(t, p, key, "a.example")
	var told events
	s, err := Open([]Pair{p}, Options{Report: told.report})
	if err != nil {
		t.Fatal(err)
	}
	second := a.write(t, p, key, "a.example")
	whole := read(t, p)
	put(t, p.Cert, whole[0][:1+bytes.Index(whole[0][1:], []byte("-----BEGIN"))]) // the leaf, and not yet its issuer
	s.pairs[0].load = func(cert, key string) (tls.Certificate, error) {
		got, err := tls.LoadX509KeyPair(cert, key)
		put(t, p.Cert, whole[0])
		s.pairs[0].load = tls.LoadX509KeyPair
		return got, err
	}
	s.Look(t.Context())
	got, _ := s.GetCertificate(hello("a.example", tls.ECDSAWithP256AndSHA256))
	if got.Leaf.Equal(second) || len(got.Certificate) != 2 {
		t.Errorf("half of a file is served: %d certificates", len(got.Certificate))
	}
	s.Look(t.Context())
	got, _ = s.GetCertificate(hello("a.example", tls.ECDSAWithP256AndSHA256))
	if !got.Leaf.Equal(second) || len(got.Certificate) != 2 {
		t.Errorf("the new file is not served: %d certificates", len(got.Certificate))
	}
	if len(told.all) != 2 || !strings.Contains(told.all[0], "being written") || told.all[1] != Reloaded {
		t.Errorf("told %q", told.all)
	}
}

func read(t *testing.T, p Pair) (files [2][]byte) {
	t.Helper()
	for i, name := range []string{p.Cert, p.Key} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = content
	}
	return files
}

func TestOpenRefuses(t *testing.T) {
	a := newCA(t)
	good, mixed := pairIn(t, "good"), pairIn(t, "mixed")
	a.write(t, good, newKey(t), "a.example")
	a.write(t, mixed, newKey(t), "a.example")
	for name, pairs := range map[string][]Pair{
		"none": nil, "no file": {{Cert: "/none", Key: good.Key}}, "of two": {{Cert: good.Cert, Key: mixed.Key}}, "the second": {good, {Cert: good.Key, Key: good.Key}},
	} {
		if _, err := Open(pairs, Options{}); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
}

// responder is a Fetcher with an OCSP responder behind it.
type responder struct {
	*ca
	status int
	lasts  time.Duration
	down   error
	asked  int
}

func (r *responder) Fetch(_ context.Context, q revocation.Request) ([]byte, error) {
	r.asked++
	if r.down != nil {
		return nil, r.down
	}
	request, err := ocsp.ParseRequest(q.Body)
	if err != nil {
		return nil, err
	}
	return ocsp.CreateResponse(r.cert, r.cert, ocsp.Response{
		Status: r.status, SerialNumber: request.SerialNumber, ThisUpdate: clock.Add(-time.Hour), NextUpdate: clock.Add(r.lasts), RevokedAt: clock,
	}, r.key)
}

var clock time.Time

func TestStaples(t *testing.T) {
	clock = time.Now().Truncate(time.Second)
	a := newCA(t)
	p := pairIn(t, "server")
	a.write(t, p, newKey(t), "a.example")
	net := &responder{ca: a, lasts: 10 * time.Hour}
	var told events
	s, err := Open([]Pair{p}, Options{Fetcher: net, Report: told.report, Now: func() time.Time { return clock }})
	if err != nil {
		t.Fatal(err)
	}
	after := func(d time.Duration, what string, stapled bool, asked int) {
		t.Helper()
		clock = clock.Add(d)
		net.asked, told.all = 0, nil
		s.Look(t.Context())
		cert, _ := s.GetCertificate(hello("a.example", tls.ECDSAWithP256AndSHA256))
		if (len(cert.OCSPStaple) > 0) != stapled || net.asked != asked || fmt.Sprint(told.all) != what {
			t.Errorf("after %v: stapled %v, asked %d times, told %v; want %v, %d, %s", d, len(cert.OCSPStaple) > 0, net.asked, told.all, stapled, asked, what)
		}
	}
	after(0, "[stapled]", true, 1)
	after(3*time.Hour, "[]", true, 0) // 40 to 50 % of its time is not over
	after(2*time.Hour, "[stapled]", true, 1)
	net.down = errors.New("down")
	after(5*time.Hour, "[staple failed: down]", true, 1)
	after(30*time.Second, "[]", true, 0)
	after(30*time.Second, "[staple failed: down]", true, 1)
	after(6*time.Hour, "[staple failed: down]", false, 1) // the last good one has ended
	net.down = nil
	after(2*time.Hour, "[stapled]", true, 1)
	net.status = ocsp.Revoked
	after(5*time.Hour, "[revoked: revoked on "+clock.Add(5*time.Hour).UTC().Format(time.DateOnly)+": no reason given (OCSP)]", false, 1)
}

// A certificate that names a responder, and whose issuer does not stand below it, cannot be
// stapled: that is said once, and the certificate serves. One that names none is no failure.
func TestNobodyToAsk(t *testing.T) {
	a := newCA(t)
	p, self := pairIn(t, "server"), pairIn(t, "self")
	a.write(t, p, newKey(t), "a.example")
	files := read(t, p)
	put(t, p.Cert, files[0][:1+bytes.Index(files[0][1:], []byte("-----BEGIN"))])
	key, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		t.Fatal(err)
	}
	put(t, self.Cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
	put(t, self.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	net, told := &responder{ca: a}, events{}
	s, err := Open([]Pair{p, self}, Options{Fetcher: net, Report: told.report})
	if err != nil {
		t.Fatal(err)
	}
	s.Look(t.Context())
	s.Look(t.Context())
	if len(told.all) != 1 || !strings.Contains(told.all[0], "does not follow it in "+p.Cert) || net.asked > 0 {
		t.Errorf("told %q, asked %d times", told.all, net.asked)
	}
}

// A reload under load: every handshake succeeds, and the connections that are there go on.
func TestReloadUnderLoad(t *testing.T) {
	a := newCA(t)
	p := pairIn(t, "server")
	a.write(t, p, newKey(t), "a.example")
	s, err := Open([]Pair{p}, Options{Interval: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { s.Run(ctx) })
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: s.GetCertificate})
	if err != nil {
		t.Fatal(err)
	}
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { io.Copy(c, c); c.Close() })
		}
	})
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	dial := func() (net.Conn, error) {
		return tls.Dial("tcp", l.Addr().String(), &tls.Config{RootCAs: roots, ServerName: "a.example"})
	}
	old, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i := range 100 {
		if i%5 == 0 {
			a.write(t, p, newKey(t), "a.example")
		}
		c, err := dial()
		if err != nil {
			t.Fatalf("dial %d: %v", i, err)
		}
		seen[c.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber.String()] = true
		c.Close()
	}
	if len(seen) < 3 {
		t.Errorf("%d certificates were seen", len(seen))
	}
	if _, err := old.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(old, make([]byte, 1)); err != nil {
		t.Errorf("the first connection: %v", err)
	}
	old.Close()
	l.Close()
	stop()
	all.Wait()
}
