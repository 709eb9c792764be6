package scan

import (
	"bufio"
	"io"
	"net"
	"net/http"
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
