package ca

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/internal/devca"
)

func authority(t *testing.T) (*devca.CA, *handler) {
	t.Helper()
	ca, err := devca.Init(filepath.Join(t.TempDir(), "ca"), defaultURL)
	if err != nil {
		t.Fatal(err)
	}
	return ca, &handler{ca, ca.Responder(time.Hour), time.Hour}
}

func ask(h *handler, method, target string, body []byte) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, bytes.NewReader(body)))
	return w
}

// A request may come by GET, in base64 with slashes that are escaped or not, and by
// POST.
func TestRequestsOverHTTP(t *testing.T) {
	ca, h := authority(t)
	// Its bytes are slashes in base64, one beside the other.
	cert := &x509.Certificate{SerialNumber: new(big.Int).SetBytes(bytes.Repeat([]byte{0x7f, 0xff, 0xff}, 5)), RawIssuer: ca.Intermediate().RawSubject}
	request := revocation.OCSPRequest(cert, ca.Intermediate(), nil)
	text := base64.StdEncoding.EncodeToString(request)
	if !strings.Contains(text, "//") {
		t.Fatalf("the request in base64 is without two slashes: %s", text)
	}
	for _, c := range []struct {
		method, target string
		body           []byte
	}{
		{http.MethodGet, "/" + text, nil},
		{http.MethodGet, "/" + url.PathEscape(text), nil},
		{http.MethodPost, "/", request},
	} {
		w := ask(h, c.method, c.target, c.body)
		if kind := w.Header().Get("Content-Type"); w.Code != http.StatusOK || kind != "application/ocsp-response" {
			t.Errorf("%s %s: %d, %s", c.method, c.target, w.Code, kind)
			continue
		}
		response, err := revocation.ParseOCSP(w.Body.Bytes())
		if err != nil {
			t.Errorf("%s %s: %v", c.method, c.target, err)
			continue
		}
		if answer, _ := response.About(cert, ca.Intermediate(), time.Now(), 0); answer.Status != revocation.Unknown {
			t.Errorf("%s %s: %v", c.method, c.target, answer)
		}
	}
}

func TestWhatIsNoRequest(t *testing.T) {
	_, h := authority(t)
	for _, c := range []struct {
		name, method, target string
		body                 []byte
		code                 int
	}{
		{"no base64", http.MethodGet, "/favicon.ico", nil, http.StatusBadRequest},
		{"too long", http.MethodPost, "/", make([]byte, maxRequest+1), http.StatusBadRequest},
		{"another method", http.MethodPut, "/", nil, http.StatusMethodNotAllowed},
	} {
		if w := ask(h, c.method, c.target, c.body); w.Code != c.code {
			t.Errorf("%s: %d, want %d", c.name, w.Code, c.code)
		}
	}
}

// What certificates say is below the URL is there.
func TestWhatStandsBesideTheResponder(t *testing.T) {
	ca, h := authority(t)
	leaf, err := ca.Issue(devca.Leaf{Names: []string{"a.test"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ cert, issuer *x509.Certificate }{{leaf.Leaf, ca.Intermediate()}, {ca.Intermediate(), ca.Cert}} {
		issuer := ask(h, http.MethodGet, c.cert.IssuingCertificateURL[0], nil)
		if !bytes.Equal(issuer.Body.Bytes(), c.issuer.Raw) || issuer.Header().Get("Content-Type") != "application/pkix-cert" {
			t.Errorf("%s is not %s", c.cert.IssuingCertificateURL[0], c.issuer.Subject)
		}
		crl := ask(h, http.MethodGet, c.cert.CRLDistributionPoints[0], nil)
		list, err := x509.ParseRevocationList(crl.Body.Bytes())
		if err != nil || list.CheckSignatureFrom(c.issuer) != nil {
			t.Errorf("%s is no list of %s: %v", c.cert.CRLDistributionPoints[0], c.issuer.Subject, err)
		}
	}
}
