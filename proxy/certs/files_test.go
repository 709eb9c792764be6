package certs

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/certstore"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

func TestMain(m *testing.M) { leak.Main(m) }

func newKey(t testing.TB, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	if kind == "rsa" {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var serial int64

// selfSigned makes a certificate for names.
func selfSigned(t testing.TB, key crypto.Signer, names ...string) *x509.Certificate {
	t.Helper()
	serial++
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCRLSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), SubjectKeyId: []byte{1}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func certPEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

func keyPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// replace puts a file in the place of another at once.
func replace(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

// write makes files with a new certificate, key in the same file.
func write(t testing.TB, file, kind string, names ...string) *x509.Certificate {
	t.Helper()
	key := newKey(t, kind)
	cert := selfSigned(t, key, names...)
	replace(t, file, slices.Concat(certPEM(cert), keyPEM(t, key)))
	return cert
}

func hello(name string, schemes ...tls.SignatureScheme) *tls.ClientHelloInfo {
	if schemes == nil {
		schemes = []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256, tls.PSSWithSHA256}
	}
	return &tls.ClientHelloInfo{ServerName: name, SupportedVersions: []uint16{tls.VersionTLS13}, SignatureSchemes: schemes,
		SupportedCurves: []tls.CurveID{tls.CurveP256}, CipherSuites: []uint16{tls.TLS_AES_128_GCM_SHA256}}
}

// told collects events.
type told struct {
	mutex sync.Mutex
	all   []event.Certificate
	came  chan struct{}
}

func newTold() *told { return &told{came: make(chan struct{}, 1000)} }

func (s *told) report(e event.Certificate) {
	s.mutex.Lock()
	s.all = append(s.all, e)
	s.mutex.Unlock()
	s.came <- struct{}{}
}

// wait waits for the next event of a kind.
func (s *told) wait(t testing.TB, what string) event.Certificate {
	t.Helper()
	for seen, limit := 0, time.After(time.Minute); ; {
		s.mutex.Lock()
		for ; seen < len(s.all); seen++ {
			if e := s.all[seen]; e.What == what {
				s.all = s.all[seen+1:]
				s.mutex.Unlock()
				return e
			}
		}
		s.mutex.Unlock()
		select {
		case <-s.came:
		case <-limit:
			s.mutex.Lock()
			defer s.mutex.Unlock()
			t.Fatalf("nothing was %s: %+v", what, s.all)
		}
	}
}

func leafOf(t testing.TB, s *Source, info *tls.ClientHelloInfo) *x509.Certificate {
	t.Helper()
	cert, err := s.GetCertificate(info)
	if err != nil {
		t.Fatal(err)
	}
	return cert.Leaf
}

func TestChoice(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	first := write(t, file("1"), "ecdsa", "a.example")
	same := write(t, file("2"), "rsa", "a.example", "b.example")
	wild := write(t, file("3"), "ecdsa", "*.c.example")
	own := write(t, file("4"), "ecdsa", "x.c.example")
	dev, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), []config.Certificate{{Cert: file("1")}, {Cert: file("2"), Key: file("2")}, {Cert: file("3")}, {Cert: file("4")}, {Development: []string{"dev.test"}}},
		Options{Development: func(names []string) (tls.Certificate, error) { return dev.Issue(devca.Leaf{Names: names}) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, test := range []struct {
		name string
		info *tls.ClientHelloInfo
		want *x509.Certificate
	}{
		{"ECDSA", hello("a.example"), first}, {"RSA alone", hello("a.example", tls.PSSWithSHA256), same}, {"case", hello("A.Example."), first},
		{"second name", hello("b.example"), same}, {"wildcard", hello("y.c.example"), wild}, {"not two labels", hello("z.y.c.example"), first},
		{"own before wildcard", hello("x.c.example"), own}, {"no name", hello(""), first}, {"another", hello("other.example"), first},
	} {
		if got := leafOf(t, s, test.info); !got.Equal(test.want) {
			t.Errorf("%s: %v", test.name, got.DNSNames)
		}
	}
	if got := leafOf(t, s, hello("dev.test")); !slices.Contains(got.DNSNames, "dev.test") {
		t.Errorf("the development authority's is %v", got.DNSNames)
	}
	if p := s.NextProtos(); p != nil {
		t.Errorf("%v without ACME", p)
	}
	if c, err := s.GetConfigForClient(hello("a.example")); c != nil || err != nil {
		t.Errorf("a config of its own for everybody: %v", err)
	}
}

// A change reaches handshakes because the system tells of it: the interval is an hour.
func TestFilesThatChange(t *testing.T) {
	dir := t.TempDir()
	// As in a folder that Kubernetes mounts: the file is a link through a link.
	if err := os.MkdirAll(filepath.Join(dir, "v1"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "v1", "tls.pem"), "ecdsa", "a.example")
	link := func(old, name string) {
		t.Helper()
		if err := os.Symlink(old, filepath.Join(dir, name+".new")); err != nil {
			t.Skip(err)
		}
		if err := os.Rename(filepath.Join(dir, name+".new"), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("v1", "data")
	link(filepath.Join("data", "tls.pem"), "tls.pem")
	plain := filepath.Join(dir, "plain.pem")
	write(t, plain, "ecdsa", "b.example")
	news := newTold()
	s, err := Open(t.Context(), []config.Certificate{{Cert: filepath.Join(dir, "tls.pem")}, {Cert: plain}}, Options{Report: news.report, Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	go s.Run(t.Context())
	for _, want := range []string{filepath.Join(dir, "tls.pem"), plain} { // the same name as later ones have
		if e := news.wait(t, Loaded); e.Source != want {
			t.Errorf("%+v", e)
		}
	}

	second := write(t, plain, "ecdsa", "b.example")
	if e := news.wait(t, certstore.Reloaded); e.Source != plain || !leafOf(t, s, hello("b.example")).Equal(second) {
		t.Errorf("%+v", e)
	}
	if err := os.MkdirAll(filepath.Join(dir, "v2"), 0o700); err != nil {
		t.Fatal(err)
	}
	third := write(t, filepath.Join(dir, "v2", "tls.pem"), "ecdsa", "a.example")
	link("v2", "data")
	if e := news.wait(t, certstore.Reloaded); !leafOf(t, s, hello("a.example")).Equal(third) {
		t.Errorf("%+v", e)
	}
	replace(t, plain, []byte("nonsense"))
	if e := news.wait(t, certstore.ReloadFailed); e.Err == nil || !leafOf(t, s, hello("b.example")).Equal(second) {
		t.Errorf("%+v", e)
	}
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), plain) {
		t.Errorf("SIGHUP with a bad file: %v", err)
	}
	// SIGHUP reads what looks as before.
	info, err := os.Stat(plain)
	if err != nil {
		t.Fatal(err)
	}
	s.watch.close()
	s.watch = nil
	fourth := write(t, plain, "ecdsa", "b.example")
	if err := os.Chtimes(plain, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(); err != nil || !leafOf(t, s, hello("b.example")).Equal(fourth) {
		t.Errorf("SIGHUP: %v", err)
	}
}

func TestPKCS12(t *testing.T) {
	dir := t.TempDir()
	file, password := filepath.Join(dir, "cert.p12"), filepath.Join(dir, "password")
	make := func(key crypto.Signer, cert *x509.Certificate, secret string) {
		t.Helper()
		der, err := pkcs12.Modern.Encode(key, cert, []*x509.Certificate{selfSigned(t, newKey(t, "ecdsa"), "above.example")}, secret)
		if err != nil {
			t.Fatal(err)
		}
		replace(t, file, der)
		replace(t, password, []byte(secret+"\r\nmore\n"))
	}
	key := newKey(t, "ecdsa")
	cert := selfSigned(t, key, "a.example")
	make(key, cert, "geheim")
	news := newTold()
	s, err := Open(t.Context(), []config.Certificate{{PKCS12: file, PasswordFile: password}}, Options{Report: news.report, Interval: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, _ := s.GetCertificate(hello("a.example")); !got.Leaf.Equal(cert) || len(got.Certificate) != 2 {
		t.Errorf("%d certificates", len(got.Certificate))
	}
	next := selfSigned(t, key, "a.example")
	make(key, next, "anders")
	if err := s.Reload(); err != nil || !leafOf(t, s, hello("a.example")).Equal(next) {
		t.Errorf("renewed: %v", err)
	}
	replace(t, password, []byte("falsch"))
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "password does not open it") || strings.Contains(err.Error(), "falsch") {
		t.Errorf("wrong password: %v", err)
	}
	make(newKey(t, "ecdsa"), next, "x")
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "does not belong") {
		t.Errorf("another's key: %v", err)
	}
	replace(t, file, []byte("no"))
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "not PKCS#12") {
		t.Errorf("nonsense: %v", err)
	}
	if got := leafOf(t, s, hello("a.example")); !got.Equal(next) {
		t.Error("the one from before does not serve on")
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "cert.pem")
	write(t, file, "ecdsa", "a.example")
	acme := func(edit func(*config.ACME)) config.Certificate {
		c := &config.ACME{Names: []string{"a.example"}, Storage: dir, AgreeToS: true}
		edit(c)
		return config.Certificate{ACME: c}
	}
	for want, list := range map[string][]config.Certificate{
		"no certificate is given":                        nil,
		"give one of":                                    {{}},
		"certificates[1]: give":                          {{Cert: file}, {Cert: file, PKCS12: file}},
		"give one of cert, pkcs12, acme and development": {{Cert: file, ACME: &config.ACME{}}},
		"no such file":                                   {{Cert: filepath.Join(dir, "none.pem")}},
		"development authority":                          {{Development: []string{"a.test"}}},
		"not PKCS#12":                                    {{PKCS12: file}},
		"acme.names: there is no":                        {acme(func(c *config.ACME) { c.Names = nil })},
		"acme.storage":                                   {acme(func(c *config.ACME) { c.Storage = "" })},
		"acme.agree-terms":                               {acme(func(c *config.ACME) { c.AgreeToS = false })},
		"acme.challenge: \"dns\"":                        {acme(func(c *config.ACME) { c.Challenge = "dns" })},
		"acme.directory":                                 {acme(func(c *config.ACME) { c.Directory = "http://ca.example/" })},
		"acme.names: \"*.example\"":                      {acme(func(c *config.ACME) { c.Names = []string{"*.example"} })},
		"acme.names: \"a b\"":                            {acme(func(c *config.ACME) { c.Names = []string{"a b"} })},
		"is an address":                                  {acme(func(c *config.ACME) { c.Names = []string{"192.0.2.1"} })},
		"acme.ca":                                        {acme(func(c *config.ACME) { c.CA = filepath.Join(dir, "none.pem") })},
		"acme.http-listen":                               {acme(func(c *config.ACME) { c.Challenge, c.HTTPListen = "http-01", "192.0.2.1:80" })},
	} {
		s, err := Open(t.Context(), list, Options{})
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

// A list that is renewed counts from then on, and one that is spoiled leaves the old one.
func TestLists(t *testing.T) {
	key := newKey(t, "ecdsa")
	issuer := selfSigned(t, key, "ca.example")
	issuer.SubjectKeyId = []byte{1}
	file := filepath.Join(t.TempDir(), "clients.crl")
	number := int64(0)
	revoke := func(serials ...int64) {
		t.Helper()
		number++
		list := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour)}
		for _, s := range serials {
			list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(s), RevocationTime: time.Now().Add(-time.Minute)})
		}
		der, err := x509.CreateRevocationList(rand.Reader, list, issuer, key)
		if err != nil {
			t.Fatal(err)
		}
		replace(t, file, der)
	}
	revoke()
	var failed []error
	l, err := OpenLists([]string{file}, func(name string, err error) { failed = append(failed, err) })
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	l.now = func() time.Time { return now }
	checker := &revocation.Checker{Mode: revocation.Soft, ListsNow: l.Now}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(77), RawIssuer: issuer.RawSubject}
	status := func() revocation.Status {
		return checker.Check(t.Context(), revocation.Query{Certificate: leaf, Issuer: issuer, Time: time.Now()}).Status
	}
	if got := status(); got != revocation.Good {
		t.Errorf("before: %v", got)
	}
	revoke(77)
	now = now.Add(lookAtCRL)
	if got := status(); got != revocation.Revoked || len(failed) != 1 || failed[0] != nil {
		t.Errorf("after: %v, told %v", got, failed)
	}
	replace(t, file, []byte("half of a li"))
	for range 3 {
		now = now.Add(lookAtCRL)
		if got := status(); got != revocation.Revoked {
			t.Errorf("spoiled: %v", got)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		now = now.Add(lookAtCRL)
		if got := status(); got != revocation.Revoked {
			t.Errorf("gone: %v", got)
		}
	}
	if len(failed) != 3 || failed[1] == nil || !errors.Is(failed[2], os.ErrNotExist) {
		t.Errorf("told %v", failed)
	}
	revoke(78)
	now = now.Add(lookAtCRL)
	if got := status(); got != revocation.Good {
		t.Errorf("taken back: %v", got)
	}
	if _, err := OpenLists([]string{file, file + ".none"}, nil); err == nil {
		t.Error("a missing list is taken")
	}
}
