package httptls

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// earlyServer answers each request with its method, its header Early-Data and its body.
func earlyServer(t *testing.T) (addr string, client *tls.Config) {
	t.Helper()
	server, client := serverConfig(t), clientConfig()
	client.ServerName = "localhost"
	server.EarlyData = tls.EarlyData{MaxBytes: 4096, Protocols: []string{"http/1.1"}, Replay: session.SingleUse(session.NewMemory(1 << 20))}
	client.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	client.NextProtos = []string{"http/1.1"}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/once" {
			if err := Confirm(r); err != nil {
				t.Error(err)
			}
		}
		body, _ := io.ReadAll(r.Body)
		io.WriteString(w, strings.Join([]string{r.Method, strings.Join(r.Header["Early-Data"], "+"), string(body)}, " "))
		if complete := r.TLS.HandshakeComplete; complete == (r.Header.Get("Early-Data") == "1" && r.Header.Get("Spoofed") == "") {
			t.Errorf("%s %s: the handshake is complete: %v", r.Method, r.URL, complete)
		}
	})
	s := &Server{HTTP: &http.Server{Handler: handler}, TLS: server}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-done })
	return l.Addr().String(), client
}

// earlyRequest sends a request, early if that can be, and returns the answer's body.
func earlyRequest(t *testing.T, addr string, client *tls.Config, request string) (taken bool, answer string) {
	t.Helper()
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	raw.SetDeadline(time.Now().Add(20 * time.Second))
	c := tls.Client(raw, client)
	defer c.Close()
	if taken, err = c.HandshakeEarly(context.Background(), []byte(request)); err != nil {
		t.Fatal(err)
	}
	if !taken {
		io.WriteString(c, request)
	}
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return taken, string(body)
}

// A safe request in early data is served at once, with a header that says so. All others wait
// for the end of the handshake. RFC 8470 §3, §5.1.
func TestEarlyRequests(t *testing.T) {
	addr, client := earlyServer(t)
	if taken, answer := earlyRequest(t, addr, client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); taken || answer != "GET  " {
		t.Fatalf("the first connection: %v, %q", taken, answer)
	}
	for _, test := range []struct{ request, answer string }{
		{"GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET 1 "},
		{"GET /once HTTP/1.1\r\nHost: h\r\n\r\n", "GET  "},
		{"GET / HTTP/1.1\r\nHost: h\r\nEarly-Data: 0\r\nEarly-Data: no\r\n\r\n", "GET 1 "},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", "POST  body"},
		{"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", "GET  body"},
		{"DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", "DELETE  "},
		{"OPTIONS / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "OPTIONS 1 "},
	} {
		if taken, answer := earlyRequest(t, addr, client, test.request); !taken || answer != test.answer {
			t.Errorf("%q: taken %v, answer %q; want %q", test.request, taken, answer, test.answer)
		}
	}
}

// On a connection whose client has proved that it is there, the header is what the client says:
// it may be a proxy that passes on an early request. RFC 8470 §5.1.
func TestEarlyDataHeaderOfTheClient(t *testing.T) {
	addr, client := earlyServer(t)
	client.ClientSessionCache = nil
	if _, answer := earlyRequest(t, addr, client, "GET / HTTP/1.1\r\nHost: h\r\nEarly-Data: 1\r\nSpoofed: 1\r\n\r\n"); answer != "GET 1 " {
		t.Errorf("answer %q", answer)
	}
}
