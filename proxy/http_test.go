package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/tls"
)

// website is a service behind, which says who is asked and by whom.
func website(t testing.TB, word string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s", word, r.Host, r.Header.Get("X-Forwarded-For"), body)
	})}
	var running sync.WaitGroup
	running.Go(func() { srv.Serve(l) })
	t.Cleanup(func() { srv.Close(); running.Wait() })
	return l.Addr().String()
}

// browser asks a proxy at address, whatever the name.
func browser(t testing.TB, address string, http2 bool, certs ...tls.Certificate) *http.Client {
	own := onePKI().client("")
	own.Certificates = certs
	inner := &http.Transport{Protocols: new(http.Protocols)}
	inner.Protocols.SetHTTP1(!http2)
	inner.Protocols.SetHTTP2(http2)
	transport := &httptls.Transport{TLS: own, HTTP: inner}
	transport.HTTP.DialContext = dialAlways(address)
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func get(c *http.Client, url string) (string, int, error) {
	resp, err := c.Get(url)
	if err != nil {
		return "", 0, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), resp.StatusCode, err
}

func TestHTTP(t *testing.T) {
	server := serverTLS(t, "front.test", "other.test", "closed.test")
	server.ClientAuth, server.ClientCA = "request", onePKI().folder+"/ca.pem"
	c := config.Config{
		Listeners: []config.Listener{{
			Listen: []string{"127.0.0.1:0"}, Mode: config.ModeHTTP, TLS: server, Target: "main",
			Routes: []config.Route{
				{Names: []string{"other.test"}, Target: "other"},
				{Names: []string{"closed.test"}, Allow: []string{"dns:good.test"}, Target: "other"},
			},
		}},
		Targets: map[string]config.Target{"main": {Addresses: []string{website(t, "main")}}, "other": {Addresses: []string{website(t, "other")}}},
	}
	closed := make(chan event.Result, 100)
	p, address := begin(t, c, event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r }})
	good := onePKI().pair(t, "good.test")
	for _, http2 := range []bool{false, true} {
		b := browser(t, address, http2)
		for url, want := range map[string]string{
			"https://front.test/": "main front.test 127.0.0.1 ", "https://other.test/": "other other.test 127.0.0.1 ",
		} {
			if got, code, err := get(b, url); got != want || code != 200 {
				t.Errorf("HTTP/2 %t: %s: %q, %d, %v", http2, url, got, code, err)
			}
		}
		if _, code, _ := get(b, "https://closed.test/"); code != http.StatusForbidden {
			t.Errorf("HTTP/2 %t: without a certificate: %d", http2, code)
		}
		b = browser(t, address, http2, good)
		if got, code, err := get(b, "https://closed.test/"); code != 200 || !strings.HasPrefix(got, "other") {
			t.Errorf("HTTP/2 %t: with a certificate: %q, %d, %v", http2, got, code, err)
		}
		// New rules hold for the next request on a connection of before.
		next := c
		next.Listeners = []config.Listener{c.Listeners[0]}
		next.Listeners[0].Routes = []config.Route{{Names: []string{"closed.test"}, Allow: []string{"dns:better.test"}, Target: "other"}}
		if err := p.Reload(next); err != nil {
			t.Fatal(err)
		}
		if _, code, err := get(b, "https://closed.test/"); code != http.StatusForbidden {
			t.Errorf("HTTP/2 %t: after the rules have changed: %d, %v", http2, code, err)
		}
		if err := p.Reload(c); err != nil {
			t.Fatal(err)
		}
	}
	resp, err := browser(t, address, false).Post("https://front.test/", "", strings.NewReader("0123456789"))
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	over := t.Context()
	p.Shutdown(over)
	var received, sent int64
	for len(closed) > 0 {
		r := <-closed
		received, sent = received+r.Received, sent+r.Sent
	}
	if received != 10 || sent == 0 {
		t.Errorf("%d bytes came, %d went", received, sent)
	}
}

// A rule on the server name asks for the name of the request, not for that of the connection.
func TestRuleOnTheNameOfARequest(t *testing.T) {
	server := serverTLS(t, "one.test", "two.test")
	server.ClientAuth, server.ClientCA = "require", onePKI().folder+"/ca.pem"
	c := config.Config{
		Listeners: []config.Listener{{
			Listen: []string{"127.0.0.1:0"}, Mode: config.ModeHTTP, TLS: server, Target: "main",
			Allow: []string{`cel:server_name == "one.test"`},
		}},
		Targets: map[string]config.Target{"main": {Addresses: []string{website(t, "main")}}},
	}
	_, address := begin(t, c)
	for name, want := range map[string]map[string]int{
		"one.test": {"one.test": 200, "two.test": 403}, "two.test": {"one.test": 200, "two.test": 403},
	} {
		own := onePKI().client(name)
		own.Certificates = []tls.Certificate{onePKI().pair(t, "good.test")}
		conn := dial(t, address, own)
		read := bufio.NewReader(conn)
		for _, host := range []string{"one.test", "two.test", "one.test", "two.test"} {
			fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", host)
			resp, err := http.ReadResponse(read, nil)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			if resp.StatusCode != want[host] {
				t.Errorf("%s on the connection for %s: %s", host, name, resp.Status)
			}
		}
	}
}

// The first request after a reload ends a connection whose listener has gone, or whose
// clients are judged by another authority now, though its file has the same name.
func TestConnectionsOfBefore(t *testing.T) {
	for _, gone := range []bool{true, false} {
		file := filepath.Join(t.TempDir(), "ca.pem")
		text, _ := os.ReadFile(onePKI().folder + "/ca.pem")
		write(t, file, string(text))
		server := serverTLS(t, "front.test")
		server.ClientAuth, server.ClientCA = "request", file
		c := at(config.Listener{Mode: config.ModeHTTP, TLS: server}, config.Target{Addresses: []string{website(t, "main")}})
		p, address := begin(t, c)
		conn := dial(t, address, onePKI().client("front.test"))
		read := bufio.NewReader(conn)
		ask := func() *http.Response {
			fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: front.test\r\n\r\n")
			resp, err := http.ReadResponse(read, nil)
			if err != nil {
				t.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			return resp
		}
		if resp := ask(); resp.StatusCode != 200 || resp.Close {
			t.Errorf("before: %s", resp.Status)
		}
		want := 200
		c.Listeners = slices.Clone(c.Listeners)
		if gone {
			c.Listeners[0].Listen = []string{"localhost:0"}
		} else {
			want = 421
			pair, _ := os.ReadFile(onePKI().issue(t, "stranger.test"))
			write(t, file, string(pair))
		}
		if err := p.Reload(c); err != nil {
			t.Fatal(err)
		}
		if resp := ask(); resp.StatusCode != want || !resp.Close {
			t.Errorf("gone %t: %s, close %t", gone, resp.Status, resp.Close)
		}
	}
}
