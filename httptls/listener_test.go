package httptls

import (
	"bytes"
	"context"
	stdtls "crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

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

// TestRefusedPeerMaySpeakOn has a peer send its request in pieces; a reset after
// the first would keep it from reading the answer.
func TestRefusedPeerMaySpeakOn(t *testing.T) {
	addr := serve(t, &Server{TLS: serverConfig(t), OnHandshake: func(Handshake) {}})
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, piece := range []string{"GET / HTTP/1.1\r\n", "Host: localhost\r\n", "\r\n"} {
		if _, err := io.WriteString(conn, piece); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	conn.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(conn)
	if !bytes.HasPrefix(answer, []byte("HTTP/1.0 400 ")) || err != nil {
		t.Errorf("got %q, %v", answer, err)
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
	// Of crypto/tls: a client of ours would not write it.
	conn, err := stdtls.Dial("tcp", addr, &stdtls.Config{RootCAs: testCA().Pool(), NextProtos: []string{"h2"}})
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
		"TLSConfig":    {TLS: serverConfig(t), HTTP: &http.Server{TLSConfig: &stdtls.Config{}}},
		"TLSNextProto": {TLS: serverConfig(t), HTTP: &http.Server{TLSNextProto: map[string]func(*http.Server, *stdtls.Conn, http.Handler){}}},
	} {
		if err := s.ListenAndServe(); err == nil || errors.Is(err, http.ErrServerClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
