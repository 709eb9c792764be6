package serve

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/authority"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// A server on every address has a certificate for its addresses and names, and the
// URLs that it announces are those that the certificate is for.
func TestTheCertificateIsForWhereWeListen(t *testing.T) {
	for listen, want := range map[string][]string{
		"127.0.0.1":   {"localhost", "127.0.0.1", "box.local"},
		"::1":         {"localhost", "::1", "box.local"},
		"10.1.2.3":    {"10.1.2.3", "box.local"},
		"203.0.113.5": {"box.local"}, // no development authority may certify the address
		"0.0.0.0":     {"localhost", "box.local"},
		"::":          {"localhost", "box.local"},
	} {
		o, config := withFlags(t, "")
		o.caDir, o.names = filepath.Join(t.TempDir(), "ca"), []string{"box.local"}
		addr := &net.TCPAddr{IP: net.ParseIP(listen), Port: 8443}
		ca, _, err := o.identify(config, addr)
		if err != nil || !ca.New {
			t.Fatalf("%s: %v", listen, err)
		}
		if addr.IP.IsUnspecified() {
			for _, more := range authority.Hosts(addr, nil)[1:] {
				if ca.Permits(more) && config.Certificates[0].Leaf.VerifyHostname(more) == nil {
					want = append(want, more)
				} else if ca.Permits(more) {
					t.Errorf("%s: the certificate is not for %s", listen, more)
				}
			}
		}
		at := authority.Hosts(addr, o.names)
		urls := authority.URLs(addr, at, config.Certificates)
		for _, name := range want {
			if !slices.Contains(urls, "https://"+net.JoinHostPort(name, "8443")+"/") {
				t.Errorf("%s: %q lack %s", listen, urls, name)
			}
		}
		if len(urls) != len(want) {
			t.Errorf("%s: %q, want %q", listen, urls, want)
		}
		var out bytes.Buffer
		warn(slog.New(slog.NewTextHandler(&out, nil)), at, config.Certificates, ca, nil)
		if said := strings.Contains(out.String(), "names=203.0.113.5"); said != (listen == "203.0.113.5") {
			t.Errorf("%s: %s", listen, out.String())
		}
	}
}

func TestNamesThatCannotBeCertified(t *testing.T) {
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8443}
	o, config := withFlags(t, "")
	o.caDir, o.names = t.TempDir(), []string{"example.com"}
	if _, _, err := o.identify(config, addr); report.ExitCode(err) != report.ExitUsage || !strings.Contains(err.Error(), `--name "example.com"`) {
		t.Errorf("a public name: %v", err)
	}
}

// With a certificate of one's own the URL is one that it is for, if there is any.
func TestURLsOfAnOwnCertificate(t *testing.T) {
	key := onCurve(t, elliptic.P256())
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}
	for want, names := range map[string][]string{
		"https://localhost:443/":       {"example.com", "localhost"},
		"https://example.com:443/":     {"example.com"},
		"https://www.example.com:443/": {"*.example.com"},
	} {
		cert := selfSigned(t, key, func(c *x509.Certificate) { c.DNSNames = names })
		if got := authority.URLs(addr, authority.Hosts(addr, nil), []tls.Certificate{cert}); !slices.Equal(got, []string{want}) {
			t.Errorf("%q: %q, want %q", names, got, want)
		}
	}
}

// The first start says that the authority is new and how to trust it; later ones do not.
func TestANewAuthorityIsAnnounced(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ca")
	for _, isNew := range []bool{true, false} {
		o, config := withFlags(t, "")
		o.caDir = dir
		ca, _, err := o.identify(config, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8443})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		o.announce(&out, "site", []string{"https://localhost:8443/", "https://127.0.0.1:8443/"}, ca)
		said := strings.Contains(out.String(), "made just now") && strings.Contains(out.String(), ca.TrustCommand())
		if said != isNew || !strings.Contains(out.String(), "  and    https://127.0.0.1:8443/\n") {
			t.Errorf("new: %v\n%s", isNew, out.String())
		}
	}
}
