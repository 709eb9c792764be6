package httptls

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
)

var testCA = sync.OnceValue(func() *devca.CA {
	ca, err := devca.New()
	if err != nil {
		panic(err)
	}
	return ca
})

func serverConfig(t *testing.T) *tls.Config {
	t.Helper()
	cert, err := testCA().Issue(devca.Leaf{Names: []string{"localhost", "127.0.0.1"}})
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}}
}

func clientConfig() *tls.Config { return &tls.Config{RootCAs: testCA().Pool()} }

// serve starts s on a port of loopback and returns its address. The server is
// closed when the test ends.
func serve(t *testing.T, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("Serve returned %v", err)
		}
	})
	return l.Addr().String()
}

func only(http1, http2 bool) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(http1)
	p.SetHTTP2(http2)
	return p
}

// describe is a handler that says what it sees of the connection.
func describe(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.TLS == nil {
		fmt.Fprintf(w, "%s without TLS", r.Proto)
		return
	}
	fmt.Fprintf(w, "%s %s %s %s", r.Proto, r.TLS.NegotiatedProtocol, r.TLS.ServerName, body)
}

func get(t *testing.T, client *http.Client, url string) (*http.Response, string) {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(body)
}

// TestProtocols runs each pair of a server's and a client's HTTP versions, with
// a body to send, and twice, for the second request goes another way.
func TestProtocols(t *testing.T) {
	both, h1, h2 := only(true, true), only(true, false), only(false, true)
	for _, c := range []struct {
		name           string
		server, client *http.Protocols
		want           string // empty: an error
	}{
		{"default", nil, nil, "HTTP/2.0 h2"},
		{"both", both, both, "HTTP/2.0 h2"},
		{"server http1", h1, nil, "HTTP/1.1 http/1.1"},
		{"client http1", nil, h1, "HTTP/1.1 http/1.1"},
		{"server http2", h2, nil, "HTTP/2.0 h2"},
		{"client http2", nil, h2, "HTTP/2.0 h2"},
		{"nothing in common", h1, h2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr := serve(t, &Server{
				HTTP: &http.Server{Handler: http.HandlerFunc(describe), Protocols: c.server, ErrorLog: log.New(io.Discard, "", 0)},
				TLS:  serverConfig(t),
			})
			transport := &Transport{TLS: clientConfig(), HTTP: &http.Transport{Protocols: c.client}}
			defer transport.CloseIdleConnections()
			client := &http.Client{Transport: transport}
			url := strings.Replace("https://"+addr+"/", "127.0.0.1", "localhost", 1)
			for _, sent := range []string{"one", "two"} {
				// A plain io.Reader has no GetBody, so nothing can be sent twice.
				resp, err := client.Post(url, "text/plain", io.MultiReader(strings.NewReader(sent)))
				if c.want == "" {
					if err == nil {
						t.Fatal("a request succeeded without a common version")
					}
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(resp.Body)
				resp.Body.Close()
				if want := c.want + " localhost " + sent; string(body) != want {
					t.Errorf("the server saw %q, want %q", body, want)
				}
				if resp.TLS == nil || !resp.TLS.HandshakeComplete || len(resp.TLS.VerifiedChains) == 0 || !strings.HasSuffix(c.want, resp.TLS.NegotiatedProtocol) {
					t.Errorf("Response.TLS is %+v", resp.TLS)
				}
				if resp.Request.URL.String() != url || resp.Request.Context() != context.Background() {
					t.Error("Response.Request is not the caller's")
				}
			}
		})
	}
}

func TestClientCertificateReachesTheHandler(t *testing.T) {
	config := serverConfig(t)
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, testCA().Pool()
	who := func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.TLS.VerifiedChains[0][0].Subject.CommonName)
	}
	addr := serve(t, &Server{HTTP: &http.Server{Handler: http.HandlerFunc(who)}, TLS: config, OnHandshake: func(Handshake) {}})
	cert, err := testCA().Issue(devca.Leaf{Names: []string{"jane"}, Client: true})
	if err != nil {
		t.Fatal(err)
	}
	withCert := clientConfig()
	withCert.Certificates = []tls.Certificate{cert}
	if _, body := get(t, &http.Client{Transport: &Transport{TLS: withCert}}, "https://"+addr); body != "jane" {
		t.Errorf("the handler saw %q", body)
	}
	_, err = (&http.Client{Transport: &Transport{TLS: clientConfig()}}).Get("https://" + addr)
	if err == nil || !strings.Contains(err.Error(), "certificate required") {
		t.Errorf("without a certificate: %v", err)
	}
}

