package httptls

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
)

// earlyPeers are a Server and a Transport that send and take early data. The server notes each request, and
// answers it with its header Early-Data; /late gets 425 while it is early.
type earlyPeers struct {
	url       string
	transport *Transport
	mu        sync.Mutex
	seen      []string
}

func newEarlyPeers(t *testing.T, change func(server *tls.Config)) *earlyPeers {
	server, client := earlyConfigs(t)
	change(server)
	p := &earlyPeers{transport: &Transport{TLS: client, EarlyData: true}}
	t.Cleanup(p.transport.CloseIdleConnections)
	addr := serveEarly(t, &Server{TLS: server}, func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.seen = append(p.seen, r.Method+" "+r.Header.Get("Early-Data"))
		p.mu.Unlock()
		if r.URL.Path == "/late" && r.Header.Get("Early-Data") != "" {
			w.WriteHeader(http.StatusTooEarly)
			return
		}
		io.WriteString(w, r.Header.Get("Early-Data"))
	})
	p.url = "https://" + addr
	return p
}

// ask sends a request on a connection of its own, and returns the answer, and what the server has seen.
func (p *earlyPeers) ask(t *testing.T, method, path, body string, header ...string) (resp *http.Response, answer, seen string) {
	t.Helper()
	p.transport.CloseIdleConnections()
	r, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range header {
		r.Header.Set(name, "1")
	}
	resp, err = p.transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	seen, p.seen = strings.Join(p.seen, ", "), nil
	return resp, string(got), seen
}

// until asks again where there was no ticket yet, or the handshake was over before the request was read.
func (p *earlyPeers) until(t *testing.T, want, method, path, body string, header ...string) (resp *http.Response, answer string) {
	t.Helper()
	var seen string
	for range 50 {
		if resp, answer, seen = p.ask(t, method, path, body, header...); seen == want {
			return resp, answer
		}
	}
	t.Errorf("%s %s: the server has seen %q; want %q", method, path, seen, want)
	return resp, answer
}

// A Transport sends a safe request early when it is asked to, and nothing else. RFC 8470 §4.
func TestTransportEarlyData(t *testing.T) {
	p := newEarlyPeers(t, func(*tls.Config) {})
	for _, method := range []string{"GET", "OPTIONS", "HEAD"} {
		resp, _ := p.until(t, method+" 1", method, "/", "")
		if state := resp.TLS; state == nil || !state.HandshakeComplete || !state.DidResume || len(state.PeerCertificates) == 0 || resp.Request.URL.Host == "" {
			t.Errorf("%s: the response says %+v", method, state)
		}
	}
	for _, test := range [][]string{{"POST", ""}, {"DELETE", ""}, {"GET", "body"}, {"GET", "", "Upgrade"}} {
		for range 5 {
			if _, answer, seen := p.ask(t, test[0], "/", test[1], test[2:]...); answer != "" || seen != test[0]+" " {
				t.Errorf("%q: answer %q, the server has seen %q", test, answer, seen)
			}
		}
	}
	p.transport.EarlyData = false
	for range 5 {
		if _, _, seen := p.ask(t, "GET", "/", ""); seen != "GET " {
			t.Errorf("unasked: %q", seen)
		}
	}
}

// What the server answers by 425 is sent again, once, behind the handshake; but not where the caller says
// that the request came early to it. RFC 8470 §5.2.
func TestTransportTooEarly(t *testing.T) {
	p := newEarlyPeers(t, func(*tls.Config) {})
	if resp, answer := p.until(t, "GET 1, GET ", "GET", "/late", ""); resp.StatusCode != http.StatusOK || answer != "" {
		t.Errorf("%s, %q", resp.Status, answer)
	}
	for range 5 {
		if resp, _, seen := p.ask(t, "GET", "/late", "", "Early-Data"); resp.StatusCode != http.StatusTooEarly || seen != "GET 1" {
			t.Errorf("%s, %q", resp.Status, seen)
		}
	}
}

