package proxy

import (
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

// Clients that bring bodies a byte at a time take all room, and lose it.
func TestSlowBodiesMakeRoom(t *testing.T) {
	t.Parallel()
	const most = 8
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	t.Cleanup(service.Close)
	statuses := make(chan int, 100)
	c := at(config.Listener{Mode: config.ModeHTTP}, config.Target{Addresses: []string{service.Listener.Addr().String()}})
	c.Limits.Connections = most
	_, address := begin(t, c, event.Hooks{RequestFailed: func(_ *event.Connection, r event.Request) { statuses <- r.Status }})
	var dripping sync.WaitGroup
	t.Cleanup(dripping.Wait)
	for range most {
		conn := dial(t, address, nil)
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: front.test\r\nContent-Length: 1000000\r\n\r\n")
		dripping.Go(func() {
			defer conn.Close()
			for range time.Tick(100 * time.Millisecond) {
				if _, err := conn.Write([]byte{'.'}); err != nil {
					return
				}
			}
		})
	}
	select {
	case status := <-statuses:
		if status != http.StatusRequestTimeout {
			t.Fatalf("a slow request fails with %d", status)
		}
	case <-time.After(time.Minute):
		t.Fatal("slow requests go on")
	}
	for {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: front.test\r\nConnection: close\r\n\r\n")
		answer, _ := io.ReadAll(conn) // one that comes while there is no room is reset
		conn.Close()
		if len(answer) > 12 && string(answer[:12]) == "HTTP/1.1 200" {
			return
		}
	}
}
