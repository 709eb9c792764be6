package httptls

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// TestConcurrentFirstRequests has many requests find out together which
// protocol the server speaks. One connection of HTTP/2 is enough for all of them.
func TestConcurrentFirstRequests(t *testing.T) {
	for name, p := range map[string]*http.Protocols{"http1": only(true, false), "http2": only(true, true)} {
		t.Run(name, func(t *testing.T) {
			var handshakes atomic.Int32
			addr := serve(t, &Server{TLS: serverConfig(t), OnHandshake: func(Handshake) { handshakes.Add(1) },
				HTTP: &http.Server{Protocols: p, Handler: http.HandlerFunc(describe)}})
			transport := &Transport{TLS: clientConfig()}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			begun := time.Now()
			var wg sync.WaitGroup
			for i := range 40 {
				wg.Go(func() {
					resp, err := client.Post("https://"+addr, "text/plain", strings.NewReader(fmt.Sprint(i)))
					if err != nil {
						t.Error(err)
						return
					}
					defer resp.Body.Close()
					body, _ := io.ReadAll(resp.Body)
					if !strings.HasSuffix(string(body), fmt.Sprint(" ", i)) || resp.TLS == nil {
						t.Errorf("request %d got %q, TLS %v", i, body, resp.TLS != nil)
					}
				})
			}
			wg.Wait()
			// On a machine so busy that the first takes longer than the others wait, these go on by themselves.
			if n := handshakes.Load(); name == "http2" && n != 1 && time.Since(begun) < patience {
				t.Errorf("%d handshakes", n)
			}
		})
	}
}

// TestConnectionsAreReused also proves that a connection dialled to find out the
// protocol is used, not thrown away.
func TestConnectionsAreReused(t *testing.T) {
	for name, p := range map[string]*http.Protocols{"http1": only(true, false), "http2": only(true, true)} {
		t.Run(name, func(t *testing.T) {
			var handshakes atomic.Int32
			addr := serve(t, &Server{TLS: serverConfig(t), OnHandshake: func(Handshake) { handshakes.Add(1) },
				HTTP: &http.Server{Protocols: p, Handler: http.HandlerFunc(describe)}})
			transport := &Transport{TLS: clientConfig()}
			defer transport.CloseIdleConnections()
			for range 5 {
				get(t, &http.Client{Transport: transport}, "https://"+addr)
			}
			if n := handshakes.Load(); n != 1 {
				t.Errorf("%d handshakes for 5 requests", n)
			}
		})
	}
}

// TestServerChangesProtocol has the server behind an address change, as it does
// behind a balancer.
func TestServerChangesProtocol(t *testing.T) {
	var h2 atomic.Bool
	config := serverConfig(t)
	config.NextProtos = []string{"h2", "http/1.1"}
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		c := serverConfig(t)
		c.NextProtos = []string{"http/1.1"}
		if h2.Load() {
			c.NextProtos = []string{"h2"}
		}
		return c, nil
	}
	addr := serve(t, &Server{TLS: config, HTTP: &http.Server{Handler: http.HandlerFunc(describe)}})
	transport := &Transport{TLS: clientConfig()}
	for i, want := range []string{"HTTP/1.1", "HTTP/2.0", "HTTP/2.0", "HTTP/1.1", "HTTP/1.1"} {
		h2.Store(want == "HTTP/2.0")
		transport.CloseIdleConnections()
		resp, err := (&http.Client{Transport: transport}).Post("https://"+addr, "", io.MultiReader(strings.NewReader("x")))
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		resp.Body.Close()
		if resp.Proto != want {
			t.Errorf("request %d: %s, want %s", i, resp.Proto, want)
		}
	}
}

func TestWebSocketStaysOnHTTP1(t *testing.T) {
	var handshakes atomic.Int32
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe)},
		OnHandshake: func(Handshake) { handshakes.Add(1) }})
	transport := &Transport{TLS: clientConfig()}
	defer transport.CloseIdleConnections()
	get(t, &http.Client{Transport: transport}, "https://"+addr)
	r, _ := http.NewRequest("GET", "https://"+addr, nil)
	r.Header.Set("Upgrade", "websocket")
	r.Header.Set("Connection", "keep-alive, Upgrade")
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.ProtoMajor != 1 || resp.TLS.NegotiatedProtocol != "http/1.1" {
		t.Errorf("%s, ALPN %q", resp.Proto, resp.TLS.NegotiatedProtocol)
	}
	resp.Body.Close()
	if resp, _ := get(t, &http.Client{Transport: transport}, "https://"+addr); resp.ProtoMajor != 2 {
		t.Errorf("the next request went over %s", resp.Proto)
	}
	if n := handshakes.Load(); n != 2 {
		t.Errorf("%d handshakes, want one for each version of HTTP", n)
	}
}