// refusesAll is a ReplayStore that is down.
type refusesAll struct{ session.ReplayStore }

func (refusesAll) Claim(context.Context, string, time.Time) error { return errors.New("down") }

// What the server refuses is sent again, and done once.
func TestTransportEarlyDataIsRefused(t *testing.T) {
	p := newEarlyPeers(t, func(server *tls.Config) { server.EarlyData.Replay = refusesAll{server.EarlyData.Replay} })
	for i := range 5 {
		if resp, _, seen := p.ask(t, "GET", "/", ""); seen != "GET " || i > 0 && !resp.TLS.DidResume {
			t.Errorf("the server has seen %q, resumed: %v", seen, resp.TLS.DidResume)
		}
	}
}

// A handshake that fails says why, though it comes with the first bytes.
func TestTransportEarlyHandshakeFails(t *testing.T) {
	p := newEarlyPeers(t, func(*tls.Config) {})
	p.transport.TLS.RootCAs = x509.NewCertPool()
	r, _ := http.NewRequest("GET", p.url, nil)
	_, err := p.transport.RoundTrip(r)
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Error(err)
	}
}

// net/http may send another request on a connection than the one that it was made for.
func TestWhatIsWholeAndSafe(t *testing.T) {
	for request, want := range map[string]bool{
		"GET / HTTP/1.1\r\nHost: h\r\n\r\n":                                                        true,
		"HEAD / HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n":                                               true,
		"GET / HTTP/1.1\r\nHost: h\r\n":                                                            false,
		"POST / HTTP/1.1\r\nHost: h\r\n\r\n":                                                       false,
		"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n":                                   false,
		"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n":                          false,
		"GET / HTTP/1.1\r\nHost: h\r\nUpgrade: x\r\n\r\n":                                          false,
		"GET / HTTP/1.1\r\nHost: h\r\n\r\nPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n": false,
		"": false,
	} {
		if got := isWholeAndSafe([]byte(request)); got != want {
			t.Errorf("%q: %v", request, got)
		}
	}
}

// A connection that was dialled for a request which another connection has taken over is not left without
// a handshake: net/http keeps it, and it must notice an end like any idle one.
func TestTransportIdleWithoutItsRequest(t *testing.T) {
	server, client := earlyConfigs(t)
	ended, hold, holding := make(chan Handshake, 8), make(chan struct{}), make(chan struct{})
	addr := serveEarly(t, &Server{TLS: server, HandshakeTimeout: 3 * time.Second, OnHandshake: func(h Handshake) { ended <- h }}, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hold" {
			close(holding)
			<-hold
		}
		io.Copy(w, r.Body)
	})
	dial, dials := make(chan struct{}), 0
	dialling := make(chan struct{})
	transport := &Transport{TLS: client, EarlyData: true, HTTP: &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		if dials++; dials == 2 {
			close(dialling)
			<-dial
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}}}
	t.Cleanup(transport.CloseIdleConnections)
	ask := func(method, path string, body io.Reader) error {
		r, _ := http.NewRequest(method, "https://"+addr+path, body)
		resp, err := transport.RoundTrip(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		return errors.Join(err, resp.Body.Close())
	}
	both := make(chan error, 2)
	go func() { both <- ask("GET", "/hold", nil) }()
	<-holding
	go func() { both <- ask("GET", "/", nil) }() // dials, and is then given the first's connection
	<-dialling
	close(hold)
	for range 2 {
		if err := <-both; err != nil {
			t.Fatal(err)
		}
	}
	close(dial)
	for range 2 {
		select {
		case h := <-ended:
			if h.Err != nil {
				t.Errorf("a connection without a request was left without a handshake: %v", h.Err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("no handshake was begun")
		}
	}
	if err := ask("POST", "/", io.LimitReader(strings.NewReader("streamed"), 8)); err != nil {
		t.Errorf("a request that cannot be sent twice: %v", err)
	}
}