func TestHooksSeeTheTLSConnection(t *testing.T) {
	type key struct{}
	var mu sync.Mutex
	states := map[http.ConnState]int{}
	srv := &Server{TLS: serverConfig(t), HTTP: &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.Context().Value(key{}) != nil)
		}),
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, key{}, c.(*tls.Conn))
		},
		ConnState: func(c net.Conn, s http.ConnState) {
			mu.Lock()
			defer mu.Unlock()
			if c.(*tls.Conn).ConnectionState().HandshakeComplete {
				states[s]++
			}
		},
	}}
	addr := serve(t, srv)
	for _, p := range []*http.Protocols{only(true, false), only(false, true)} {
		client := &http.Client{Transport: &Transport{TLS: clientConfig(), HTTP: &http.Transport{Protocols: p}}}
		if _, body := get(t, client, "https://"+addr); body != "true" {
			t.Error("ConnContext's value is missing from the request")
		}
		client.CloseIdleConnections()
	}
	mu.Lock()
	defer mu.Unlock()
	if states[http.StateNew] != 2 {
		t.Errorf("ConnState calls: %v", states)
	}
}

// TestShutdownWaitsForRequests has a request in flight, an idle connection and a
// handshake that hangs when Shutdown is called.
func TestShutdownWaitsForRequests(t *testing.T) {
	for name, p := range map[string]*http.Protocols{"http1": only(true, false), "http2": only(false, true)} {
		t.Run(name, func(t *testing.T) {
			entered, leave := make(chan struct{}), make(chan struct{})
			srv := &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/slow" {
					close(entered)
					<-leave
				}
				io.WriteString(w, "whole answer")
			})}}
			addr := serve(t, srv)
			client := &http.Client{Transport: &Transport{TLS: clientConfig(), HTTP: &http.Transport{Protocols: p}}}
			get(t, client, "https://"+addr+"/idle")
			silent, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer silent.Close()
			answer := make(chan string, 1)
			go func() {
				_, body := get(t, client, "https://"+addr+"/slow")
				answer <- body
			}()
			<-entered
			down := make(chan error, 1)
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				defer cancel()
				down <- srv.Shutdown(ctx)
			}()
			select {
			case err := <-down:
				t.Fatalf("Shutdown did not wait: %v", err)
			case <-time.After(100 * time.Millisecond):
			}
			if _, err := net.Dial("tcp", addr); err == nil {
				t.Error("still accepting after Shutdown")
			}
			close(leave)
			if got := <-answer; got != "whole answer" {
				t.Errorf("the request in flight got %q", got)
			}
			if err := <-down; err != nil {
				t.Errorf("Shutdown: %v", err)
			}
		})
	}
}

func TestPlainHTTPIsAnswered(t *testing.T) {
	failed := make(chan error, 1)
	addr := serve(t, &Server{TLS: serverConfig(t), OnHandshake: func(h Handshake) { failed <- h.Err }})
	resp, err := http.Post("http://"+addr+"/", "text/plain", bytes.NewReader(make([]byte, 60<<10)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode != 400 || string(body) != "Client sent an HTTP request to an HTTPS server.\n" || err != nil {
		t.Errorf("%s, %q, %v", resp.Status, body, err)
	}
	var header tls.RecordHeaderError
	if err := <-failed; !errors.As(err, &header) {
		t.Errorf("OnHandshake got %v", err)
	}
}

func TestSilentPeersDoNotBlockOthers(t *testing.T) {
	outcomes := make(chan Handshake, 100)
	srv := &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe)},
		MaxHandshakes: 8, HandshakeTimeout: time.Minute, OnHandshake: func(h Handshake) { outcomes <- h }}
	addr := serve(t, srv)
	for range 20 {
		silent, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer silent.Close()
	}
	client := &http.Client{Transport: &Transport{TLS: clientConfig()}, Timeout: 10 * time.Second}
	if _, body := get(t, client, "https://"+addr); !strings.HasPrefix(body, "HTTP/2.0") {
		t.Errorf("got %q", body)
	}
	crowdedOut := 0
	for range 14 { // 21 connections, of which 8 fit; the one that completed is reported too
		if h := <-outcomes; errors.Is(h.Err, errCrowdedOut) {
			crowdedOut++
		}
	}
	if crowdedOut < 12 {
		t.Errorf("%d handshakes were crowded out", crowdedOut)
	}
}

