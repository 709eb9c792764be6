package devca

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestIssuedCertificatesVerify(t *testing.T) {
	ca, err := New("Box.example", "not a name")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []KeyType{ECDSA, RSA, Ed25519, DSA} {
		names := []string{"localhost", "a.localhost", "box.example", "127.0.0.1", "::1", "192.168.3.4"}
		cert, err := ca.Issue(Leaf{Names: names, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if _, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), DNSName: name}); err != nil {
				t.Errorf("key type %d: %v", key, err)
			}
		}
		if life := cert.Leaf.NotAfter.Sub(cert.Leaf.NotBefore); life > 397*24*time.Hour {
			t.Errorf("a life of %v is more than browsers accept", life)
		}
	}
	client, err := ca.Issue(Leaf{Names: []string{"Jane Doe"}, Client: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil {
		t.Error(err)
	}
}

func TestPublicNamesAreRefused(t *testing.T) {
	ca, err := New("box.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"example.com", "xbox.example", "localhost.com", "8.8.8.8", "2606:4700::1111"} {
		if ca.Permits(name) {
			t.Errorf("Permits(%q)", name)
		}
		if _, err := ca.Issue(Leaf{Names: []string{name}}); err == nil {
			t.Errorf("issued a certificate for %q", name)
		}
	}
	// A verifier must refuse it as well: the constraint stands in the certificate.
	open := *ca.Cert
	open.PermittedDNSDomains = []string{"example.com"}
	forged, err := (&CA{Cert: &open, key: ca.key}).Issue(Leaf{Names: []string{"example.com"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := forged.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), DNSName: "example.com"}); err == nil {
		t.Error("a forged certificate for a public name verified")
	}
}

func TestFolderIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "vitrine")
	ca, created, err := Open(dir)
	if err != nil || !created {
		t.Fatalf("created %v, %v", created, err)
	}
	leaf, err := ca.ServerCertificate("localhost", "127.0.0.1", "public.example")
	if err != nil {
		t.Fatal(err)
	}
	again, created, err := Open(dir)
	if err != nil || created || !again.Cert.Equal(ca.Cert) {
		t.Fatalf("the second Open: created %v, %v", created, err)
	}
	kept, err := again.ServerCertificate("localhost")
	if err != nil || !kept.Leaf.Equal(leaf.Leaf) {
		t.Fatalf("the certificate was not kept: %v", err)
	}
	more, err := again.ServerCertificate("localhost", "new.localhost")
	if err != nil || more.Leaf.VerifyHostname("new.localhost") != nil {
		t.Fatalf("a new name did not renew the certificate: %v", err)
	}
	published, err := os.ReadFile(ca.File())
	if err != nil || string(published) != string(ca.PEM()) {
		t.Fatalf("ca.pem: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 3 {
		t.Errorf("files left over: %v, %v", entries, err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for path, want := range map[string]os.FileMode{
		dir:                            0o700,
		filepath.Join(dir, "ca.pem"):   0o644,
		filepath.Join(dir, keyFile):    0o600,
		filepath.Join(dir, "leaf.pem"): 0o600,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v (%v)", path, info.Mode().Perm(), want, err)
		}
	}
}

func TestExpiringCertificatesAreRenewed(t *testing.T) {
	dir := t.TempDir()
	ca, _, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	soon, err := ca.Issue(Leaf{Names: []string{"localhost"}, NotAfter: time.Now().Add(renewBefore - time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	replace(t, dir, leafFile, soon.Leaf, soon.PrivateKey)
	renewed, err := ca.ServerCertificate("localhost")
	if err != nil || renewed.Leaf.Equal(soon.Leaf) {
		t.Errorf("the server's certificate was not renewed: %v", err)
	}

	old := *ca.Cert
	old.NotAfter = time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(nil, &old, &old, ca.key.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	expiring, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, dir, keyFile, expiring, ca.key)
	fresh, created, err := Open(dir)
	if err != nil || !created {
		t.Fatalf("the authority was not renewed: created %v, %v", created, err)
	}
	leaf, err := fresh.ServerCertificate("localhost")
	if err != nil || leaf.Leaf.CheckSignatureFrom(fresh.Cert) != nil {
		t.Errorf("the server's certificate is still the old authority's: %v", err)
	}
}

func replace(t *testing.T, dir, name string, cert *x509.Certificate, key any) {
	t.Helper()
	tmp, err := writePair(dir, cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestExposedOrDamagedKeysAreRefused(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := Open(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, keyFile)
	if runtime.GOOS != "windows" {
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("a key open to others: %v", err)
		}
	}
	if err := os.WriteFile(path, []byte("garbage"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged key: %v", err)
	}
}

// Clients trust an authority: it is not replaced because its key is gone, nor its
// certificate because it is another's. The error says how to go on.
func TestATrustedAuthorityIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	open := func() (*CA, bool, error) { return Open(dir) }
	first, _, err := open()
	if err != nil {
		t.Fatal(err)
	}
	path := func(name string) string { return filepath.Join(dir, name) }
	key, err := os.ReadFile(path(keyFile))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path(keyFile)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := open(); err == nil || !strings.Contains(err.Error(), "its key ca-key.pem is gone") || !strings.Contains(err.Error(), "or delete ca.pem") {
		t.Errorf("without its key: %v", err)
	}
	if have, err := os.ReadFile(path(caFile)); err != nil || string(have) != string(first.PEM()) {
		t.Errorf("the certificate was replaced: %v", err)
	}

	stranger, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		string(stranger.PEM()): "is not the certificate of ca-key.pem",
		"":                     "", // of no use to anybody
		"a comment\r\n" + strings.ReplaceAll(string(first.PEM()), "\n", "\r\n"): "",
	} {
		for name, content := range map[string]string{keyFile: string(key), caFile: text} {
			if err := os.WriteFile(path(name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		again, created, err := open()
		switch {
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%.20q: %v", text, err)
		case want == "" && (err != nil || created || !again.Cert.Equal(first.Cert)):
			t.Errorf("%.20q: created %v, %v", text, created, err)
		}
	}
	for _, name := range []string{caFile, keyFile} {
		if err := os.Remove(path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if again, created, err := open(); err != nil || !created || again.Cert.Equal(first.Cert) {
		t.Errorf("after both were deleted: created %v, %v", created, err)
	}
}

func TestProcessesThatStartTogetherShareOneAuthority(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	cas := make([]*CA, 8)
	for i := range cas {
		wg.Go(func() {
			ca, _, err := Open(dir)
			if err != nil {
				t.Error(err)
				return
			}
			cas[i] = ca
		})
	}
	wg.Wait()
	for _, ca := range cas {
		if ca == nil || !ca.Cert.Equal(cas[0].Cert) {
			t.Fatal("two authorities in one folder")
		}
	}
}

func TestAuthorityInMemoryWritesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	ca, err := New()
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.ServerCertificate("localhost", "public.example")
	if err != nil || cert.Leaf.VerifyHostname("localhost") != nil {
		t.Errorf("the certificate is of no use: %v", err)
	}
	if files, _ := os.ReadDir("."); len(files) != 0 || ca.File() != "" {
		t.Errorf("it left %v behind", files)
	}
}
