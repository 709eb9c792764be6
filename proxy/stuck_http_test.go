package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
)

// Requests on one connection of HTTP/2 count: each takes a connection to the target.
func TestRequestsAtOnceCount(t *testing.T) {
	const most = 4 // the connection with a first request, and three more
	arrived, over := make(chan bool, 10), make(chan struct{})
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- true; <-over }))
	t.Cleanup(service.Close)
	refused := make(chan event.Reason, 10)
	c := at(config.Listener{Mode: config.ModeHTTP, TLS: serverTLS(t, "front.test")}, config.Target{Addresses: []string{service.Listener.Addr().String()}})
	c.Limits.Connections = most
	p, address := begin(t, c, event.Hooks{Refused: func(_ string, _ net.Addr, why event.Reason, _ error) { refused <- why }})
	b := browser(t, address, true)
	var asking sync.WaitGroup
	for range most {
		asking.Go(func() {
			if _, code, err := get(b, "https://front.test/"); code != http.StatusOK {
				t.Errorf("a request that has room: %d, %v", code, err)
			}
		})
		<-arrived
	}
	if _, code, err := get(b, "https://front.test/"); code != http.StatusServiceUnavailable {
		t.Errorf("one more than there is room for: %d, %v", code, err)
	}
	if why := <-refused; why != event.TooMany {
		t.Errorf("it is refused because of %q", why)
	}
	close(over)
	asking.Wait()
	if _, code, err := get(b, "https://front.test/"); code != http.StatusOK {
		t.Errorf("after the others: %d, %v", code, err)
	}
	b.CloseIdleConnections()
	if err := p.links.wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := p.limits.open.Load(); n != 0 {
		t.Errorf("%d are counted after the end", n)
	}
}

// The idle timeout ends an answer that nobody reads, and a connection that was taken over.
func TestIdleTimeoutOfHTTP(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/large" {
			for data := make([]byte, 256<<10); ; {
				if _, err := w.Write(data); err != nil {
					return
				}
			}
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
		io.Copy(conn, conn)
	}))
	t.Cleanup(service.Close)
	for _, path := range []string{"/large", "/echo"} {
		closed := make(chan event.Result, 1)
		c := at(config.Listener{Mode: config.ModeHTTP}, config.Target{Addresses: []string{service.Listener.Addr().String()}})
		c.Limits.IdleTimeout = config.Duration(300 * time.Millisecond)
		_, address := begin(t, c, event.Hooks{Closed: func(_ *event.Connection, r event.Result) { closed <- r }})
		conn := dial(t, address, nil)
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: front.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n", path)
		if path == "/echo" {
			if _, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
				t.Fatal(err)
			}
			io.WriteString(conn, "0123456789")
		}
		select {
		case r := <-closed:
			if !errors.Is(r.Err, ErrIdle) || path == "/echo" && r.Received != 10 {
				t.Errorf("%s: it ends with %v; %d bytes came", path, r.Err, r.Received)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s: it goes on", path)
		}
	}
}
