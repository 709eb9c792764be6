package lab

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/lab"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// serving is a lab that listens.
func serving(t *testing.T) *site {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSite(l.Addr().(*net.TCPAddr))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- serveUntil(ctx, l, s) }()
	t.Cleanup(func() {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// A request to the lab, and what of it is not as the lab's own page would send it.
type asked struct {
	method, path, body string
	set                func(r *http.Request)
}

func (s *site) send(t *testing.T, a asked) (status int, header http.Header, body string) {
	t.Helper()
	r, err := http.NewRequest(a.method, "http://"+s.guard.hosts[0]+a.path, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	if a.method == http.MethodPost {
		r.Header.Set("Origin", "http://"+s.guard.hosts[0])
	}
	r.AddCookie(&http.Cookie{Name: s.guard.name, Value: s.guard.cookie})
	if a.set != nil {
		a.set(r)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(b)
}

// Only the browser that was given the token is let in, and only pages of the lab itself.
func TestGuard(t *testing.T) {
	s := serving(t)
	none := func(r *http.Request) { r.Header.Del("Cookie") }
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	_, port, _ := net.SplitHostPort(s.guard.hosts[0])
	for name, c := range map[string]struct {
		asked
		want int
	}{
		"the page, with the token":           {asked{"GET", "/?token=" + s.guard.token, "", none}, 200},
		"the page, with the cookie":          {asked{"GET", "/", "", nil}, 200},
		"the catalog, with the cookie":       {asked{"GET", "/api/catalog", "", nil}, 200},
		"a run, with the cookie":             {asked{"POST", "/api/run", "{}", nil}, 200},
		"localhost":                          {asked{"GET", "/", "", host("localhost:" + port)}, 200},
		"the page, without either":           {asked{"GET", "/", "", none}, 403},
		"another token":                      {asked{"GET", "/?token=" + s.guard.cookie, "", none}, 403},
		"the token without its end":          {asked{"GET", "/?token=" + s.guard.token[:20], "", none}, 403},
		"the token for something else":       {asked{"GET", "/api/catalog?token=" + s.guard.token, "", none}, 403},
		"the token for a run":                {asked{"POST", "/api/run?token=" + s.guard.token, "{}", none}, 403},
		"a script, without the cookie":       {asked{"GET", "/assets/main.js", "", none}, 403},
		"another cookie":                     {asked{"GET", "/", "", header("Cookie", s.guard.name+"="+s.guard.token)}, 403},
		"a run, without the cookie":          {asked{"POST", "/api/run", "{}", none}, 403},
		"DNS rebinding":                      {asked{"GET", "/", "", host("evil.example:" + port)}, 421},
		"DNS rebinding, with the token":      {asked{"GET", "/?token=" + s.guard.token, "", host("evil.example")}, 421},
		"the address without its port":       {asked{"GET", "/", "", host("127.0.0.1")}, 421},
		"another port":                       {asked{"GET", "/", "", host("127.0.0.1:1")}, 421},
		"CSRF, by a form":                    {asked{"POST", "/api/run", "{}", header("Origin", "http://evil.example")}, 403},
		"CSRF, from nowhere":                 {asked{"POST", "/api/run", "{}", header("Origin", "null")}, 403},
		"CSRF, without an Origin":            {asked{"POST", "/api/run", "{}", func(r *http.Request) { r.Header.Del("Origin") }}, 403},
		"CSRF, from another port":            {asked{"POST", "/api/run", "{}", header("Origin", "http://127.0.0.1:1")}, 403},
		"CSRF, by https":                     {asked{"POST", "/api/run", "{}", header("Origin", "https://"+s.guard.hosts[0])}, 403},
		"a link with the token":              {asked{"GET", "/?token=" + s.guard.token, "", header("Sec-Fetch-Site", "cross-site")}, 200},
		"a link of another page":             {asked{"GET", "/", "", header("Sec-Fetch-Site", "cross-site")}, 403},
		"an image of another page":           {asked{"GET", "/run/1/client", "", header("Sec-Fetch-Site", "same-site")}, 403},
		"the lab's own page":                 {asked{"GET", "/api/catalog", "", header("Sec-Fetch-Site", "same-origin")}, 200},
		"an address that was typed":          {asked{"GET", "/", "", header("Sec-Fetch-Site", "none")}, 200},
		"another method":                     {asked{"DELETE", "/run/1/client", "", header("Origin", "http://"+s.guard.hosts[0])}, 405},
		"no such page":                       {asked{"GET", "/etc/passwd", "", nil}, 404},
		"no file above the assets":           {asked{"GET", "/assets/..%2f..%2fsite.go", "", nil}, 404},
		"no such run":                        {asked{"GET", "/run/999/client", "", nil}, 404},
		"no such side":                       {asked{"GET", "/run/1/attacker", "", nil}, 404},
		"no such experiment":                 {asked{"POST", "/api/experiment", `{"name":"heartbleed"}`, nil}, 404},
		"what is no JSON":                    {asked{"POST", "/api/run", "x", nil}, 400},
		"a field that there is not":          {asked{"POST", "/api/run", `{"setup":{"cipher":"x"}}`, nil}, 400},
		"too much":                           {asked{"POST", "/api/run", `{"setup":{"request":"` + strings.Repeat("x", maxBody) + `"}}`, nil}, 400},
		"a setup that makes no sense":        {asked{"POST", "/api/run", `{"setup":{"min":"TLS 9"}}`, nil}, 422},
		"a deviation that makes no sense":    {asked{"POST", "/api/run", `{"deviation":{"kind":"wish"}}`, nil}, 422},
		"places of a run that there is not":  {asked{"POST", "/api/touches", `{"run":"999","side":"client"}`, nil}, 404},
		"a preflight request of another one": {asked{"OPTIONS", "/api/run", "", header("Origin", "http://evil.example")}, 403},
	} {
		t.Run(name, func(t *testing.T) {
			status, header, body := s.send(t, c.asked)
			if status != c.want {
				t.Errorf("%d, want %d: %s", status, c.want, body)
			}
			if set := header.Get("Set-Cookie"); (set != "") != (status == 200 && strings.Contains(c.path, "/?token")) || set != "" && !strings.Contains(set, "HttpOnly; SameSite=Strict") {
				t.Errorf("the cookie: %q", set)
			}
			if status != 200 && strings.Contains(body, s.guard.token) || strings.Contains(body, s.guard.cookie) {
				t.Error("the answer gives a secret away")
			}
			for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials"} {
				if header.Get(name) != "" {
					t.Errorf("%s: %s", name, header.Get(name))
				}
			}
			if header.Get("Content-Security-Policy") == "" || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("X-Frame-Options") != "SAMEORIGIN" || header.Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%v", header)
			}
		})
	}
}

// post asks for something, and reads the answer.
func post[T any](t *testing.T, s *site, path string, body any) (answer T) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	status, _, text := s.send(t, asked{"POST", path, string(b), nil})
	if status != 200 {
		t.Fatalf("%s: %d %s", path, status, text)
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// A run, what can be done at a place of it, and that done.
func TestTouched(t *testing.T) {
	s := serving(t)
	honest := post[shown](t, s, "/api/run", map[string]any{"setup": lab.Setup{Max: "TLS 1.2"}})
	if honest.Finding.Outcome != lab.Honest || honest.Version != "TLS 1.2" {
		t.Fatalf("%+v", honest)
	}
	touches := post[[]lab.Touch](t, s, "/api/touches", map[string]any{"run": honest.ID, "side": "client", "at": lab.Selection{Record: 2, Layer: "wire", Offset: 20, Message: "ServerHello"}})
	if len(touches) < 8 || touches[0].Deviation.Kind != "flip" {
		t.Fatalf("%+v", touches)
	}
	run := post[shown](t, s, "/api/run", map[string]any{"setup": honest.Setup, "deviation": touches[0].Deviation})
	if run.Finding.By != "client" || run.Finding.Alert != "decrypt_error" || run.Finding.Without == "" {
		t.Errorf("%+v", run)
	}
	for _, side := range []string{"client", "server"} {
		status, header, page := s.send(t, asked{"GET", "/run/" + run.ID + "/" + side, "", nil})
		if status != 200 || !strings.Contains(page, `"side":"`+side+`"`) || header.Get("Content-Security-Policy") != "frame-ancestors 'self'" || !strings.Contains(page, "Content-Security-Policy") {
			t.Errorf("%s: %d, %v", side, status, header)
		}
	}
}

// An experiment is told with its claims, and each of its runs has its accounts.
func TestPlayed(t *testing.T) {
	s := serving(t)
	p := post[struct {
		Title  string
		Runs   []shown
		Claims []lab.Claim
	}](t, s, "/api/experiment", map[string]string{"name": "truncation"})
	if len(p.Runs) != 4 || len(p.Claims) != 4 || !p.Claims[0].Holds || p.Title == "" || p.Runs[1].Title == "" {
		t.Fatalf("%+v", p)
	}
	if status, _, _ := s.send(t, asked{"GET", "/run/" + p.Runs[3].ID + "/server", "", nil}); status != 200 {
		t.Error(status)
	}
}

// One run at a time: while one is under way others are told to wait.
func TestOneAtATime(t *testing.T) {
	s := serving(t)
	s.running.Lock()
	status, header, body := s.send(t, asked{"POST", "/api/run", "{}", nil})
	s.running.Unlock()
	if status != http.StatusTooManyRequests || header.Get("Retry-After") == "" || !strings.Contains(body, "under way") {
		t.Errorf("%d %s", status, body)
	}
	if status, _, body := s.send(t, asked{"POST", "/api/run", "{}", nil}); status != 200 {
		t.Errorf("afterwards: %d %s", status, body)
	}
}

// The last runs are kept, and no more.
func TestKept(t *testing.T) {
	var k kept
	r, err := lab.Run(t.Context(), lab.Setup{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 * maxKept {
		k.add("", r)
	}
	if len(k.runs) != maxKept {
		t.Errorf("%d runs are kept", len(k.runs))
	}
	for id, want := range map[int]bool{1: false, 2 * maxKept: false, 2*maxKept + 1: true, 3 * maxKept: true} {
		if _, ok := k.account(fmt.Sprint(id), "server"); ok != want {
			t.Errorf("run %d is kept: %v", id, ok)
		}
	}
}

// The lab listens on the loopback interface alone.
func TestOnLoopback(t *testing.T) {
	for at, want := range map[string]bool{"127.0.0.1:0": true, "[::1]:0": true, "127.9.9.9:1": true, ":0": false, "0.0.0.0:0": false, "192.168.1.1:80": false, "[::]:0": false, "localhost:0": false, "example.com:1": false} {
		if err := onLoopback(at); (err == nil) != want || err != nil && report.ExitCode(err) != report.ExitUsage {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// What the page's files load is in the page's folder, and nothing is from elsewhere.
func TestNothingIsFromElsewhere(t *testing.T) {
	files, err := assets.ReadDir("assets")
	if err != nil || len(files) < 8 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		b, err := assets.ReadFile("assets/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"style=", "innerHTML", "eval(", "@import", "url(", "onclick", "src=\"http", "href=\"http", "localStorage"} {
			if strings.Contains(string(b), bad) {
				t.Errorf("%s holds %s", f.Name(), bad)
			}
		}
	}
}

// The verb writes the address, serves there until it is told to stop, and fails where it
// cannot listen.
func TestVerb(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	cmd, out, done := New(), make(chan string, 1), make(chan error, 1)
	cmd.SetContext(ctx)
	cmd.SetArgs([]string{"--json"})
	cmd.SetOut(writer(func(b []byte) { out <- string(b) }))
	go func() { done <- cmd.Execute() }()
	var told Lab
	if err := json.Unmarshal([]byte(<-out), &told); err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(told.URL)
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || answer.StatusCode != 200 || !strings.Contains(string(page), "assets/main.js") {
		t.Errorf("%v, %d: %s", err, answer.StatusCode, page)
	}
	at := strings.TrimPrefix(strings.Split(told.URL, "/?")[0], "http://")
	taken := New()
	taken.SetArgs([]string{"--listen", at})
	taken.SetErr(io.Discard)
	if err := taken.Execute(); err == nil || report.ExitCode(err) != report.ExitNetwork {
		t.Errorf("a port that is taken: %v", err)
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The file that --open shows leads to the page, and only its owner can read it.
func TestDoor(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	name, err := doorTo("http://127.0.0.1:1/?token=x")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	info, statErr := os.Stat(name)
	if err != nil || statErr != nil || info.Mode().Perm() != 0o600 || strings.Count(string(b), "http://127.0.0.1:1/?token=x") != 2 {
		t.Errorf("%v, %v: %s", err, statErr, b)
	}
	t.Setenv("TMPDIR", name) // no folder
	if _, err := doorTo("x"); report.ExitCode(err) != report.ExitUsage {
		t.Error(err)
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) {
	w(b)
	return len(b), nil
}
