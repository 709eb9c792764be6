package httptls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// countedProxy is a proxy for CONNECT that knows the addresses its tunnels come from.
func countedProxy(t *testing.T) (u *url.URL, tunnels *sync.Map) {
	tunnels = new(sync.Map)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up, err := net.Dial("tcp", r.Host)
		if err != nil {
			t.Error(err)
			return
		}
		defer up.Close()
		tunnels.Store(up.LocalAddr().String(), true)
		tunnelTo(t, w, up)
	})}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return &url.URL{Scheme: "http", Host: l.Addr().String()}, tunnels
}

// A request meant for one proxy, or for none, never uses a connection that goes
// through another. That the way differs is all that the requests differ in.
func TestRequestsKeepToTheirProxy(t *testing.T) {
	for name, p := range map[string]*http.Protocols{"http1": only(true, false), "http2": only(true, true)} {
		t.Run(name, func(t *testing.T) {
			addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Protocols: p,
				Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RemoteAddr) })}})
			a, throughA := countedProxy(t)
			b, throughB := countedProxy(t)
			ways := map[string]*url.URL{"a": a, "b": b, "none": nil}
			asked := 0
			transport := &Transport{TLS: clientConfig(), HTTP: &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) {
				asked++
				return ways[r.Header.Get("Way")], nil
			}}}
			defer transport.CloseIdleConnections()
			from := make(map[string]bool)
			sent := 0
			for _, way := range strings.Fields("a b none a none b none a b a") {
				r, _ := http.NewRequest("GET", "https://"+addr, nil)
				r.Header.Set("Way", way)
				resp, err := transport.RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				sent++
				from[string(body)] = true
				_, viaA := throughA.Load(string(body))
				_, viaB := throughB.Load(string(body))
				if viaA != (way == "a") || viaB != (way == "b") {
					t.Errorf("request %d, meant for %s, went through a: %v, b: %v", sent, way, viaA, viaB)
				}
			}
			if len(from) != 3 {
				t.Errorf("%d connections for 3 ways", len(from))
			}
			if asked != sent {
				t.Errorf("Proxy was asked %d times for %d requests", asked, sent)
			}
		})
	}
}

// What is known of hosts and proxies does not grow for ever, and no connection is
// lost with what is forgotten.
func TestHostsAndProxiesAreForgotten(t *testing.T) {
	gone := errors.New("gone")
	transport := &Transport{HTTP: &http.Transport{
		DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, gone },
		Proxy: func(r *http.Request) (*url.URL, error) {
			return &url.URL{Scheme: "http", Host: "proxy-" + r.URL.Host}, nil
		},
	}}
	for i := range maxHosts + maxRoutes {
		if _, err := (&http.Client{Transport: transport}).Get(fmt.Sprintf("https://host-%d.test", i)); !errors.Is(err, gone) {
			t.Fatal(err)
		}
	}
	transport.mu.Lock()
	defer transport.mu.Unlock()
	if hosts, routes := len(transport.hosts.values()), len(transport.routes.values()); hosts != maxHosts || routes != maxRoutes {
		t.Errorf("%d hosts and %d routes are remembered, want %d and %d", hosts, routes, maxHosts, maxRoutes)
	}
}

// A proxy that a response still comes through is not forgotten, and those whose
// connections are idle are closed for those that come.
func TestProxiesInUseAreKept(t *testing.T) {
	leave := make(chan struct{})
	var open atomic.Int32
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.NewResponseController(w).Flush()
			if r.URL.Path == "/slow" {
				<-leave
			}
			io.WriteString(w, "whole")
		}),
		ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				open.Add(1)
			case http.StateClosed:
				open.Add(-1)
			}
		},
	}})
	proxy, _ := countedProxy(t)
	transport := &Transport{TLS: clientConfig(), HTTP: &http.Transport{
		Proxy: func(r *http.Request) (*url.URL, error) {
			u := *proxy
			u.User = url.User(r.Header.Get("User"))
			return &u, nil
		},
	}}
	ask := func(user, path string) *http.Response {
		r, _ := http.NewRequest("GET", "https://"+addr+path, nil)
		r.Header.Set("User", user)
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	slow := ask("slow", "/slow")
	for i := range 2 * maxRoutes {
		resp := ask(fmt.Sprint("user-", i), "/")
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	eventually(t, func() bool {
		resp := ask(fmt.Sprint("user-", open.Load(), "-more"), "/")
		resp.Body.Close()
		return open.Load() <= maxRoutes+5
	})
	close(leave)
	if body, err := io.ReadAll(slow.Body); string(body) != "whole" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	slow.Body.Close()
	transport.CloseIdleConnections()
	eventually(t, func() bool { return open.Load() == 0 })
}
