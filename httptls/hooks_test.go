package httptls

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// One http.Server may serve port 80 beside our port 443.
func TestPlainListenerBesideTLS(t *testing.T) {
	seen := make(chan net.Conn, 10)
	s := &Server{TLS: serverConfig(t), HTTP: &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.TLS == nil {
				io.WriteString(w, "in the clear")
				return
			}
			describe(w, r)
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context { seen <- c; return ctx },
		ConnState:   func(net.Conn, http.ConnState) {},
	}}
	addr := serve(t, s)
	get(t, &http.Client{Transport: &Transport{TLS: clientConfig()}}, "https://"+addr)
	if c, ours := (<-seen).(*tls.Conn); !ours {
		t.Errorf("ConnContext got a %T", c)
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.HTTP.Serve(plain)
	if _, body := get(t, &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, "http://"+plain.Addr().String()); body != "in the clear" {
		t.Errorf("got %q", body)
	}
	if c, ok := (<-seen).(*net.TCPConn); !ok {
		t.Errorf("ConnContext got a %T", c)
	}
	// What we switched on for ourselves stays off in the clear.
	h2 := &http.Transport{Protocols: new(http.Protocols)}
	h2.Protocols.SetUnencryptedHTTP2(true)
	defer h2.CloseIdleConnections()
	if resp, _ := get(t, &http.Client{Transport: h2}, "http://"+plain.Addr().String()); resp.StatusCode != http.StatusHTTPVersionNotSupported {
		t.Errorf("HTTP/2 in the clear: %s", resp.Status)
	}
}

func TestConnContextOfItsOwn(t *testing.T) {
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe),
		ConnContext: func(context.Context, net.Conn) context.Context { return context.Background() }}})
	if resp, body := get(t, &http.Client{Transport: &Transport{TLS: clientConfig()}}, "https://"+addr); resp.StatusCode != 200 || !strings.HasPrefix(body, "HTTP/2.0") {
		t.Errorf("%s, %q", resp.Status, body)
	}
}

// A handler that takes a connection over can ask it about TLS.
func TestHijackedConnection(t *testing.T) {
	got := make(chan net.Conn, 1)
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Protocols: only(true, false),
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(c, "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
			got <- c
			c.Close()
		})}})
	resp, err := (&http.Client{Transport: &Transport{TLS: clientConfig()}}).Get("https://" + addr)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	hijacked := <-got
	if conn := TLSConn(hijacked); conn == nil || conn.State().Version != wire.TLS13 || TLSConn(conn) != conn {
		t.Errorf("TLSConn of a %T is %v", hijacked, conn)
	}
	if conn := TLSConn(new(net.TCPConn)); conn != nil {
		t.Errorf("TLSConn of another connection is %v", conn)
	}
	c, ok := hijacked.(interface{ NetConn() net.Conn })
	if !ok {
		t.Fatal("the connection has no NetConn")
	}
	if conn, ok := c.NetConn().(*tls.Conn); !ok || !conn.ConnectionState().HandshakeComplete {
		t.Errorf("NetConn is a %T", c.NetConn())
	}
}

// A URL of http:// through an https:// proxy, which a redirect can bring about.
func TestClearRequestThroughTLSProxy(t *testing.T) {
	proxy := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Proto+" "+r.RequestURI)
	})}})
	transport := &Transport{TLS: clientConfig(), HTTP: &http.Transport{Proxy: http.ProxyURL(&url.URL{Scheme: "https", Host: proxy})}}
	defer transport.CloseIdleConnections()
	_, body := get(t, &http.Client{Transport: transport}, "http://example.test/")
	if want := "HTTP/1.1 http://example.test/"; body != want {
		t.Errorf("got %q, want %q", body, want)
	}
}

type otherRoundTripper struct{ http.RoundTripper }

func TestDefaultTransportReplaced(t *testing.T) {
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe)}})
	usual := http.DefaultTransport
	http.DefaultTransport = otherRoundTripper{usual}
	defer func() { http.DefaultTransport = usual }()
	transport := &Transport{TLS: clientConfig()}
	defer transport.CloseIdleConnections()
	if resp, _ := get(t, &http.Client{Transport: transport}, "https://"+addr); resp.StatusCode != 200 {
		t.Errorf("got %s", resp.Status)
	}
	if got, want := baseSettings(nil), usual.(*http.Transport); got.MaxIdleConns != want.MaxIdleConns ||
		got.IdleConnTimeout != want.IdleConnTimeout || got.TLSHandshakeTimeout != want.TLSHandshakeTimeout ||
		got.ExpectContinueTimeout != want.ExpectContinueTimeout || got.Proxy == nil {
		t.Errorf("settings that differ from net/http's: %+v", got)
	}
}
