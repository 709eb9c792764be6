package httptls

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A dial that hangs holds its own request, not all others to the host.
func TestRequestsDoNotWaitForADialThatHangs(t *testing.T) {
	addr := serve(t, &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe)}})
	var dials atomic.Int32
	hangs := make(chan struct{})
	client := &http.Client{Transport: &Transport{TLS: clientConfig(), HTTP: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if dials.Add(1) == 1 {
				close(hangs)
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}}}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() {
		r, _ := http.NewRequestWithContext(ctx, "GET", "https://"+addr, nil)
		_, err := client.Do(r)
		first <- err
	}()
	<-hangs
	within, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	for range 2 {
		r, _ := http.NewRequestWithContext(within, "GET", "https://"+addr, nil)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the request whose dial hangs: %v", err)
	}
}

// What ends the wait for what another request finds out, and when.
func TestGuessWaits(t *testing.T) {
	over := errors.New("over")
	for name, v := range map[string]struct {
		limited bool
		end     func(h *host, probe chan struct{}, end context.CancelCauseFunc, cancel chan struct{}) // after a second
		after   time.Duration
		proto   string
		err     error
	}{
		"patience": {after: patience - 100*time.Millisecond, proto: protoHTTP1},
		"a limit, and found": {true, func(h *host, probe chan struct{}, _ context.CancelCauseFunc, _ chan struct{}) {
			h.learn(protoHTTP2)
			h.found(probe)
		}, time.Second, protoHTTP2, nil},
		"the context":    {true, func(_ *host, _ chan struct{}, end context.CancelCauseFunc, _ chan struct{}) { end(over) }, time.Second, "", over},
		"Request.Cancel": {true, func(_ *host, _ chan struct{}, _ context.CancelCauseFunc, cancel chan struct{}) { close(cancel) }, time.Second, "", errRequestCanceled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, cancel := new(host), make(chan struct{})
				ctx, end := context.WithCancelCause(t.Context())
				r := (&http.Request{Cancel: cancel}).WithContext(ctx) //lint:ignore SA1019 net/http still heeds it
				_, probe, err := h.guess(r, v.limited)
				if probe == nil || err != nil {
					t.Fatal("the first request does not find out", err)
				}
				time.Sleep(100 * time.Millisecond)
				begun := time.Now()
				defer time.AfterFunc(time.Minute, func() { h.found(probe) }).Stop() // else a mistake hangs
				if v.end != nil {
					time.AfterFunc(time.Second, func() { v.end(h, probe, end, cancel) })
				}
				proto, another, err := h.guess(r, v.limited)
				if took := time.Since(begun); took != v.after || proto != v.proto || another != nil || err != v.err {
					t.Errorf("%q, %v after %v, want %q, %v after %v", proto, err, took, v.proto, v.err, v.after)
				}
				end(nil)
			})
		})
	}
}

// That a server speaks HTTP/2 is known before its connection can be shared: requests wait for that too.
func TestGuessWaitsForTheConnection(t *testing.T) {
	for proto, want := range map[string]time.Duration{protoHTTP2: 100 * time.Millisecond, protoHTTP1: 0} {
		synctest.Test(t, func(t *testing.T) {
			h, r := new(host), new(http.Request)
			_, probe, _ := h.guess(r, false)
			h.learn(proto)
			begun := time.Now()
			time.AfterFunc(100*time.Millisecond, func() { h.found(probe) })
			if got, another, err := h.guess(r, false); got != proto || another != nil || err != nil || time.Since(begun) != want {
				t.Errorf("%q, %v after %v; want %q after %v", got, err, time.Since(begun), proto, want)
			}
		})
	}
}
