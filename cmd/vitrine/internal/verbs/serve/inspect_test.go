package serve

import (
	"bufio"
	stdtls "crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

// inspecting is a server with --inspect, what its clients trust, and word of each
// connection that has ended.
func inspecting(t *testing.T) (at string, client *stdtls.Config, i *inspector, ended chan struct{}) {
	t.Helper()
	ca, err := devca.New("localhost")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"localhost", "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	o := &options{inspect: true}
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	srv := o.server(config, fstest.MapFS{"file": {Data: []byte("a file")}}, slog.New(slog.DiscardHandler))
	ended = make(chan struct{}, 256)
	then := srv.HTTP.ConnState
	srv.HTTP.ConnState = func(c net.Conn, s http.ConnState) {
		if then(c, s); s == http.StateClosed {
			ended <- struct{}{}
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		<-done
	})
	return l.Addr().String(), &stdtls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}, &o.inspector, ended
}

// A browser is a client with connections of its own.
func client(config *stdtls.Config, http2 bool) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: http2}}
}

func get(t *testing.T, c *http.Client, url string, set ...func(*http.Request)) (status int, body []byte, proto string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range set {
		f(r)
	}
	answer, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, err = io.ReadAll(answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, body, answer.Proto
}

// keyLog is what a client writes of its secrets.
type keyLog struct {
	mu    sync.Mutex
	lines string
}

func (k *keyLog) Write(b []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.lines += string(b)
	return len(b), nil
}

// Many clients ask at once, in HTTP/1.1 and HTTP/2, again and again, and each sees the
// account of the very connection on which it asked: the secrets in it are its own, and
// nobody else's.
func TestInspectIsOnesOwn(t *testing.T) {
	at, config, _, _ := inspecting(t)
	var all sync.WaitGroup
	for n := range 24 {
		all.Go(func() {
			own := new(keyLog)
			mine := config.Clone()
			mine.KeyLogWriter = own
			if n%3 == 0 {
				mine.MaxVersion = stdtls.VersionTLS12
			}
			c := client(mine, n%2 == 0)
			defer c.CloseIdleConnections()
			for k := range 4 {
				mark := fmt.Sprintf("client-%d-%d", n, k)
				get(t, c, "https://"+at+"/file?"+mark)
				status, body, proto := get(t, c, "https://"+at+inspectPath+"?format=json")
				var account explain.Connection
				if err := json.Unmarshal(body, &account); status != 200 || err != nil {
					t.Errorf("%d, %v", status, err)
					return
				}
				if (proto == "HTTP/2.0") != (n%2 == 0) || account.Side != "server" || !account.Summary.Complete {
					t.Errorf("%s, %+v", proto, account.Summary)
				}
				secrets := 0
				for _, e := range account.Events {
					logged := map[string]string{"TLS 1.2": "master_secret", "TLS 1.3": "client_application_traffic_secret_0"}
					if e.Secret == nil || e.Secret.Name != logged[account.Summary.Version] {
						continue
					}
					own.mu.Lock()
					if !strings.Contains(own.lines, e.Secret.Value.String()) {
						t.Errorf("client %d is shown a secret that is not its own: %s", n, e.Secret.Name)
					}
					own.mu.Unlock()
					secrets++
				}
				if secrets != 1 {
					t.Error("the account has no secret to tell it by")
				}
			}
		})
	}
	all.Wait()
	c := client(config, true)
	defer c.CloseIdleConnections()
	if status, body, _ := get(t, c, "https://"+at+inspectPath); status != 200 || !strings.Contains(string(body), "JA4 t13") {
		t.Errorf("%d: no JA4", status)
	}
}

// What was kept of a connection is forgotten when it ends, also where its handshake failed.
func TestInspectForgets(t *testing.T) {
	at, config, i, ended := inspecting(t)
	const each = 8
	for range each {
		c := client(config, true)
		if status, _, _ := get(t, c, "https://"+at+"/file"); status != 200 {
			t.Error(status)
		}
		c.CloseIdleConnections()
		raw, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(raw, "GET / HTTP/1.0\r\n\r\n")
		_, _ = bufio.NewReader(raw).ReadString(0) // until the server has ended it
		raw.Close()
	}
	for range 2 * each {
		<-ended
	}
	if n := i.count.Load(); n != 0 {
		t.Errorf("%d connections are counted", n)
	}
	i.open.Range(func(any, any) bool {
		t.Error("a connection that has ended is kept")
		return true
	})
}

// Of more connections than there is room for nothing is kept, and the client is told.
func TestInspectIsBounded(t *testing.T) {
	at, config, i, _ := inspecting(t)
	i.count.Store(mostInspected)
	c := client(config, false)
	defer c.CloseIdleConnections()
	status, body, _ := get(t, c, "https://"+at+inspectPath)
	if status != http.StatusServiceUnavailable || !strings.Contains(string(body), "Connect again") || i.count.Load() != mostInspected {
		t.Errorf("%d: %s; %d", status, body, i.count.Load())
	}
	if status, body, _ := get(t, c, "https://"+at+"/file"); status != 200 || string(body) != "a file" {
		t.Errorf("a file: %d %s", status, body)
	}
}

// The account goes to its own client alone, in the form that the request names.
func TestInspectAnswers(t *testing.T) {
	at, config, _, _ := inspecting(t)
	c := client(config, true)
	defer c.CloseIdleConnections()
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, x := range map[string]struct {
		query  string
		set    func(*http.Request)
		status int
		has    string
	}{
		"a page":                   {"", nil, 200, "<!doctype html>"},
		"JSON":                     {"?format=json", nil, 200, `"format": "vitrine.explain/1"`},
		"text":                     {"?format=text", nil, 200, "ClientHello"},
		"another format":           {"?format=pdf", nil, 400, "html, json and text"},
		"in Chinese":               {"?lang=zh", nil, 200, `"lang":"zh"`},
		"by a proxy":               {"", header("Via", "1.1 proxy"), 403, "proxy"},
		"by another kind of proxy": {"", header("X-Forwarded-For", "192.0.2.1"), 403, "proxy"},
		"for a page of others":     {"", header("Sec-Fetch-Site", "cross-site"), 403, "Pages of others"},
		"by a link": {"", func(r *http.Request) {
			r.Header.Set("Sec-Fetch-Site", "cross-site")
			r.Header.Set("Sec-Fetch-Mode", "navigate")
		}, 200, "<!doctype html>"},
		"by POST": {"", func(r *http.Request) { r.Method = http.MethodPost }, 405, "GET and HEAD"},
	} {
		t.Run(name, func(t *testing.T) {
			set := x.set
			if set == nil {
				set = func(*http.Request) {}
			}
			status, body, _ := get(t, c, "https://"+at+inspectPath+x.query, set)
			if status != x.status || !strings.Contains(string(body), x.has) {
				t.Errorf("%d: %.200s", status, body)
			}
		})
	}
	if status, _, _ := get(t, c, "https://"+at+inspectPath+"/x"); status != 404 {
		t.Error(status)
	}
}
