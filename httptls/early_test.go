package httptls

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// earlyConfigs are of two ends that take and send early data.
func earlyConfigs(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	server, client = serverConfig(t), clientConfig()
	client.ServerName = "localhost"
	server.EarlyData = tls.EarlyData{MaxBytes: 4096, Protocols: []string{"http/1.1"}, Replay: session.SingleUse(session.NewMemory(1 << 20))}
	client.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	client.NextProtos = []string{"http/1.1"}
	return server, client
}

// earlyServer answers each request with its method, its header Early-Data and its body.
func earlyServer(t *testing.T) (addr string, client *tls.Config) {
	t.Helper()
	server, client := earlyConfigs(t)
	return serveEarly(t, &Server{TLS: server}, func(w http.ResponseWriter, r *http.Request) {
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
	}), client
}

// serveEarly has a Server serve on an address.
func serveEarly(t *testing.T, s *Server, handler http.HandlerFunc) (addr string) {
	t.Helper()
	if s.HTTP == nil {
		s.HTTP = new(http.Server)
	}
	s.HTTP.Handler, s.HTTP.ErrorLog = handler, log.New(io.Discard, "", 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() { s.Close(); <-done })
	return l.Addr().String()
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
		{"GET /once HTTP/1.1\r\nHost: h\r\nEarly-Data: 1\r\nSpoofed: 1\r\n\r\n", "GET 1 "},
		{"POST /once HTTP/1.1\r\nHost: h\r\nEarly-Data: 1\r\nSpoofed: 1\r\nContent-Length: 0\r\n\r\n", "POST 1 "},
		{"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n", "GET  "},
		{"GET / HTTP/1.1\r\nHost: h\r\nEarly-Data: 0\r\nEarly-Data: no\r\n\r\n", "GET 1 "},
		{"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", "POST  body"},
		{"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nbody", "GET  body"},
		{"DELETE / HTTP/1.1\r\nHost: h\r\n\r\n", "DELETE  "},
		{"OPTIONS / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", "OPTIONS 1 "},
	} {
		taken, answer := earlyRequest(t, addr, client, test.request)
		// It is tried again where a connection was over before its ticket had come, and where the
		// handshake was over before the request was read, which is no early one then.
		for tries := 0; tries < 50 && (!taken || answer != test.answer && strings.Contains(test.answer, " 1 ")); tries++ {
			taken, answer = earlyRequest(t, addr, client, test.request)
		}
		if !taken || answer != test.answer {
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

// deaf never hears what its peer answers, as somebody who sends a recorded first flight.
type deaf struct {
	net.Conn
	over chan struct{}
}

func (c deaf) Read([]byte) (int, error) { <-c.over; return 0, io.EOF }

// A handler that hijacks an early request gets nothing of it before the client has proved that
// it is there; and no connection if it does not.
func TestHijackWaitsForTheHandshake(t *testing.T) {
	server, client := earlyConfigs(t)
	got := make(chan string, 1)
	addr := serveEarly(t, &Server{TLS: server, HandshakeTimeout: 2 * time.Second}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			return
		}
		said := "no connection"
		defer func() { got <- said }()
		c, buf, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		complete := TLSConn(c).ConnectionState().HandshakeComplete
		secret := make([]byte, 6)
		io.ReadFull(buf, secret)
		said = fmt.Sprintf("%s, complete: %v", secret, complete)
		io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
	})
	earlyRequest(t, addr, client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	const request = "GET /hijack HTTP/1.1\r\nHost: h\r\n\r\nsecret"
	if taken, _ := earlyRequest(t, addr, client, request); !taken {
		t.Fatal("not taken")
	}
	if said := <-got; said != "secret, complete: true" {
		t.Error(said)
	}
	earlyRequest(t, addr, client, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n") // for another ticket
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go tls.Client(deaf{raw, over}, client).HandshakeEarly(context.Background(), []byte(request))
	if said := <-got; said != "no connection" {
		t.Errorf("a copy: %s", said)
	}
	close(over)
}

// The end of the handshake is told of, also where the connection is closed before.
func TestEarlyConnectionClosedBeforeTheHandshake(t *testing.T) {
	server, client := earlyConfigs(t)
	ended := make(chan Handshake, 4)
	addr := serveEarly(t, &Server{TLS: server, OnHandshake: func(h Handshake) { ended <- h }}, func(http.ResponseWriter, *http.Request) {})
	earlyRequest(t, addr, client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if h := <-ended; h.Err != nil {
		t.Fatal(h.Err)
	}
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	defer close(over)
	go tls.Client(deaf{raw, over}, client).HandshakeEarly(context.Background(), []byte("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"))
	select {
	case h := <-ended:
		if !errors.Is(h.Err, errClosedEarly) {
			t.Error(h.Err)
		}
	case <-time.After(8 * time.Second): // HandshakeTimeout is 10
		t.Error("nobody is told of the handshake's end")
	}
}

// HTTP/2 serves several early requests of a connection at once: their headers have nothing in common.
func TestEachEarlyRequestHasItsHeader(t *testing.T) {
	c := &serverConn{early: new(unconfirmed)}
	one, err := c.admit(httptest.NewRequest("GET", "/", nil))
	other, otherErr := c.admit(httptest.NewRequest("GET", "/", nil))
	if err != nil || otherErr != nil {
		t.Fatal(err, otherErr)
	}
	one.Header["Early-Data"][0] = "changed"
	if got := other.Header.Get("Early-Data"); got != "1" {
		t.Errorf("the other request says %q", got)
	}
}
