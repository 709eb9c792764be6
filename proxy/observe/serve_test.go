package observe

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
)

// serving is an Observer that answers at a unix socket, and the client that asks there.
func serving(t *testing.T, admin config.Admin) (*Observer, func(path string) (int, string)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "admin")
	admin.Listen = "unix:" + path
	o := observer(t, admin, config.Log{}, config.Traces{}, io.Discard)
	if err := o.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- o.Serve(ctx) }()
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return net.Dial("unix", path) }}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return o, func(path string) (int, string) {
		t.Helper()
		resp, err := (&http.Client{Transport: transport}).Get("http://admin" + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
}

// A proxy is alive as soon as it answers, and ready once its listeners are open and each
// target has an address; it says what is missing.
func TestHealth(t *testing.T) {
	o, get := serving(t, config.Admin{})
	is := func(path string, code int, words ...string) {
		t.Helper()
		got, body := get(path)
		for _, w := range words {
			if !strings.Contains(body, w) {
				t.Errorf("%s says %q, which has no %q", path, body, w)
			}
		}
		if got != code {
			t.Errorf("%s is %d: %s", path, got, body)
		}
	}
	is("/healthz", 200, "alive")
	is("/readyz", 503, "the listeners are not open yet")
	o.SetReady(true)
	checked := &config.Health{}
	o.Configured(&config.Config{Targets: map[string]config.Target{
		"web": {Addresses: []string{"a:1", "b:1"}, Health: checked}, "api": {Addresses: []string{"c:1"}},
	}})
	is("/readyz", 200, "ready\n")
	h := o.Hooks()
	h.Health("web", "a:1", false, io.EOF)
	is("/readyz", 200)
	h.Health("web", "b:1", false, io.EOF)
	is("/readyz", 503, `target "web": no address is up (a:1, b:1)`)
	o.Configured(&config.Config{Targets: map[string]config.Target{"web": {Addresses: []string{"a:1"}, Health: checked}}})
	is("/readyz", 503, `target "web": no address is up (a:1)`)
	h.Health("web", "a:1", true, nil)
	h.Health("web", "b:1", false, nil) // a check that ends late, of an address that is gone
	h.Health("old", "b:1", false, nil)
	is("/readyz", 200)
	h.Health("web", "a:1", false, nil)
	o.Configured(&config.Config{Targets: map[string]config.Target{"web": {Addresses: []string{"a:1"}}}})
	is("/readyz", 200)                 // without checks nobody knows
	h.Health("new", "d:1", false, nil) // a check that is faster than Configured
	o.Configured(&config.Config{Targets: map[string]config.Target{"new": {Addresses: []string{"d:1"}, Health: checked}}})
	is("/readyz", 503, `target "new": no address is up (d:1)`)
	h.Health("new", "d:1", true, nil)
	o.SetReady(false)
	is("/readyz", 503, "it is stopping")
	is("/healthz", 200)
}

func TestMetricsAreServed(t *testing.T) {
	o, get := serving(t, config.Admin{})
	everything(t, o)
	code, body := get("/metrics")
	if code != 200 || !strings.Contains(body, `vitrine_proxy_connections_accepted_total{listener=":443"} 2`) || !strings.Contains(body, "go_goroutines ") {
		t.Errorf("%d: %.2000s", code, body)
	}
}

// Profiles are there only if asked for, and never on the mux that every package shares.
func TestProfiles(t *testing.T) {
	_, get := serving(t, config.Admin{})
	if code, _ := get("/debug/pprof/"); code != 404 {
		t.Errorf("nobody asked for profiles: %d", code)
	}
	_, get = serving(t, config.Admin{PProf: true})
	for path, want := range map[string]int{"/debug/pprof/": 200, "/debug/pprof/heap": 200, "/debug/pprof/goroutine?debug=1": 200, "/debug/pprof/trace?seconds=1": 200, "/debug/pprof/no-such": 404} {
		if code, body := get(path); code != want || body == "" {
			t.Errorf("%s: %d, %d bytes", path, code, len(body))
		}
	}
	r, _ := http.NewRequest("GET", "/debug/pprof/", nil)
	if _, pattern := http.DefaultServeMux.Handler(r); pattern != "" {
		t.Errorf("the mux of net/http answers at %q", pattern)
	}
}

// Nothing but GET and HEAD does anything, a huge header is refused, and one that never ends is cut off.
func TestHostileOperators(t *testing.T) {
	o, get := serving(t, config.Admin{})
	path := o.Addr().String()
	ask := func(request string) string {
		t.Helper()
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		go io.WriteString(conn, request)
		line, _ := bufio.NewReader(conn).ReadString('\n')
		return strings.TrimSpace(line)
	}
	for request, want := range map[string]string{
		"POST /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n": "HTTP/1.1 405 Method Not Allowed",
		"GET /etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n":                    "HTTP/1.1 404 Not Found",
		"GET / HTTP/1.1\r\nX: " + strings.Repeat("x", 64<<10) + "\r\n":   "HTTP/1.1 431 Request Header Fields Too Large",
	} {
		if got := ask(request); got != want {
			t.Errorf("%.40q: %q", request, got)
		}
	}
	// Scrapers that read nothing do not stop health checks.
	for range mostOperators / 2 {
		conn, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
	}
	if code, _ := get("/healthz"); code != 200 {
		t.Errorf("%d", code)
	}
}

// A socket that a dead process has left is taken over; one in use, and a file, are not.
func TestUnixSockets(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "admin")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listen("unix:" + path); err == nil {
		t.Error("a socket in use was taken")
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	taken, err := listen("unix:" + path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	taken.Close()
	if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := listen("unix:" + path); err == nil {
		t.Error("a file was taken")
	}
	if text, _ := os.ReadFile(path); string(text) != "mine" {
		t.Errorf("%q", text)
	}
}

// Serve says why it cannot answer; without an address there is nothing to do.
func TestServeFails(t *testing.T) {
	if err := observer(t, config.Admin{}, config.Log{}, config.Traces{}, io.Discard).Serve(t.Context()); err != nil {
		t.Error(err)
	}
	o := observer(t, config.Admin{Listen: "unix:/no/such/folder"}, config.Log{}, config.Traces{}, io.Discard)
	if err := o.Serve(t.Context()); err == nil || !strings.Contains(fmt.Sprint(err), "admin.listen") {
		t.Error(err)
	}
	o = observer(t, config.Admin{Listen: "127.0.0.1:0"}, config.Log{}, config.Traces{}, io.Discard)
	if err := o.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second/10)
	defer cancel()
	if err := o.Serve(ctx); err != nil {
		t.Error(err)
	}
}
