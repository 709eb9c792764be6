package httptls

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

func TestListenAndServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := ListenAndServe(addr, nil, serverConfig(t)); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("on a port that is taken: %v", err)
	}
	if err := ListenAndServe(addr, nil, nil); err == nil || !strings.Contains(err.Error(), "Server.TLS is nil") {
		t.Errorf("without a Config: %v", err)
	}
	if err := new(Server).Serve(l); err == nil || !strings.Contains(err.Error(), "Server.TLS is nil") {
		t.Errorf("Serve without a Config: %v", err)
	}
	l.(*net.TCPListener).SetDeadline(time.Now().Add(time.Second))
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve has left the listener open: %v", err)
	}

	s := &Server{TLS: serverConfig(t), HTTP: &http.Server{Addr: addr, Handler: http.HandlerFunc(describe)}}
	done := make(chan error, 1)
	go func() { done <- s.ListenAndServe() }()
	transport := &Transport{TLS: clientConfig()}
	client := &http.Client{Transport: transport}
	for range 500 {
		var resp *http.Response
		if resp, err = client.Get("https://" + addr); err == nil {
			resp.Body.Close()
			break
		}
		time.Sleep(10 * time.Millisecond) // until it listens
	}
	if err != nil {
		t.Error(err)
	}
	transport.CloseIdleConnections()
	if err := s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("ListenAndServe returned %v", err)
	}
}

// flaky is a listener whose first calls of Accept fail.
type flaky struct {
	net.Listener
	errs chan error
}

func (f flaky) Accept() (net.Conn, error) {
	select {
	case err := <-f.errs:
		return nil, err
	default:
		return f.Listener.Accept()
	}
}

// An error of Accept that passes is waited out, and one that lasts ends Serve.
func TestAcceptFails(t *testing.T) {
	passing := &net.OpError{Op: "accept", Err: syscall.EMFILE}
	lasting := errors.New("the network is gone")
	for name, lasts := range map[string]bool{"passes": false, "lasts": true} {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := flaky{inner, make(chan error, 2)}
		l.errs <- passing
		if lasts {
			l.errs <- lasting
		}
		s := &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe), ErrorLog: log.New(io.Discard, "", 0)}}
		done := make(chan error, 1)
		go func() { done <- s.Serve(l) }()
		want := lasting
		if !lasts {
			transport := &Transport{TLS: clientConfig()}
			get(t, &http.Client{Transport: transport}, "https://"+inner.Addr().String())
			transport.CloseIdleConnections()
			s.Close()
			want = http.ErrServerClosed
		}
		if err := <-done; !errors.Is(err, want) {
			t.Errorf("an error that %s: Serve returned %v", name, err)
		}
		if _, err := inner.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("an error that %s: the listener is still open", name)
		}
	}
}

// A client that sends more than is taken can read the answer to its end, for the
// server goes on receiving for a while.
func TestAnswerToTooMuch(t *testing.T) {
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, 10)); err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	})}})
	config := clientConfig()
	config.NextProtos = []string{"http/1.1"}
	conn, err := tls.Dial("tcp", addr, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nmuch more than 10 bytes")
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 413 ") {
		t.Errorf("%q, %v", answer, err)
	}
	for range 3 {
		if _, err := io.WriteString(conn, "more of it"); err != nil {
			t.Errorf("the server has closed the connection together with its answer: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Why a server that speaks HTTP/2 refused the client's certificate reaches the
// caller, though in TLS 1.3 it is known only after the handshake.
func TestRefusedClientLearnsWhyOverHTTP2(t *testing.T) {
	config := serverConfig(t)
	config.ClientAuth = tls.RequireAnyClientCert
	addr := serve(t, &Server{TLS: config, OnHandshake: func(Handshake) {}})
	for range 20 {
		_, err := (&http.Client{Transport: &Transport{TLS: clientConfig()}}).Get("https://" + addr)
		if alert, ok := errors.AsType[tls.AlertError](err); !ok || wire.AlertCode(alert) != wire.AlertCertificateRequired {
			t.Fatalf("want the alert, got %v", err)
		}
	}
}

// What Transport.TLS offers is offered, but a protocol that Protocols do not allow is
// not spoken.
func TestOwnOffer(t *testing.T) {
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe)}})
	config := clientConfig()
	config.NextProtos = []string{"http/1.1"}
	transport := &Transport{TLS: config}
	if resp, _ := get(t, &http.Client{Transport: transport}, "https://"+addr); resp.ProtoMajor != 1 {
		t.Errorf("the offer was http/1.1, the answer %s", resp.Proto)
	}
	transport.CloseIdleConnections()

	config.NextProtos = []string{"h2"}
	transport = &Transport{TLS: config, HTTP: &http.Transport{Protocols: only(true, false)}}
	if _, err := (&http.Client{Transport: transport}).Get("https://" + addr); err == nil || !strings.Contains(err.Error(), "h2 only") {
		t.Errorf("HTTP/2 where it is not allowed: %v", err)
	}
}

// answering is a proxy that reads the header of one request, hands it over and
// answers with these words, over and over if they end in "...".
func answering(t *testing.T, words string) (proxy *url.URL, header <-chan string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	asked := make(chan string, 1)
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		var got []byte
		for b := make([]byte, 1); !strings.HasSuffix(string(got), "\r\n\r\n"); got = append(got, b...) {
			if _, err := conn.Read(b); err != nil {
				break
			}
		}
		asked <- string(got)
		if words == "silence" {
			io.Copy(io.Discard, conn)
		}
		for n := 1; err == nil && n > 0; n-- {
			_, err = io.WriteString(conn, words)
			if strings.HasSuffix(words, "...") {
				n++ // it never stops
			}
		}
	}()
	return &url.URL{Scheme: "http", Host: l.Addr().String()}, asked
}

