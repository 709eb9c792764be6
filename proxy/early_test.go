package proxy

import (
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// hasty is a service that answers /late with 425 while a request is early, and others with what it is told.
func hasty(t testing.TB) (address string, seen func() string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var early []string
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		early = append(early, r.Method+r.Header.Get("Early-Data"))
		mu.Unlock()
		if r.URL.Path == "/late" && r.Header.Get("Early-Data") != "" {
			w.WriteHeader(http.StatusTooEarly)
			return
		}
		fmt.Fprint(w, r.Header.Get("Early-Data"))
	})}
	var running sync.WaitGroup
	running.Go(func() { srv.Serve(l) })
	t.Cleanup(func() { srv.Close(); running.Wait() })
	return l.Addr().String(), func() string {
		mu.Lock()
		defer mu.Unlock()
		got := strings.Join(early, " ")
		early = nil
		return got
	}
}

// A proxy with early-data sends safe requests on before the handshake is over, and says so; 425 goes back
// to the client, which asks once more. Where rules say which clients may come in, it waits for their proof.
func TestHTTPEarlyData(t *testing.T) {
	service, seen := hasty(t)
	server := serverTLS(t, "front.test", "closed.test")
	server.ClientAuth, server.ClientCA = "request", onePKI().folder+"/ca.pem"
	c := config.Config{
		Listeners: []config.Listener{{
			Listen: []string{"127.0.0.1:0"}, Mode: config.ModeHTTP, TLS: server, Target: "main", HTTP: &config.HTTP{EarlyData: true},
			Routes: []config.Route{{Names: []string{"closed.test"}, Allow: []string{"dns:good.test"}, Target: "main"}},
		}},
		Targets: map[string]config.Target{"main": {Addresses: []string{service}}},
	}
	var mu sync.Mutex
	handshakes, failed := 0, 0
	_, address := begin(t, c, event.Hooks{Handshaken: func(_ *event.Connection, h event.Handshake) {
		mu.Lock()
		defer mu.Unlock()
		if handshakes++; h.Err != nil {
			failed++
		}
	}})
	b := browser(t, address, false, onePKI().pair(t, "good.test"))
	transport := b.Transport.(*httptls.Transport)
	transport.EarlyData, transport.TLS.ClientSessionCache = true, tls.NewLRUClientSessionCache(0)
	ask := func(method, url string, header ...string) (status int, at string) {
		t.Helper()
		r, err := http.NewRequest(method, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range header {
			r.Header.Set(name, "1")
		}
		resp, err := b.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		b.CloseIdleConnections()
		return resp.StatusCode, seen()
	}
	for _, test := range []struct {
		method, url, want string
		status            int
		header            []string
	}{
		{"GET", "https://front.test/", "GET1", 200, nil},
		{"GET", "https://front.test/late", "GET1 GET", 200, nil},
		{"GET", "https://front.test/late", "GET1", 425, []string{"Early-Data"}},
	} {
		status, got := ask(test.method, test.url, test.header...)
		for tries := 0; tries < 50 && (got != test.want || status != test.status); tries++ { // a ticket may be late
			status, got = ask(test.method, test.url, test.header...)
		}
		if got != test.want || status != test.status {
			t.Errorf("%s %s: %d, the service has seen %q; want %q", test.method, test.url, status, got, test.want)
		}
	}
	for range 5 {
		if _, got := ask("POST", "https://front.test/"); got != "POST" {
			t.Errorf("POST: %q", got)
		}
		if _, got := ask("GET", "https://closed.test/"); got != "GET" {
			t.Errorf("where a rule judges clients: %q", got)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if handshakes < 8 || failed > 0 {
		t.Errorf("%d handshakes were told of, and %d have failed", handshakes, failed)
	}
}
