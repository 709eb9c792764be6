package interop

import (
	"context"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
)

// nginxEarly is nginx that takes early data. /early says whether the request came so, and /late answers
// such requests by 425. What it answers, it writes as a log.
var nginxEarly = nginxServer("early data", `
    ssl_protocols TLSv1.3;
    ssl_early_data on;
    access_log /dev/stdout combined;
    default_type text/plain;
    location = /early { return 200 "early: <$ssl_early_data>\n"; }
    location = /late { if ($ssl_early_data) { return 425; } return 200 "in time\n"; }
`).listening("")

// A request of our Transport reaches nginx as early data, and one that nginx answers by 425 is sent
// again behind the handshake, without the caller. RFC 8470 §5.2.
func TestEarlyDataToNginx(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	at, nginx := nginxEarly.open(ctx, t, material)
	transport := &httptls.Transport{EarlyData: true, TLS: &tls.Config{RootCAs: material.pool, ServerName: serverName, ClientSessionCache: tls.NewLRUClientSessionCache(0)}}
	defer transport.CloseIdleConnections()
	ask := func(method, path string) string {
		t.Helper()
		transport.CloseIdleConnections()
		r, err := http.NewRequestWithContext(ctx, method, "https://"+at.Address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := transport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.Status + ": " + strings.TrimSpace(string(text))
	}
	// A request without a ticket is not early, nor is one whose handshake ends before nginx reads it.
	until := func(method, path, want string, over func() bool) {
		t.Helper()
		for range 50 {
			if got := ask(method, path); got == want && over() {
				return
			} else if got != want && got != "200 OK: early: <>" {
				t.Fatalf("%s %s: %q, not %q", method, path, got, want)
			}
		}
		t.Fatalf("%s %s: it does not come to %q\n%s", method, path, want, nginx.text())
	}
	if got := ask("GET", "/early"); got != "200 OK: early: <>" { // there is no ticket yet
		t.Error(got)
	}
	until("GET", "/early", "200 OK: early: <1>", func() bool { return true })
	if got := ask("POST", "/early"); got != "200 OK: early: <>" {
		t.Error(got)
	}
	// The log is written before the answer is sent, and comes by a pipe.
	refused := func() bool { return strings.Contains(nginx.text(), `"GET /late HTTP/1.1" 425`) }
	until("GET", "/late", "200 OK: in time", refused)
}

// The command sends early data to nginx, and shows that nginx took it.
func TestTheCommandSendsEarlyDataToNginx(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	at, _ := nginxEarly.open(ctx, t, material)
	program := builtCommand(t, t.TempDir())
	request := `GET /early HTTP/1.0\r\nHost: ` + serverName + `\r\n\r\n`
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"connect", "--send", "none"}, []string{"early: <", "early data accepted"}},
		{[]string{"explain"}, []string{"early data: the server took it before the handshake was complete", "EndOfEarlyData"}},
	} {
		args := append(c.args, at.Address, "--ca", material.caFile(), "--sni", serverName, "--early-data", request)
		out, err := exec.CommandContext(ctx, program, args...).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", c.args[0], err, out)
		}
		for _, want := range c.want {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s does not say %q:\n%s", c.args[0], want, out)
			}
		}
	}
}