func TestHandshakeTimeout(t *testing.T) {
	outcome := make(chan Handshake, 1)
	addr := serve(t, &Server{TLS: serverConfig(t), HandshakeTimeout: 50 * time.Millisecond, OnHandshake: func(h Handshake) { outcome <- h }})
	silent, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	// A long ClientHello, one byte at a time, must not prolong it.
	go func() {
		for _, b := range append([]byte{22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3}, make([]byte, 500)...) {
			if _, err := silent.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	h := <-outcome
	if !errors.Is(h.Err, context.DeadlineExceeded) || h.Duration > 5*time.Second {
		t.Errorf("after %v: %v", h.Duration, h.Err)
	}
}

func TestPanicInCallbackEndsTheConnectionOnly(t *testing.T) {
	config := serverConfig(t)
	config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if hello.ServerName == "bad.localhost" {
			panic("of the callback")
		}
		return nil, nil
	}
	logged := make(lines, 10)
	addr := serve(t, &Server{TLS: config, HTTP: &http.Server{Handler: http.HandlerFunc(describe), ErrorLog: log.New(logged, "", 0)}})
	bad := clientConfig()
	bad.ServerName = "bad.localhost"
	if _, err := (&http.Client{Transport: &Transport{TLS: bad}}).Get("https://" + addr); err == nil {
		t.Error("no error")
	}
	get(t, &http.Client{Transport: &Transport{TLS: clientConfig()}}, "https://"+addr)
	if line := <-logged; !strings.Contains(line, "panic in the handshake: of the callback") {
		t.Errorf("logged %q", line)
	}
}

// lines is a log's destination that tests can wait on.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func TestHTTP1OnAnHTTP2ConnectionIsRefused(t *testing.T) {
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe)}})
	config := clientConfig()
	config.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", addr, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
	answer, _ := io.ReadAll(conn)
	if !bytes.HasPrefix(answer, []byte("HTTP/1.1 400 ")) {
		t.Errorf("got %q", answer)
	}
}

func TestHTTP2ProhibitsWeakSuites(t *testing.T) {
	outcome := make(chan Handshake, 1)
	config := serverConfig(t)
	config.MaxVersion = tls.VersionTLS12
	config.CipherSuites = []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}
	addr := serve(t, &Server{TLS: config, OnHandshake: func(h Handshake) { outcome <- h }})
	client := clientConfig()
	client.NextProtos, client.CipherSuites = []string{"h2"}, config.CipherSuites
	conn, err := tls.Dial("tcp", addr, client)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer := make([]byte, 26)
	if _, err := io.ReadFull(conn, answer); err != nil || answer[12] != 7 || answer[25] != 12 {
		t.Errorf("want GOAWAY with INADEQUATE_SECURITY, got % x, %v", answer, err)
	}
	if h := <-outcome; h.Err == nil || !strings.Contains(h.Err.Error(), "CBC") {
		t.Errorf("OnHandshake got %v", h.Err)
	}
}

func TestOtherProtocolsEndAfterTheHandshake(t *testing.T) {
	config := serverConfig(t)
	config.NextProtos = []string{"h2", "acme-tls/1"}
	addr := serve(t, &Server{TLS: config})
	client := clientConfig()
	client.NextProtos = []string{"acme-tls/1"}
	conn, err := tls.Dial("tcp", addr, client)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if n, err := conn.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("read %d, %v", n, err)
	}
}

func TestSettingsThatWouldDoNothingAreErrors(t *testing.T) {
	for name, s := range map[string]*Server{
		"no config":    {},
		"TLSConfig":    {TLS: serverConfig(t), HTTP: &http.Server{TLSConfig: serverConfig(t)}},
		"TLSNextProto": {TLS: serverConfig(t), HTTP: &http.Server{TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}},
	} {
		if err := s.ListenAndServe(); err == nil || errors.Is(err, http.ErrServerClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
