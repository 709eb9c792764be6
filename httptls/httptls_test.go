package httptls

import (
	"context"
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
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
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
				// It has no GetBody, so nothing can be sent twice.
				resp, err := client.Post(url, "text/plain", &strictBody{Reader: strings.NewReader(sent)})
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

// What is served is agreed on: a client of HTTP/1.0 may say what it is.
func TestHTTP10IsAgreedOn(t *testing.T) {
	for _, test := range []struct {
		protocols *http.Protocols
		answer    string
	}{
		{nil, "HTTP/1.0 http/1.0 localhost "},
		{only(true, false), "HTTP/1.0 http/1.0 localhost "},
		{only(false, true), ""},
	} {
		addr := serve(t, &Server{HTTP: &http.Server{Protocols: test.protocols, Handler: http.HandlerFunc(describe)}, TLS: serverConfig(t), OnHandshake: func(Handshake) {}})
		config := clientConfig()
		config.ServerName, config.NextProtos = "localhost", []string{"http/1.0"}
		conn, err := tls.Dial("tcp", addr, config)
		if (err == nil) != (test.answer != "") {
			t.Errorf("the handshake: %v", err)
		}
		if err != nil {
			continue
		}
		io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
		answer, err := io.ReadAll(conn)
		conn.Close()
		if err != nil || !strings.HasSuffix(string(answer), "\r\n\r\n"+test.answer) {
			t.Errorf("answered %q, %v", answer, err)
		}
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
	if alert, _ := errors.AsType[tls.AlertError](err); wire.AlertCode(alert) != wire.AlertCertificateRequired {
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
			states[s]++
			if complete := c.(*tls.Conn).ConnectionState().HandshakeComplete; complete == (s == http.StateNew) {
				t.Errorf("ConnState is told %v of a connection whose handshake is complete: %v", s, complete)
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

// TestTicketKeysOfTheConfigAreUsed resumes at one server of a fleet what began
// at another, so neither may use a clone, which would have keys of its own.
func TestTicketKeysOfTheConfigAreUsed(t *testing.T) {
	client := clientConfig()
	client.ServerName, client.ClientSessionCache = "localhost", tls.NewLRUClientSessionCache(8)
	cert := serverConfig(t).Certificates
	for i, want := range []bool{false, true, true} {
		config := &tls.Config{Certificates: cert}
		config.SetSessionTicketKeys([][32]byte{{1, 2, 3}})
		addr := serve(t, &Server{TLS: config, HTTP: &http.Server{Handler: http.HandlerFunc(describe)}})
		transport := &Transport{TLS: client}
		resp, _ := get(t, &http.Client{Transport: transport}, "https://"+addr)
		if resp.TLS.DidResume != want {
			t.Errorf("server %d: resumed is %v", i, resp.TLS.DidResume)
		}
		transport.CloseIdleConnections()
	}
}

// TestExporterOfRequestAndResponse proves that both copies of the state still
// speak for the connection.
func TestExporterOfRequestAndResponse(t *testing.T) {
	export := func(s *tls.ConnectionState) string {
		key, err := s.ExportKeyingMaterial("EXPORTER-test", []byte("context"), 32)
		if err != nil {
			t.Error(err)
		}
		return fmt.Sprintf("%x", key)
	}
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, export(r.TLS))
	})}})
	for _, p := range []*http.Protocols{only(true, false), only(false, true)} {
		transport := &Transport{TLS: clientConfig(), HTTP: &http.Transport{Protocols: p}}
		resp, theirs := get(t, &http.Client{Transport: transport}, "https://"+addr)
		if ours := export(resp.TLS); ours != theirs {
			t.Errorf("%s: the client exports %s, the server %s", resp.Proto, ours, theirs)
		}
		transport.CloseIdleConnections()
	}
}
