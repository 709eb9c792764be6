package proxy

import (
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/proxy/observe"
	"github.com/vitrine-tls/vitrine/tls"
)

// What an operator sees is what a real proxy does: a connection is counted, and a target's
// first check is told, also after a reload.
func TestWhatOperatorsSee(t *testing.T) {
	target, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	go func() {
		for {
			conn, err := target.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "hello")
			conn.Close()
		}
	}()
	seen, err := observe.New(config.Admin{}, config.Log{}, config.Traces{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer seen.Close()
	c := at(config.Listener{TLS: serverTLS(t, "operators.example")}, config.Target{Addresses: []string{target.Addr().String()}, Health: &config.Health{}})
	states, closed := make(chan bool, 16), make(chan struct{}, 1)
	p, where := begin(t, c, seen.Hooks(), event.Hooks{
		Health: func(_, _ string, up bool, _ error) { states <- up },
		Closed: func(*event.Connection, event.Result) { closed <- struct{}{} },
	})
	seen.Configured(&c)
	seen.SetReady(true)
	if !<-states {
		t.Error("the target is down")
	}
	if err := p.Reload(c); err != nil {
		t.Fatal(err)
	}
	if !<-states { // told again: a target that was down before the reload may be up now
		t.Error("the target is down after the reload")
	}
	conn, err := tls.Dial("tcp", where, onePKI().client("operators.example"))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(conn); string(text) != "hello" {
		t.Errorf("%q, %v", text, err)
	}
	conn.Close()
	<-closed
	ask := func(path string) string {
		answer := httptest.NewRecorder()
		seen.Handler().ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
		return answer.Body.String()
	}
	if got := ask("/readyz"); got != "ready\n" {
		t.Errorf("%q", got)
	}
	for _, want := range []string{
		`vitrine_proxy_connections_open{listener="127.0.0.1:0"} 0`, `vitrine_proxy_sent_bytes_total{listener="127.0.0.1:0"} 5`,
		fmt.Sprintf(`vitrine_proxy_connects_total{address=%q,outcome="ok",target="t"} 1`, target.Addr()), `vitrine_proxy_reloads_total{outcome="ok"} 1`,
	} {
		if got := ask("/metrics"); !strings.Contains(got, want) {
			t.Errorf("there is no %s", want)
		}
	}
}
