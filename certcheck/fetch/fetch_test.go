package fetch

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

var now = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)

// pki is a leaf, its issuer, and good answers about it.
type pki struct {
	chain        *forge.Chain
	leaf, issuer *x509.Certificate
}

func newPKI(t *testing.T, ocspURL, crlURL string) *pki {
	t.Helper()
	c := forge.NewChain(now)
	c.Leaf.Replace(forge.OCSPAt(ocspURL))
	c.Leaf.Replace(forge.CRLAt(crlURL))
	leaf, issuer, _ := c.DER()
	p := &pki{chain: c}
	for der, into := range map[*[]byte]**x509.Certificate{&leaf: &p.leaf, &issuer: &p.issuer} {
		parsed, err := x509.ParseCertificate(*der)
		if err != nil {
			t.Fatal(err)
		}
		*into = parsed
	}
	return p
}

func (p *pki) ocsp() []byte {
	return forge.Response{ProducedAt: now, Singles: []forge.Single{
		{CertID: forge.CertID(forge.SHA1, crypto.SHA1, p.leaf, p.issuer), Status: forge.Good, This: now, Next: now.Add(time.Hour)},
	}}.Sign(p.chain.IntermediateKey)
}

func (p *pki) crl() []byte {
	return forge.List{Issuer: p.issuer.RawSubject, This: now, Next: now.Add(time.Hour)}.Sign(p.chain.IntermediateKey)
}

func clock(at time.Time) func() time.Time { return func() time.Time { return at } }

// A real responder and a real place of lists, over TCP.
func TestRevocationOverHTTP(t *testing.T) {
	var p *pki
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		switch r.URL.Path {
		case "/ocsp":
			body, _ := io.ReadAll(r.Body)
			if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/ocsp-request" || !bytes.Equal(body, revocation.OCSPRequest(p.leaf, p.issuer, nil)) {
				http.Error(w, "what?", http.StatusBadRequest)
				return
			}
			w.Write(p.ocsp())
		case "/crl":
			http.Redirect(w, r, "/moved", http.StatusFound)
		case "/moved":
			w.Write(p.crl())
		}
	}))
	defer server.Close()
	dir := filepath.Join(t.TempDir(), "kept")
	for _, tc := range []struct {
		source    revocation.Source
		ocsp, crl string
	}{
		{revocation.OCSP, server.URL + "/ocsp", server.URL + "/none"},
		{revocation.CRL, server.URL + "/nothing", server.URL + "/crl"},
	} {
		p = newPKI(t, tc.ocsp, tc.crl)
		for range 2 { // a second client finds it on disk
			k := &revocation.Checker{Mode: revocation.Hard, Fetcher: &Client{Dir: dir, Now: clock(now)}}
			a := k.Check(t.Context(), revocation.Query{Certificate: p.leaf, Issuer: p.issuer, Time: now})
			if a.Status != revocation.Good || a.Source != tc.source {
				t.Fatalf("%v: %v from %v, doubts %v", tc.source, a.Status, a.Source, a.Doubts)
			}
		}
	}
	if asked["/ocsp"] != 1 || asked["/moved"] != 1 {
		t.Errorf("asked %v", asked)
	}
	transport.CloseIdleConnections()
}

func TestWhatIsNotFetched(t *testing.T) {
	var body []byte
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		default:
			w.WriteHeader(status)
			w.Write(body)
		}
	}))
	defer server.Close()
	for place, want := range map[string]string{
		"ldap://ldap.example/cn=x":   "not fetched by HTTP",
		"file:///etc/passwd":         "not fetched by HTTP",
		"//host/x":                   "not fetched by HTTP",
		"http:///x":                  "no host",
		"http://[::1":                "cannot be read",
		server.URL + "/loop":         "more than 3 times",
		server.URL + "/file":         "not fetched by HTTP",
		"http://127.0.0.1:1/refused": "connection refused",
	} {
		if _, err := new(Client).Fetch(t.Context(), revocation.Request{Source: revocation.CRL, URL: place}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", place, err, want)
		}
	}
	status = http.StatusInternalServerError
	if _, err := new(Client).Fetch(t.Context(), revocation.Request{Source: revocation.CRL, URL: server.URL}); err == nil || !strings.Contains(err.Error(), "HTTP 500") {
		t.Errorf("500: %v", err)
	}
	status, body = http.StatusOK, make([]byte, revocation.MaxOCSP+1)
	if _, err := new(Client).Fetch(t.Context(), revocation.Request{Source: revocation.OCSP, URL: server.URL}); err == nil || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("too large: %v", err)
	}
	transport.CloseIdleConnections()
}

// carrier is a network of which the test is the other end.
type carrier func(*http.Request) (*http.Response, error)

func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }

func answer(body []byte) *http.Response {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body))}
}

func TestSilentPlaceIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Client{Transport: carrier(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		begin := time.Now()
		_, err := c.Fetch(t.Context(), revocation.Request{Source: revocation.CRL, URL: "http://a.example/"})
		if took := time.Since(begin); err == nil || err.Error() != "no answer within 3s" || took != Timeout {
			t.Errorf("%v after %v", err, took)
		}
		begin = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.Fetch(ctx, revocation.Request{Source: revocation.CRL, URL: "http://b.example/"})
		if took := time.Since(begin); !errors.Is(err, context.DeadlineExceeded) || took != time.Second {
			t.Errorf("with a context of a second: %v after %v", err, took)
		}
		time.Sleep(Timeout) // the fetch itself ends
	})
}

// A place that failed is left alone for a while, and only that one.
func TestFailuresAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		c := &Client{Transport: carrier(func(*http.Request) (*http.Response, error) {
			asked.Add(1)
			return nil, errors.New("down")
		})}
		fetch := func(place string) error {
			_, err := c.Fetch(t.Context(), revocation.Request{Source: revocation.CRL, URL: place})
			return err
		}
		for i, want := range []int32{1, 1, 2} {
			if err := fetch("http://a.example/"); err == nil || !strings.Contains(err.Error(), "down") || asked.Load() != want {
				t.Errorf("time %d: %v, asked %d times", i, err, asked.Load())
			}
			if i == 1 {
				time.Sleep(Pause)
			}
		}
		if fetch("http://b.example/"); asked.Load() != 3 {
			t.Error("another place is left alone too")
		}
	})
}

// What several want at once is fetched once.
func TestOneFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		c := &Client{Transport: carrier(func(*http.Request) (*http.Response, error) {
			asked.Add(1)
			time.Sleep(time.Second)
			return answer([]byte("list")), nil
		})}
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				body, err := c.Fetch(t.Context(), revocation.Request{Source: revocation.CRL, URL: "http://a.example/"})
				if err != nil || string(body) != "list" {
					t.Errorf("%q, %v", body, err)
				}
			})
		}
		all.Wait()
		if asked.Load() != 1 {
			t.Errorf("asked %d times", asked.Load())
		}
	})
}

// A file that cannot be used is thrown away and fetched again.
func TestBrokenFilesAreFetchedAnew(t *testing.T) {
	p := newPKI(t, "http://o.example/", "http://c.example/")
	good := p.crl()
	later := forge.List{Issuer: p.issuer.RawSubject, This: now, Next: now.Add(-time.Minute)}.Sign(p.chain.IntermediateKey)
	for name, content := range map[string][]byte{"garbage": []byte("x"), "empty": {}, "cut off": good[:len(good)/2], "out of date": later} {
		dir := t.TempDir()
		var asked int
		c := &Client{Dir: dir, Now: clock(now), Transport: carrier(func(*http.Request) (*http.Response, error) {
			asked++
			return answer(good), nil
		})}
		r := revocation.Request{Source: revocation.CRL, URL: "http://c.example/"}
		file := filepath.Join(dir, keyOf(r))
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		body, err := c.Fetch(t.Context(), r)
		kept, _ := os.ReadFile(file)
		if err != nil || !bytes.Equal(body, good) || asked != 1 || !bytes.Equal(kept, good) {
			t.Errorf("%s: %v, asked %d times", name, err, asked)
		}
		if _, err := c.Fetch(t.Context(), r); err != nil || asked != 1 {
			t.Errorf("%s, again: %v, asked %d times", name, err, asked)
		}
		r.Anew = true
		if _, err := c.Fetch(t.Context(), r); err != nil || asked != 2 {
			t.Errorf("%s, anew: %v, asked %d times", name, err, asked)
		}
		files, _ := filepath.Glob(filepath.Join(dir, "*"))
		hidden, _ := filepath.Glob(filepath.Join(dir, ".new-*"))
		if len(files) != 1 || len(hidden) != 0 {
			t.Errorf("%s: %v and %v are left", name, files, hidden)
		}
	}
}

// A folder that cannot be written to costs no answer.
func TestFolderThatCannotBe(t *testing.T) {
	p := newPKI(t, "http://o.example/", "http://c.example/")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	c := &Client{Dir: filepath.Join(file, "dir"), Now: clock(now), Transport: carrier(func(*http.Request) (*http.Response, error) { return answer(p.crl()), nil })}
	if _, err := c.Fetch(t.Context(), revocation.Request{Source: revocation.CRL, URL: "http://c.example/"}); err != nil {
		t.Error(err)
	}
}

// An answer with a nonce is for one request.
func TestOnceIsNotKept(t *testing.T) {
	p := newPKI(t, "http://o.example/", "http://c.example/")
	dir := t.TempDir()
	c := &Client{Dir: dir, Now: clock(now), Transport: carrier(func(*http.Request) (*http.Response, error) { return answer(p.ocsp()), nil })}
	if _, err := c.Fetch(t.Context(), revocation.Request{Source: revocation.OCSP, URL: "http://o.example/", Once: true}); err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("%v are kept", files)
	}
}
