package proxy

import (
	"bytes"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
	"github.com/vitrine-tls/vitrine/proxy/observe"
)

// account is what an operator has of a proxy: its log and its metrics.
type account struct {
	*observe.Observer
	mutex  sync.Mutex
	text   bytes.Buffer
	closed chan event.Result
}

func (a *account) Write(p []byte) (int, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.text.Write(p)
}

// observed runs a proxy that an operator watches.
func observed(t *testing.T, c config.Config) (a *account, address string) {
	t.Helper()
	a = &account{closed: make(chan event.Result, 100)}
	var err error
	if a.Observer, err = observe.New(config.Admin{}, config.Log{}, config.Traces{}, a); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	_, address = begin(t, c, a.Hooks(), event.Hooks{Closed: func(_ *event.Connection, r event.Result) { a.closed <- r }})
	return a, address
}

// told is the log up to now; nothing is logged afterwards.
func (a *account) told() string {
	a.Close()
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.text.String()
}

func (a *account) metrics() string {
	answer := httptest.NewRecorder()
	a.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/metrics", nil))
	return answer.Body.String()
}

func (a *account) wants(t *testing.T, metric string, logged ...string) {
	t.Helper()
	if got := a.metrics(); !strings.Contains(got, metric) {
		t.Errorf("there is no %s", metric)
	}
	text := a.told()
	for _, want := range logged {
		if !strings.Contains(text, want) {
			t.Errorf("there is no\n%s in\n%s", want, text)
		}
	}
}

// A request that no target answers is counted, and the log says why under the number that the client
// reads.
func TestARequestThatFailsIsTold(t *testing.T) {
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	a, address := observed(t, at(config.Listener{Mode: config.ModeHTTP, TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{gone.Addr().String()}}))
	text, status, err := get(browser(t, address, false), "https://front.test/path%0alevel=ERROR")
	_, id, _ := strings.Cut(text, "Request: ")
	if err != nil || status != 502 || id == "" {
		t.Fatalf("%q, %d, %v", text, status, err)
	}
	a.wants(t, `vitrine_proxy_requests_failed_total{listener="127.0.0.1:0",status="502"} 1`,
		`msg="request failed" request=`+strings.TrimSpace(id)+` status=502`, `method=GET host=front.test path="/path\nlevel=ERROR" failure=`, "refused the connection: nothing listens there")
}

// What goes wrong before STARTTLS is told: bytes behind the request for it are an attack.
func TestAStartTLSThatFailsIsTold(t *testing.T) {
	for said, want := range map[string]string{
		"EHLO a\r\nSTARTTLS\r\nMAIL FROM:<a@b>\r\n": "TLS",
		"\x16\x03\x01\x02\x00\x01":                  "TLS",
	} {
		a, address := observed(t, at(config.Listener{StartTLS: "smtp", TLS: serverTLS(t, "front.test")}, saying(t, nil, "")))
		conn := dial(t, address, nil)
		io.WriteString(conn, said)
		closeWrite(conn)
		io.Copy(io.Discard, conn)
		<-a.closed
		a.wants(t, `vitrine_proxy_connections_refused_total{listener="127.0.0.1:0",reason="starttls"} 1`,
			`msg="connection refused"`, "reason=starttls", want)
	}
}

// A client that leaves without a word has said nothing, and nothing of a certificate that it has not
// seen.
func TestAClientThatLeavesSaysNothing(t *testing.T) {
	a, address := observed(t, at(config.Listener{TLS: serverTLS(t, "front.test")}, saying(t, nil, "")))
	dial(t, address, nil).Close()
	<-a.closed
	a.wants(t, `vitrine_proxy_handshakes_total{group="",outcome="closed",resumption="",suite="",version=""} 1`, "outcome=closed")
	if text := a.told(); strings.Contains(text, "certificate\"") || strings.Contains(text, "advice") {
		t.Error(text)
	}
}
