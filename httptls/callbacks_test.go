package httptls

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// syncBuffer is a log that many goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// A callback that panics, or ends its goroutine, costs its connection and nothing else.
func TestCallbacksThatDoNotReturn(t *testing.T) {
	for name, fail := range map[string]func(){
		"panic":  func() { panic("mine") },
		"Goexit": runtime.Goexit,
	} {
		for _, where := range []string{"OnHandshake", "GetCertificate", "ConnState"} {
			t.Run(where+" "+name, func(t *testing.T) {
				var done atomic.Bool
				once := func(here string) {
					if here == where && !done.Swap(true) {
						fail()
					}
				}
				config := serverConfig(t)
				cert := config.Certificates[0]
				config.Certificates = nil
				config.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
					once("GetCertificate")
					return &cert, nil
				}
				var logged syncBuffer
				addr := serve(t, &Server{
					HTTP: &http.Server{Handler: http.HandlerFunc(describe), ErrorLog: log.New(&logged, "", 0),
						ConnState: func(_ net.Conn, state http.ConnState) {
							if state == http.StateNew {
								once("ConnState")
							}
						}},
					TLS:         config,
					OnHandshake: func(h Handshake) { once("OnHandshake") },
				})
				conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
				if err == nil { // the handshake was complete on our side
					conn.SetReadDeadline(time.Now().Add(5 * time.Second))
					_, err = conn.Read(make([]byte, 1))
					conn.Close()
				}
				if err == nil || strings.Contains(err.Error(), "i/o timeout") {
					t.Errorf("the connection stayed open: %v", err)
				}
				if want := where != "GetCertificate" && name == "panic"; want != strings.Contains(logged.String(), "panic in "+where) {
					t.Errorf("logged: %s", logged.String())
				}
				client := &http.Client{Transport: &Transport{TLS: clientConfig()}}
				defer client.CloseIdleConnections()
				if resp, _ := get(t, client, "https://"+addr); resp.StatusCode != http.StatusOK {
					t.Errorf("the next connection: %s", resp.Status)
				}
			})
		}
	}
}

// Servers that share a configuration neither change it nor race for it.
func TestServersShareAConfig(t *testing.T) {
	config := serverConfig(t)
	config.NextProtos = nil
	client := &http.Client{Transport: &Transport{TLS: clientConfig()}}
	defer client.CloseIdleConnections()
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			addr := serve(t, &Server{HTTP: &http.Server{Handler: http.HandlerFunc(describe)}, TLS: config})
			resp, err := client.Get("https://" + addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.ProtoMajor != 2 {
				t.Errorf("%s, %v", resp.Proto, err)
			}
		})
	}
	group.Wait()
	if config.NextProtos != nil {
		t.Errorf("NextProtos became %q", config.NextProtos)
	}
}