// A proxy that does not do its work is an error that names it.
func TestProxiesThatFail(t *testing.T) {
	mine := errors.New("no proxy on Sundays")
	stranger, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	overTLS := serve(t, &Server{TLS: serverConfig(t), OnHandshake: func(Handshake) {}})
	for _, test := range []struct {
		name  string
		words string // the proxy's answer
		set   func(*Transport)
		want  string
	}{
		{"hangs up", "", nil, "unexpected EOF"},
		{"speaks no HTTP", "220 mail.example\r\n\r\n", nil, "malformed HTTP"},
		{"never stops", "HTTP/1.1 200 OK\r\nX: ...", nil, "unexpected EOF"},
		{"refuses", "HTTP/1.1 403 Forbidden\r\n\r\n", nil, `refused the connection to example.test:443: "403 Forbidden"`},
		{"is silent", "silence", nil, "the proxy's answer took longer than 100ms"},
		{"is not chosen", "", func(tr *Transport) {
			tr.HTTP.Proxy = func(*http.Request) (*url.URL, error) { return nil, mine }
		}, mine.Error()},
		{"gets no header", "", func(tr *Transport) {
			tr.HTTP.GetProxyConnectHeader = func(context.Context, *url.URL, string) (http.Header, error) { return nil, mine }
		}, mine.Error()},
		{"is gone", "", func(tr *Transport) {
			tr.HTTP.DialContext = func(context.Context, string, string) (net.Conn, error) {
				a, b := net.Pipe()
				b.Close()
				return a, nil
			}
		}, "closed pipe"},
		{"is not trusted", "", func(tr *Transport) {
			tr.TLS = &tls.Config{RootCAs: stranger.Pool()}
			tr.HTTP.Proxy = http.ProxyURL(&url.URL{Scheme: "https", Host: overTLS})
		}, "an authority that is not trusted"},
	} {
		proxy, _ := answering(t, test.words)
		transport := &Transport{TLS: clientConfig(), HTTP: &http.Transport{Proxy: http.ProxyURL(proxy)}}
		if test.set != nil {
			test.set(transport)
		}
		if test.words == "silence" {
			transport.proxyTimeout = 100 * time.Millisecond
		}
		if _, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://example.test/"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("a proxy that %s: %v", test.name, err)
		}
	}
}

// A request that ends before a silent proxy has answered does not leave the dial
// behind for ever.
func TestSilentProxyIsGivenUp(t *testing.T) {
	leak.Check(t)
	proxy, asked := answering(t, "silence")
	transport := &Transport{HTTP: &http.Transport{Proxy: http.ProxyURL(proxy)}, proxyTimeout: 300 * time.Millisecond}
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-asked; cancel() }()
	r, err := http.NewRequestWithContext(ctx, "GET", "https://example.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transport.RoundTrip(r); !errors.Is(err, context.Canceled) {
		t.Errorf("the request was given up, and ended with %v", err)
	}
}

// What a proxy is to be told stands in the header of the CONNECT, that of the
// request's own moment in the place of the standing one.
func TestProxyHeader(t *testing.T) {
	standing := http.Header{"X-Who": {"standing"}}
	for want, set := range map[string]func(*http.Transport){
		"standing": func(h *http.Transport) {},
		"of now": func(h *http.Transport) {
			h.GetProxyConnectHeader = func(_ context.Context, proxy *url.URL, target string) (http.Header, error) {
				if proxy.Scheme != "http" || target != "example.test:443" {
					t.Errorf("asked for %v, %s", proxy, target)
				}
				return http.Header{"X-Who": {"of now"}}, nil
			}
		},
	} {
		proxy, asked := answering(t, "HTTP/1.1 403 Forbidden\r\n\r\n")
		h := &http.Transport{Proxy: http.ProxyURL(proxy), ProxyConnectHeader: standing}
		set(h)
		if _, err := (&http.Client{Transport: &Transport{HTTP: h}}).Get("https://example.test/"); err == nil {
			t.Error("no error")
		}
		if got := <-asked; !strings.HasPrefix(got, "CONNECT example.test:443 HTTP/1.1\r\n") || !strings.Contains(got, "X-Who: "+want+"\r\n") {
			t.Errorf("the proxy was asked %q", got)
		}
	}
}

// OnProxyConnectResponse sees what the proxy answered, also where it refuses, and
// may refuse in its place.
func TestOnProxyConnectResponse(t *testing.T) {
	mine := errors.New("not through this one")
	for answer, test := range map[string]struct {
		returns error
		want    string
	}{
		"200 OK":        {mine, mine.Error()},
		"403 Forbidden": {mine, mine.Error()},
		"502 Gone":      {nil, `refused the connection to example.test:443: "502 Gone"`},
	} {
		proxy, _ := answering(t, "HTTP/1.1 "+answer+"\r\nX-Reason: Sunday\r\n\r\n")
		var saw string
		transport := &Transport{HTTP: &http.Transport{Proxy: http.ProxyURL(proxy),
			OnProxyConnectResponse: func(_ context.Context, p *url.URL, ask *http.Request, got *http.Response) error {
				saw = p.Host + " " + ask.Method + " " + ask.Host + " " + got.Status + " " + got.Header.Get("X-Reason")
				return test.returns
			}}}
		_, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://example.test/")
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", answer, err)
		}
		if want := proxy.Host + " CONNECT example.test:443 " + answer + " Sunday"; saw != want {
			t.Errorf("the hook saw %q, want %q", saw, want)
		}
	}
}