// strictBody is a body that knows whether it is closed, and cannot be read then.
type strictBody struct {
	io.Reader
	closed atomic.Bool
}

func (b *strictBody) Close() error { b.closed.Store(true); return nil }

func (b *strictBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, errors.New("read after close")
	}
	return b.Reader.Read(p)
}

func TestBodyIsClosed(t *testing.T) {
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe)}})
	refused, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	refused.Close()
	for name, url := range map[string]string{
		"answered": "https://" + addr, "refused": "https://" + refused.Addr().String(), "in the clear": "http://" + refused.Addr().String(),
	} {
		body := &strictBody{Reader: strings.NewReader("body")}
		r, _ := http.NewRequest("POST", url, body)
		resp, err := (&Transport{TLS: clientConfig()}).RoundTrip(r)
		if err == nil {
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
		for deadline := time.Now().Add(5 * time.Second); !body.closed.Load(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: the body was not closed (%v)", name, err)
			}
		}
	}
}

func TestHandshakeErrorsAreTyped(t *testing.T) {
	addr := serve(t, &Server{TLS: serverConfig(t), OnHandshake: func(Handshake) {}})
	other, err := devca.New()
	if err != nil {
		t.Fatal(err)
	}
	_, err = (&http.Client{Transport: &Transport{TLS: &tls.Config{RootCAs: other.Pool()}}}).Get("https://" + addr)
	var bad *tls.CertificateVerificationError
	if !errors.As(err, &bad) {
		t.Errorf("an unknown authority: %v", err)
	}
}

func TestClientTimeouts(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for name, do := range map[string]func() error{
		"TLSHandshakeTimeout": func() error {
			_, err := (&http.Client{Transport: &Transport{HTTP: &http.Transport{TLSHandshakeTimeout: 50 * time.Millisecond}}}).Get("https://" + silent.Addr().String())
			return err
		},
		"Client.Timeout": func() error {
			_, err := (&http.Client{Timeout: 50 * time.Millisecond, Transport: &Transport{}}).Get("https://" + silent.Addr().String())
			return err
		},
	} {
		var netErr net.Error
		if err := do(); !errors.As(err, &netErr) || !netErr.Timeout() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTraceSeesTheHandshake(t *testing.T) {
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe)}})
	var events []string
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		TLSHandshakeStart: func() { events = append(events, "start") },
		TLSHandshakeDone: func(s tls.ConnectionState, err error) {
			events = append(events, fmt.Sprintf("done %v %v", s.HandshakeComplete, err))
		},
		GotConn: func(httptrace.GotConnInfo) { events = append(events, "got") },
	})
	r, _ := http.NewRequestWithContext(ctx, "GET", "https://"+addr, nil)
	resp, err := (&Transport{TLS: clientConfig()}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if want := []string{"start", "done true <nil>", "got"}; !slices.Equal(events, want) {
		t.Errorf("events %q, want %q", events, want)
	}
}

// connectProxy is a proxy that knows CONNECT only, and counts tunnels.
func connectProxy(t *testing.T, tunnels *atomic.Int32) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if user, _, ok := parseProxyAuth(r); r.Method != http.MethodConnect || !ok || user != "jane" {
			http.Error(w, "no", http.StatusProxyAuthRequired)
			return
		}
		tunnels.Add(1)
		up, err := net.Dial("tcp", r.Host)
		if err != nil {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		defer up.Close()
		tunnelTo(t, w, up)
	}
}

// tunnelTo answers a CONNECT, and carries bytes both ways until up or the client ends.
func tunnelTo(t *testing.T, w http.ResponseWriter, up net.Conn) {
	down, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer down.Close()
	io.WriteString(down, "HTTP/1.1 200 OK\r\n\r\n")
	go io.Copy(up, buffered)
	io.Copy(down, up)
}

func parseProxyAuth(r *http.Request) (user, password string, ok bool) {
	fake := &http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}
	return fake.BasicAuth()
}

