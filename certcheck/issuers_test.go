package certcheck

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"
)

// library is a fetcher of issuers that counts, by what it has.
type library struct {
	has   map[string][]byte
	asked []string
}

func (l *library) FetchIssuer(ctx context.Context, url string) ([]byte, error) {
	l.asked = append(l.asked, url)
	end, ok := ctx.Deadline()
	if left := time.Until(end); !ok || left > issuerTimeout {
		return nil, fmt.Errorf("there are %v to fetch", left)
	}
	if der := l.has[url]; der != nil {
		return der, nil
	}
	return nil, errors.New("there is nothing")
}

func issuerAt(urls ...string) change {
	return func(c *x509.Certificate) { c.IssuingCertificateURL = urls }
}

func TestIssuersAreFetched(t *testing.T) {
	root := authority(t, "Root", nil)
	upper := authority(t, "Upper", root)
	lower := authority(t, "Lower", upper, issuerAt("http://ca.test/upper"))
	leaf := server(t, lower, issuerAt("ldap://ca.test/lower", "https://ca.test/lower", "http://ca.test/lower"))
	evil := authority(t, "Lower", nil)
	leafOfEvil := server(t, evil, issuerAt("http://evil.test/lower"))
	endless := map[string][]byte{}
	by := authority(t, "Endless 0", nil)
	for i := range 10 {
		by = authority(t, fmt.Sprintf("Endless %d", i+1), by, issuerAt(fmt.Sprintf("http://ca.test/%d", i)))
		endless[fmt.Sprintf("http://ca.test/%d", i+1)] = by.Raw
	}
	for _, tc := range []struct {
		name  string
		certs []*x509.Certificate
		has   map[string][]byte
		host  string
		want  []string // asked for
		good  bool
	}{
		{"two that are missing", chain(leaf), map[string][]byte{"http://ca.test/lower": lower.Raw, "http://ca.test/upper": upper.Raw}, "", []string{"http://ca.test/lower", "http://ca.test/upper"}, true},
		{"one that is missing", chain(leaf, lower), map[string][]byte{"http://ca.test/upper": upper.Raw}, "", []string{"http://ca.test/upper"}, true},
		{"none", chain(leaf, lower, upper), nil, "", nil, true},
		{"nothing is there", chain(leaf), nil, "", []string{"http://ca.test/lower"}, false},
		{"garbage is there", chain(leaf), map[string][]byte{"http://ca.test/lower": []byte("garbage")}, "", []string{"http://ca.test/lower"}, false},
		{"another is there", chain(leaf), map[string][]byte{"http://ca.test/lower": upper.Raw}, "", []string{"http://ca.test/lower"}, false},
		{"one that is too long", chain(leaf), map[string][]byte{"http://ca.test/lower": append(slices.Clone(lower.Raw), make([]byte, MaxIssuer)...)}, "", []string{"http://ca.test/lower"}, false},
		{"one that signed nothing", chain(leaf), map[string][]byte{"http://ca.test/lower": evil.Raw}, "", []string{"http://ca.test/lower"}, false},
		{"a root that nobody trusts", chain(leafOfEvil), map[string][]byte{"http://evil.test/lower": evil.Raw}, "", []string{"http://evil.test/lower"}, false},
		{"for another name", chain(leaf), map[string][]byte{"http://ca.test/lower": lower.Raw}, "example.org", nil, false},
		{"one after the other without an end", chain(server(t, by, issuerAt("http://ca.test/10"))), endless, "", []string{"http://ca.test/10", "http://ca.test/9", "http://ca.test/8", "http://ca.test/7"}, false},
	} {
		if tc.host == "" {
			tc.host = "example.com"
		}
		l := &library{has: tc.has}
		sent := slices.Clone(tc.certs)
		o := Options{Roots: trust(root), Time: now, Name: tc.host, Issuers: l}
		_, err := Verify(t.Context(), sent, o)
		if (err == nil) != tc.good || !slices.Equal(l.asked, tc.want) || !slices.Equal(sent, tc.certs) {
			t.Errorf("%s: %v, asked for %v, want %v", tc.name, err, l.asked, tc.want)
		}
		if v := Judge(t.Context(), sent, o); (v.Refused == nil) != tc.good {
			t.Errorf("%s: Judge says %v", tc.name, v.Refused)
		}
		o.Issuers = nil
		asked := len(l.asked)
		if _, err := Verify(t.Context(), sent, o); (err == nil) != (tc.name == "none") || len(l.asked) != asked {
			t.Errorf("%s: without a fetcher: %v", tc.name, err)
		}
	}
}
