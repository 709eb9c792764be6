package capture

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

func TestFilter(t *testing.T) {
	c := &Connection{
		Number: 7, Client: netip.MustParseAddrPort("192.0.2.9:50000"), Server: netip.MustParseAddrPort("[2001:db8::5]:8443"),
		Name: "www.Example.com", Version: wire.TLS12, Suite: wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, ALPN: "http/1.1",
		Failed: true, Outcome: "the server sent the alert handshake_failure (40)", JA4: "t12d1516h2_a_b",
	}
	for text, want := range map[string]bool{
		"failed": true, "not failed": false, "not not failed": true, "resumed": false, "decrypted or failed": true, "FAILED": true, "NOT failed": false, "resumed OR Failed": true,
		"sni=*.example.com and failed": true, "sni=example.com": false, "name = www.example.co?": true, "sni!=*.example.com": false,
		"suite=*GCM*": true, "suite=*rc4*": false, "alpn=http/1.1": true, "alpn=http*": true, "alpn=h2": false, "ja4=t12d*": true,
		"version=tls1.2": true, "version<tls1.2": false, "version<=tls1.2": true, "version>ssl3.0": true, "version!=tls1.3": true, "version>=tls1.3": false,
		"port=8443": true, "port=50000": true, "port=443": false, "server.port=50000": false, "client.port>49151": true, "port!=443": true,
		"address=192.0.2.0/24": true, "address=2001:db8::5": true, "client=2001:db8::/32": false, "server=2001:db8::/32": true,
		"number>=7 and number<8": true, `outcome="*handshake_failure*"`: true, `outcome="*(40)"`: true,
		"failed and resumed or failed": true, "failed and (resumed or midway)": false, "not (resumed or midway) and failed": true,
		"not resumed and failed": true, "not resumed and not failed": false, `sni=""`: false, "damaged": false,
	} {
		f, err := ParseFilter(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := f.Match(c); got != want {
			t.Errorf("%s is %t", text, got)
		}
	}
	if !(*Filter)(nil).Match(c) {
		t.Error("no filter refuses")
	}
}

func TestFilterErrors(t *testing.T) {
	for text, want := range map[string]struct {
		at   int
		word string
	}{
		"": {0, "missing"}, "sni": {3, "operator"}, "sni=": {4, "value"}, "sni<a": {4, "order"}, "port=x": {5, "number"}, "version=4": {8, "version"},
		"address=x": {8, "address"}, "broken": {0, "is not a condition"}, "failed failed": {7, "too much"}, "(failed": {7, "parenthesis"},
		"failed)": {6, "too much"}, `sni="a`: {4, "quotes"}, "failed and": {10, "missing"}, strings.Repeat("(", 200) + "failed": {100, "deeply"},
		strings.Repeat("not ", 200) + "failed": {400, "deeply"}, `"failed"`: {0, "is not a condition"}, `sni="`: {4, "quotes"},
	} {
		_, err := ParseFilter(text)
		var e *FilterError
		if !errors.As(err, &e) || !strings.Contains(e.What, want.word) || e.Offset != want.at {
			t.Errorf("%.20s: %v", text, err)
			if e != nil {
				t.Errorf("at %d, want %d", e.Offset, want.at)
			}
		}
	}
}

func FuzzParseFilter(f *testing.F) {
	f.Add(`sni=*.example.com and (failed or not version>=tls1.2) and suite="a b"`)
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := ParseFilter(text)
		if err == nil {
			filter.Match(&Connection{Name: text})
		}
	})
}