func TestProxies(t *testing.T) {
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe)}})
	var tunnels atomic.Int32
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	plainServer := &http.Server{Handler: connectProxy(t, &tunnels)}
	go plainServer.Serve(plain)
	defer plainServer.Close()
	overTLS := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: connectProxy(t, &tunnels)}})

	socks := socksProxy(t, &tunnels)

	for _, c := range []struct{ proxy, want string }{
		{"http://jane:secret@" + plain.Addr().String(), ""},
		{"https://jane:secret@" + overTLS, ""},
		{"http://joe:secret@" + plain.Addr().String(), "407"},
		{"//jane:secret@" + plain.Addr().String(), ""}, // as in net/http, without a scheme
		{"socks5://jane:secret@" + socks, ""},
		{"socks5h://jane:secret@" + socks, ""},
		{"socks5://joe:secret@" + socks, "authentication failed"},
		{"socks5://" + socks, "authentication"},
		{"socks4://" + socks, "not supported"},
	} {
		u, err := url.Parse(c.proxy)
		if err != nil {
			t.Fatal(err)
		}
		before := tunnels.Load()
		transport := &Transport{TLS: clientConfig(), HTTP: &http.Transport{Proxy: http.ProxyURL(u)}}
		resp, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://" + addr)
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", c.proxy, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.proxy, err)
			continue
		}
		resp.Body.Close()
		if resp.Proto != "HTTP/2.0" || tunnels.Load() != before+1 {
			t.Errorf("%s: %s through %d tunnels", c.proxy, resp.Proto, tunnels.Load()-before)
		}
		transport.CloseIdleConnections()
	}
}

// TestCurl asks with a client that is not Go's.
func TestCurl(t *testing.T) {
	curl := programs.Need(t, "curl", "curl")
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe)}})
	ca := t.TempDir() + "/ca.pem"
	if err := os.WriteFile(ca, testCA().PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for flag, want := range map[string]string{"--http1.1": "HTTP/1.1 http/1.1 localhost sent", "--http2": "HTTP/2.0 h2 localhost sent"} {
		url := strings.Replace("https://"+addr, "127.0.0.1", "localhost", 1)
		out, err := exec.Command(curl, "-sS", "--noproxy", "*", "--max-time", "10", flag, "--cacert", ca, "-d", "sent", url).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("curl %s: %q, %v", flag, out, err)
		}
	}
}

// TestRefusedClientReadsTheAlert has a client speak on before it learns that it
// is refused; a reset would hide the reason from it.
func TestRefusedClientReadsTheAlert(t *testing.T) {
	config := serverConfig(t)
	config.ClientAuth = tls.RequireAnyClientCert
	addr := serve(t, &Server{TLS: config, OnHandshake: func(Handshake) {}})
	for range 20 {
		conn, err := tls.Dial("tcp", addr, clientConfig())
		if err == nil {
			w := bufio.NewWriter(conn)
			w.Write(make([]byte, 32<<10))
			w.Flush()
			_, err = conn.Read(make([]byte, 1))
			conn.Close()
		}
		if alert, _ := errors.AsType[tls.AlertError](err); wire.AlertCode(alert) != wire.AlertCertificateRequired {
			t.Fatalf("want the alert, got %v", err)
		}
	}
}

// TestLargeBodiesBothWays has the server send back what it is still receiving,
// on several requests at the same time.
func TestLargeBodiesBothWays(t *testing.T) {
	const size = 4 << 20
	echo := func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		if _, err := io.Copy(w, r.Body); err != nil {
			t.Error(err)
		}
	}
	for name, p := range map[string]*http.Protocols{"http1": only(true, false), "http2": only(false, true)} {
		t.Run(name, func(t *testing.T) {
			addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Protocols: p, Handler: http.HandlerFunc(echo)}})
			transport := &Transport{TLS: clientConfig()}
			defer transport.CloseIdleConnections()
			var wg sync.WaitGroup
			for i := range 6 {
				wg.Go(func() {
					random := rand.NewChaCha8([32]byte{byte(i)})
					sent, received := sha256.New(), sha256.New()
					body := io.TeeReader(io.LimitReader(random, size), sent)
					resp, err := (&http.Client{Transport: transport}).Post("https://"+addr, "", body)
					if err != nil {
						t.Error(err)
						return
					}
					defer resp.Body.Close()
					n, err := io.Copy(received, resp.Body)
					if err != nil || n != size || !bytes.Equal(sent.Sum(nil), received.Sum(nil)) {
						t.Errorf("request %d: %d bytes came back, not the same, or %v", i, n, err)
					}
				})
			}
			wg.Wait()
		})
	}
}
