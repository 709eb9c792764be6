package httptls

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// sendAndBeDeaf sends a request in early data, and hears nothing of what is answered.
func sendAndBeDeaf(t *testing.T, addr string, client *tls.Config) {
	t.Helper()
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	over, sent := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sent)
		tls.Client(deaf{raw, over}, client).HandshakeEarly(context.Background(), []byte("GET / HTTP/1.1\r\nHost: h\r\n\r\n"))
	}()
	t.Cleanup(func() { close(over); raw.Close(); <-sent })
}

// A handshake that has got as far as early data counts as one that runs: HandshakeTimeout ends it.
func TestHandshakeTimeoutBehindEarlyData(t *testing.T) {
	server, client := earlyConfigs(t)
	ended := make(chan Handshake, 4)
	addr := serveEarly(t, &Server{TLS: server, HandshakeTimeout: 2 * time.Second, OnHandshake: func(h Handshake) { ended <- h }}, func(http.ResponseWriter, *http.Request) {})
	earlyRequest(t, addr, client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n") // for a ticket
	if h := <-ended; h.Err != nil {
		t.Fatal(h.Err)
	}
	sendAndBeDeaf(t, addr, client)
	select {
	case h := <-ended:
		if !errors.Is(h.Err, context.DeadlineExceeded) {
			t.Error(h.Err)
		}
	case <-time.After(8 * time.Second): // that of tls is 30
		t.Error("the handshake goes on")
	}
}

// So does MaxHandshakes: one connection more ends it.
func TestMaxHandshakesBehindEarlyData(t *testing.T) {
	server, client := earlyConfigs(t)
	ended := make(chan Handshake, 4)
	served := make(chan struct{}, 4)
	addr := serveEarly(t, &Server{TLS: server, MaxHandshakes: 1, OnHandshake: func(h Handshake) { ended <- h }}, func(http.ResponseWriter, *http.Request) { served <- struct{}{} })
	earlyRequest(t, addr, client, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-ended
	<-served
	sendAndBeDeaf(t, addr, client)
	<-served
	silent, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	select {
	case h := <-ended:
		if !errors.Is(h.Err, errCrowdedOut) {
			t.Error(h.Err)
		}
	case <-time.After(8 * time.Second):
		t.Error("two handshakes run")
	}
}

// hesitant writes the end of early data, and the rest of the client's last flight once carryOn is closed.
type hesitant struct {
	net.Conn
	writes            int
	carryOn, answered chan struct{}
}

func (c *hesitant) Write(p []byte) (n int, err error) {
	if c.writes++; c.writes == 2 { // after the ClientHello, with which the early data goes
		<-c.answered
		if n, err = c.Conn.Write(p[:record(p)]); err != nil {
			return n, err
		}
		<-c.carryOn
	}
	m, err := c.Conn.Write(p[n:])
	return n + m, err
}

// record is the length of the record that p begins with.
func record(p []byte) int { return 5 + int(p[3])<<8 + int(p[4]) }

// net/http ends a Read of its own by a deadline once a request is served. The handshake, which runs in
// that Read, goes on all the same.
func TestServedBeforeTheHandshakeIsComplete(t *testing.T) {
	server, client := earlyConfigs(t)
	idle, answered := make(chan struct{}, 4), make(chan struct{})
	s := &Server{TLS: server, HTTP: &http.Server{ConnState: func(_ net.Conn, state http.ConnState) {
		if state == http.StateIdle {
			idle <- struct{}{}
		}
	}}}
	addr := serveEarly(t, s, func(w http.ResponseWriter, r *http.Request) {
		early := r.Header.Get("Early-Data")
		w.Header().Set("Content-Length", strconv.Itoa(len(early)))
		io.WriteString(w, early)
		http.NewResponseController(w).Flush()
		if u := r.Context().Value(connKey{}).(*serverConn).early; early != "" {
			close(answered)
			for u.turn.TryLock() { // net/http has not heard the end of early data yet
				u.turn.Unlock()
				runtime.Gosched()
			}
		}
	})
	const request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
	earlyRequest(t, addr, client, request)
	<-idle
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	raw.SetDeadline(time.Now().Add(20 * time.Second))
	carryOn := make(chan struct{})
	go func() {
		<-idle
		close(carryOn)
	}()
	c := tls.Client(&hesitant{Conn: raw, carryOn: carryOn, answered: answered}, client)
	defer c.Close()
	if taken, err := c.HandshakeEarly(context.Background(), []byte(request)); !taken || err != nil {
		t.Fatal(taken, err)
	}
	answers := bufio.NewReader(c)
	for i, want := range []string{"1", ""} {
		if i > 0 {
			io.WriteString(c, request)
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || string(body) != want {
			t.Errorf("answer %d: %q, %v", i, body, err)
		}
	}
}
