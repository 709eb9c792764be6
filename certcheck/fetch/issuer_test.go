package fetch

import (
	"bytes"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

// An issuer that was not sent is fetched over TCP, once.
func TestIssuerOverHTTP(t *testing.T) {
	c := forge.NewChain(now)
	_, intermediate, rootDER := c.DER()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Write(intermediate)
	}))
	defer server.Close()
	defer transport.CloseIdleConnections()
	c.Leaf.Replace(forge.Ext{ID: forge.IDAuthorityInfo, Value: forge.Sequence(forge.Sequence(forge.OID(1, 3, 6, 1, 5, 5, 7, 48, 2), forge.URI(server.URL)))})
	sent, err := certcheck.Parse([][]byte{c.Leaf.Sign(c.IntermediateKey)})
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(rootDER)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(root)
	o := certcheck.Options{Roots: roots, Name: "example.com", Time: now}
	if _, err := certcheck.Verify(t.Context(), sent, o); err == nil || asked != 0 {
		t.Errorf("without a fetcher: %v, asked %d times", err, asked)
	}
	o.Issuers = new(Client)
	for range 3 {
		if _, err := certcheck.Verify(t.Context(), sent, o); err != nil {
			t.Error(err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestIssuersThatAreNotFetched(t *testing.T) {
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(body) }))
	defer server.Close()
	defer transport.CloseIdleConnections()
	for _, tc := range []struct {
		url, want string
		body      []byte
	}{
		{"https://ca.test/issuer", "by http alone", nil},
		{"file:///etc/passwd", "not fetched by HTTP", nil},
		{"ldap://ca.test/", "not fetched by HTTP", nil},
		{server.URL + "/garbage", "not a certificate in DER", []byte("garbage")},
		{server.URL + "/large", "more than 65536 bytes", bytes.Repeat([]byte{0x30}, maxIssuer+1)},
	} {
		body = tc.body
		if _, err := new(Client).FetchIssuer(t.Context(), tc.url); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.url, err, tc.want)
		}
	}
}

// What is kept in memory is bounded.
func TestIssuersThatAreKept(t *testing.T) {
	var c Client
	for i := range 3 * maxIssuers {
		c.keepIssuer(strings.Repeat("x", i), []byte{1})
	}
	if n := len(c.issuers); n == 0 || n > maxIssuers {
		t.Errorf("%d are kept", n)
	}
}
