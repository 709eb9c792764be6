package scan

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// serveHTTP runs a server that gives the same answer to each request, and ends the
// connection as it should.
func serveHTTP(t testing.TB, answer string) Target {
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.ECDSA)}}
	return serve(t, func(raw net.Conn) {
		conn := tls.Server(raw, config)
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		io.WriteString(conn, answer)
		conn.Close()
	})
}

// What is wrong with an answer of HTTP is found, and only that.
func TestFaultsOfHTTP(t *testing.T) {
	const head = "HTTP/1.1 301 Moved Permanently\r\nContent-Length: 0\r\n"
	const strict = "Strict-Transport-Security: max-age=31536000\r\n"
	tests := []struct{ id, sound, faulty string }{
		{"no-hsts", head + strict + "\r\n", head + "\r\n"},
		{"hsts-short", head + strict + "\r\n", head + "Strict-Transport-Security: includeSubDomains; max-age=\"3600\"\r\n\r\n"},
		{"redirect-plain", head + strict + "Location: https://example.test/\r\n\r\n", head + strict + "Location: HTTP://example.test/\r\n\r\n"},
		{"breach", head + strict + "Content-Encoding: identity\r\n\r\n", head + strict + "Content-Encoding: gzip\r\n\r\n"},
	}
	for _, test := range tests {
		t.Run(test.id, func(t *testing.T) {
			t.Parallel()
			r := audited(t, serveHTTP(t, test.sound), Options{ConfigurationOnly: true})
			for _, other := range tests {
				if r.has(other.id) {
					t.Errorf("%s is found in a sound server", other.id)
				}
			}
			r = audited(t, serveHTTP(t, test.faulty), Options{ConfigurationOnly: true})
			wantFinding(t, r, test.id)
			for _, other := range tests {
				if other.id != test.id && r.has(other.id) {
					t.Errorf("%s is found too", other.id)
				}
			}
		})
	}
}

// Where http:// does not lead to https://, that is found; nothing is asked there unless the
// caller says where it is, and no redirect is followed.
func TestRedirectToTLS(t *testing.T) {
	for name, test := range map[string]struct {
		answer string
		found  bool
		says   string
	}{
		"to https://":     {"HTTP/1.1 301 Moved\r\nLocation: https://example.test/\r\n\r\n", false, "it answers 301"},
		"a page":          {"HTTP/1.1 200 OK\r\n\r\nwelcome", true, "it answers 200"},
		"to http://":      {"HTTP/1.1 302 Found\r\nLocation: http://www.example.test/\r\n\r\n", true, "Location: http://www"},
		"nothing there":   {"HTTP/1.1 404 Not Found\r\n\r\n", false, "it answers 404"},
		"another service": {"220 mail.example.test\r\n\r\n", false, "not HTTP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			clear := serve(t, func(conn net.Conn) {
				asked.Add(1)
				http.ReadRequest(bufio.NewReader(conn))
				io.WriteString(conn, test.answer)
			})
			at := serveHTTP(t, "HTTP/1.1 200 OK\r\n\r\n")
			if r := audited(t, at, Options{ConfigurationOnly: true}); r.has("no-redirect") || asked.Load() > 0 {
				t.Errorf("without being told where: %+v", r.Findings)
			}
			o := Options{ConfigurationOnly: true, Plain: func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", clear.Address)
			}}
			r := audited(t, at, o)
			if r.has("no-redirect") != test.found || asked.Load() != 1 || !strings.Contains(r.Feature(plainHTTP), test.says) {
				t.Errorf("%v, %d times: %q", r.has("no-redirect"), asked.Load(), r.Feature(plainHTTP))
			}
			if test.found {
				wantFinding(t, r, "no-redirect")
			}
		})
	}
}

// A server that serves whatever it is asked for, with a certificate that others may have too,
// can stand in for them.
func TestPreconditionOfALPACA(t *testing.T) {
	one, err := authority().Issue(devca.Leaf{Names: []string{"example.test"}})
	if err != nil {
		t.Fatal(err)
	}
	star, err := authority().Issue(devca.Leaf{Names: []string{"example.test", "*.example.test"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		config *tls.Config
		found  bool
	}{
		"a certificate of one name": {&tls.Config{Certificates: []tls.Certificate{one}}, false},
		"one for many":              {&tls.Config{Certificates: []tls.Certificate{star}}, true},
		"heeding ALPN":              {&tls.Config{Certificates: []tls.Certificate{star}, NextProtos: []string{"http/1.1"}}, false},
		"heeding names": {&tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if hello.ServerName == noName {
				return nil, errors.New("no such name")
			}
			return &star, nil
		}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := audited(t, serveTLS(t, test.config), Options{})
			if r.has("alpaca") != test.found {
				t.Errorf("%v: %q, %q", r.has("alpaca"), r.Feature("unknown protocols (ALPN)"), r.Feature("unknown names (SNI)"))
			}
			if test.found {
				wantFinding(t, r, "alpaca")
			}
		})
	}
}
