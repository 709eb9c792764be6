package tls

import (
	"context"
	stdtls "crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// served has net/http serve on a listener of ours, as a program does whose import path
// was changed, and returns the address.
func served(t *testing.T, config *Config) string {
	t.Helper()
	l, err := Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.NotFoundHandler(), ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() { server.Serve(l); close(done) }()
	t.Cleanup(func() { server.Close(); <-done })
	return l.Addr().String()
}

// Where HTTP/2 is agreed on and net/http speaks HTTP/1.1, either side's error says so
// and names the remedy.
func TestHTTP1OnHTTP2IsNamed(t *testing.T) {
	p := testPKI()
	config := p.server("ecdsa-p256")
	config.NextProtos = []string{"h2", "http/1.1"}
	addr := served(t, config)

	transport := &http.Transport{TLSClientConfig: &stdtls.Config{RootCAs: p.client().RootCAs, ServerName: "example.test", Time: p.client().Time}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	_, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://" + addr)
	if err == nil { // in words that depend on when the GOAWAY comes
		t.Error("a client of HTTP/2 is answered")
	}
	client := p.client()
	client.NextProtos = []string{"h2"}
	conn, err := Dial("tcp", addr, client)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	testDeadline(t, conn)
	io.WriteString(conn, preface)
	if answer, err := io.ReadAll(conn); !strings.HasSuffix(string(answer), useHTTPTLS) || err != nil {
		t.Errorf("a client of HTTP/2 reads %q, %v", answer, err)
	}

	dialer := &Dialer{Config: p.client()}
	dialer.Config.NextProtos = []string{"h2", "http/1.1"}
	transport = &http.Transport{DialTLSContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, addr)
	}}
	_, err = (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://example.test")
	var failure *HandshakeError
	if !errors.As(err, &failure) || failure.Hint != useHTTPTLS {
		t.Errorf("DialTLSContext: %v", err)
	}
}

// What is no mistake is let through: HTTP/1.1 that was agreed on, or nothing was, a
// server that tells a client that it speaks the wrong HTTP, and what is no HTTP.
func TestWhatIsNoMistakeIsLetThrough(t *testing.T) {
	p := testPKI()
	for _, test := range []struct{ alpn, request, answer string }{
		{"", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"},
		{"http/1.1", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"},
		{"h2", preface, "\x00\x00\x00\x04\x00\x00\x00\x00\x00"},
		{"h2", "\x16", "HTTP/1.1 400 Bad Request\r\n\r\n"},
		{"h2", "hello", "HTTP/1.1"},
	} {
		client, server := p.client(), p.server("ecdsa-p256")
		if test.alpn != "" {
			client.NextProtos, server.NextProtos = []string{test.alpn}, []string{test.alpn}
		}
		c, s, clientErr, serverErr := connect(t, client, server)
		if clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		testDeadline(t, c, s)
		for _, way := range []struct {
			from, to *Conn
			text     string
		}{{c, s, test.request}, {s, c, test.answer}} {
			got := make([]byte, len(way.text))
			if _, err := io.WriteString(way.from, way.text); err != nil {
				t.Errorf("%q, %q: %v", test.alpn, way.text, err)
			} else if _, err := io.ReadFull(way.to, got); err != nil || string(got) != way.text {
				t.Errorf("%q, %q: %q, %v", test.alpn, way.text, got, err)
			}
		}
	}
}

// HTTP in the clear is answered by a listener's connection; what is not HTTP is not, and
// nor is HTTP where the caller of Handshake has the error and the connection.
func TestHTTPInTheClearIsAnswered(t *testing.T) {
	p := testPKI()
	addr := served(t, p.server("ecdsa-p256"))
	r, err := (&http.Client{Timeout: 10 * time.Second}).Post("http://"+addr, "text/plain", strings.NewReader(strings.Repeat("x", 20000)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	r.Body.Close()
	if r.StatusCode != http.StatusBadRequest || string(body) != "Client sent an HTTP request to an HTTPS server.\n" || err != nil {
		t.Errorf("%s, %q, %v", r.Status, body, err)
	}

	ask := func(addr, words string) string {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		testDeadline(t, conn)
		io.WriteString(conn, words)
		answer, _ := io.ReadAll(conn) // a reset is an end too
		return string(answer)
	}
	if answer := ask(addr, "HELO example.test\r\n"); strings.Contains(answer, "HTTP") {
		t.Errorf("SMTP is answered %q", answer)
	}
	l, err := Listen("tcp", "127.0.0.1:0", p.server("ecdsa-p256"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	failed := make(chan error, 1)
	go func() {
		conn, err := l.Accept()
		if err == nil {
			err = conn.(*Conn).Handshake()
			conn.Close()
		}
		failed <- err
	}()
	answer := ask(l.Addr().String(), "GET / HTTP/1.1\r\n\r\n")
	if header := new(RecordHeaderError); !errors.As(<-failed, header) || header.Conn == nil || answer != "" {
		t.Errorf("answered %q in the caller's place", answer)
	}
}
