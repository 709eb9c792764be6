package devca

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

const testURL = "http://127.0.0.1:8889"

func initialised(t *testing.T) *CA {
	t.Helper()
	ca, err := Init(filepath.Join(t.TempDir(), "ca"), testURL, "box.example")
	if err != nil {
		t.Fatal(err)
	}
	return ca
}

func parsed(t *testing.T, cert tls.Certificate) []*x509.Certificate {
	t.Helper()
	certs, err := certcheck.Parse(cert.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return certs
}

// Whatever the authority issues keeps every rule of RFC 5280, its own certificates too.
func TestIssuedCertificatesKeepRFC5280(t *testing.T) {
	ca := initialised(t)
	own, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{DNSNames: []string{"csr.test"}}, own)
	if err != nil {
		t.Fatal(err)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("long.", 14) + "test"
	for name, leaf := range map[string]Leaf{
		"ecdsa":          {Names: []string{"a.test", "box.example", "127.0.0.1", "::1"}},
		"rsa":            {Names: []string{"a.test"}, Key: RSA},
		"ed25519":        {Names: []string{"a.test"}, Key: Ed25519},
		"wildcard":       {Names: []string{"*.a.test"}},
		"long":           {Names: []string{long}},
		"must-staple":    {Names: []string{"a.test"}, MustStaple: true},
		"request":        {Request: request},
		"client":         {Names: []string{"Jane Doe"}, Client: true},
		"client's names": {Names: []string{"jane", "jane.test", "10.1.1.1"}, Client: true},
		"to the end":     {Names: []string{"a.test"}, NotAfter: ca.Cert.NotAfter},
	} {
		t.Run(name, func(t *testing.T) {
			issued, err := ca.Issue(leaf)
			if err != nil {
				t.Fatal(err)
			}
			o := certcheck.Options{Roots: ca.Pool(), Profile: certcheck.RFC5280, Usages: issued.Leaf.ExtKeyUsage}
			if !leaf.Client {
				o.Name = strings.Replace(append(issued.Leaf.DNSNames, "")[0], "*", "any", 1)
			}
			v := certcheck.Judge(context.Background(), parsed(t, issued), o)
			if v.Refused != nil {
				t.Fatal(v.Refused)
			}
			if n := len(v.Paths[v.Taken].Certificates); n != 3 {
				t.Errorf("the path has %d certificates", n)
			}
			if revocation.MustStaple(issued.Leaf) != leaf.MustStaple {
				t.Errorf("must-staple is %v", !leaf.MustStaple)
			}
		})
	}
}

func TestAuthorityIsNeverOverwritten(t *testing.T) {
	ca := initialised(t)
	for _, name := range []string{keyFile, caFile, intermediateFile, recordFile} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Init(dir, ""); err == nil || !strings.Contains(err.Error(), name+" is there already") {
			t.Errorf("%s: %v", name, err)
		}
		if have, err := os.ReadFile(path); err != nil || string(have) != "mine" {
			t.Errorf("%s is now %q, %v", name, have, err)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	for _, name := range []string{keyFile, intermediateFile, recordFile} {
		if info, err := os.Stat(filepath.Join(ca.dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
}

// An authority that was made for serve is managed without an intermediate, and one
// with an intermediate serves.
func TestFoldersOfBothKinds(t *testing.T) {
	dir := t.TempDir()
	if _, err := Manage(dir); err == nil || !strings.Contains(err.Error(), "cert ca init") {
		t.Errorf("an empty folder: %v", err)
	}
	old, _, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	managed, err := Manage(dir)
	if err != nil || !managed.Cert.Equal(old.Cert) || managed.Intermediate() != nil {
		t.Fatalf("%v", err)
	}
	cert, err := managed.Issue(Leaf{Names: []string{"a.test"}})
	if err != nil || len(cert.Certificate) != 1 || len(cert.Leaf.OCSPServer) > 0 {
		t.Fatalf("%d certificates, %v", len(cert.Certificate), err)
	}

	made := initialised(t)
	served, created, err := Open(made.dir)
	if err != nil || created || !served.Intermediate().Equal(made.Intermediate()) {
		t.Fatalf("created %v, %v", created, err)
	}
	for range 2 { // made, and then kept
		cert, err := served.ServerCertificate("localhost")
		if err != nil || len(cert.Certificate) != 2 {
			t.Fatalf("%d certificates, %v", len(cert.Certificate), err)
		}
		if v := certcheck.Judge(context.Background(), parsed(t, cert), certcheck.Options{Roots: made.Pool(), Name: "localhost"}); v.Refused != nil {
			t.Error(v.Refused)
		}
	}
	r, err := served.Record()
	if err != nil || len(r.Issued) != 2 {
		t.Errorf("the record has %v, %v", r, err)
	}
}

// Two processes that issue at a time both find their certificates in the record.
func TestRecordIsChangedByOneAtATime(t *testing.T) {
	ca := initialised(t)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			other, err := Manage(ca.dir)
			if err == nil {
				_, err = other.Issue(Leaf{Names: []string{"a.test"}})
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	r, err := ca.Record()
	if err != nil || len(r.Issued) != 9 {
		t.Fatalf("%d certificates are in the record, %v", len(r.Issued), err)
	}
	entries, err := os.ReadDir(ca.dir)
	if err != nil || len(entries) != 4 {
		t.Errorf("files left over: %v, %v", entries, err)
	}
}

func TestDamagedRecordIsNamed(t *testing.T) {
	ca := initialised(t)
	if err := os.WriteFile(ca.recordPath(), []byte(`{"format":`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Issue(Leaf{Names: []string{"a.test"}}); err == nil || !strings.Contains(err.Error(), ca.recordPath()+" is damaged") {
		t.Error(err)
	}
	if answer := ca.Responder(time.Hour).Respond(revocation.OCSPRequest(ca.Intermediate(), ca.Cert, nil)); answer[4] != 2 {
		t.Errorf("the responder answers % x, not internalError", answer)
	}
}

// What the record says is what responder and CRL say, of leaves and of the
// intermediate.
func TestRevocation(t *testing.T) {
	ca := initialised(t)
	issue := func() *x509.Certificate {
		t.Helper()
		cert, err := ca.Issue(Leaf{Names: []string{"a.test"}})
		if err != nil {
			t.Fatal(err)
		}
		return cert.Leaf
	}
	good, bad := issue(), issue()
	if _, err := ca.Revoke(strings.ToUpper(bad.SerialNumber.Text(16)), int(revocation.KeyCompromise)); err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Revoke(bad.SerialNumber.Text(16), 0); err == nil || !strings.Contains(err.Error(), "revoked already") {
		t.Errorf("revoked twice: %v", err)
	}
	if _, err := ca.Revoke("1234", 0); err == nil || !strings.Contains(err.Error(), "issued no certificate") {
		t.Errorf("another's certificate: %v", err)
	}
	stranger := initialised(t)
	unknown := *good
	unknown.SerialNumber = newSerial()
	responder := ca.Responder(time.Hour)
	for _, c := range []struct {
		name         string
		cert, issuer *x509.Certificate
		want         revocation.Status
	}{
		{"good", good, ca.Intermediate(), revocation.Good},
		{"revoked", bad, ca.Intermediate(), revocation.Revoked},
		{"intermediate", ca.Intermediate(), ca.Cert, revocation.Good},
	} {
		response, err := revocation.ParseOCSP(responder.Respond(revocation.OCSPRequest(c.cert, c.issuer, nil)))
		if err != nil {
			t.Fatal(c.name, err)
		}
		answer, err := response.About(c.cert, c.issuer, time.Now(), 0)
		if err != nil || answer.Status != c.want || c.want == revocation.Revoked && answer.Reason != revocation.KeyCompromise {
			t.Errorf("OCSP, %s: %v, %v", c.name, answer, err)
		}
		der, err := ca.CRL(c.issuer == ca.Cert, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		list, err := revocation.ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		answer, err = list.About(c.cert, c.issuer, nil, time.Now(), 0)
		if err != nil || answer.Status != c.want {
			t.Errorf("CRL, %s: %v, %v", c.name, answer, err)
		}
	}
	response, err := revocation.ParseOCSP(responder.Respond(revocation.OCSPRequest(&unknown, ca.Intermediate(), nil)))
	if err != nil {
		t.Fatal(err)
	}
	if answer, _ := response.About(&unknown, ca.Intermediate(), time.Now(), 0); answer.Status != revocation.Unknown {
		t.Errorf("a certificate that was never issued: %v", answer)
	}
	if answer := responder.Respond(revocation.OCSPRequest(good, stranger.Intermediate(), nil)); answer[4] != 6 {
		t.Errorf("another's certificate: % x, not unauthorized", answer)
	}
	if answer := responder.Respond([]byte("garbage")); answer[4] != 1 {
		t.Errorf("garbage: % x, not malformedRequest", answer)
	}
}

// The delegated certificate is replaced before it expires, and kept meanwhile.
// A nonce comes back as it was sent, in a response that verifies.
func TestResponderRepeatsTheNonce(t *testing.T) {
	ca := initialised(t)
	leaf, err := ca.Issue(Leaf{Names: []string{"a.test"}})
	if err != nil {
		t.Fatal(err)
	}
	r := ca.Responder(time.Hour)
	k := revocation.Checker{Mode: revocation.Hard, Nonce: true, Fetcher: responds(r.Respond)}
	q := revocation.Query{Certificate: leaf.Leaf, Issuer: ca.Intermediate(), Time: time.Now()}
	if a := k.Check(t.Context(), q); a.Status != revocation.Good || a.Source != revocation.OCSP {
		t.Errorf("with a nonce: %v, %v", a, a.Doubts)
	}
	k.Nonce = false
	if a := k.Check(t.Context(), q); a.Status != revocation.Good || a.Source != revocation.OCSP {
		t.Errorf("without a nonce: %v, %v", a, a.Doubts)
	}
	request := revocation.OCSPRequest(leaf.Leaf, ca.Intermediate(), make([]byte, 129))
	if nonce := nonceOf(request); nonce != nil {
		t.Errorf("a nonce of 129 bytes is repeated: %d bytes", len(nonce))
	}
	for n := range request {
		nonceOf(request[:n]) // whatever comes
	}
}

// responds is a Fetcher that asks a responder.
type responds func([]byte) []byte

func (f responds) Fetch(_ context.Context, r revocation.Request) ([]byte, error) {
	if r.Source != revocation.OCSP {
		return nil, errors.New("only the responder is asked")
	}
	return f(r.Body), nil
}

func TestResponderIsRenewed(t *testing.T) {
	ca := initialised(t)
	r := ca.Responder(time.Hour)
	first, err := r.signer(rootIssued, ca.root())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := r.signer(rootIssued, ca.root()); err != nil || again != first {
		t.Errorf("a fresh one was replaced: %v", err)
	}
	first.cert.NotAfter = time.Now().Add(responderLifetime/2 - time.Hour)
	if again, err := r.signer(rootIssued, ca.root()); err != nil || again == first {
		t.Errorf("an old one was kept: %v", err)
	}
}
