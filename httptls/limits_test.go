package httptls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// eventually waits for what another goroutine is about to bring about.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never came about")
		}
	}
}

// countingListener knows how many connections were open at most.
type countingListener struct {
	net.Listener
	mu         sync.Mutex
	open, most int
}

func (l *countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.count(1)
	return &countedConn{Conn: c, gone: sync.OnceFunc(func() { l.count(-1) })}, nil
}

func (l *countingListener) count(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open += n
	l.most = max(l.most, l.open)
}

func (l *countingListener) now() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

func (l *countingListener) peak() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.most
}

type countedConn struct {
	net.Conn
	gone func()
}

func (c *countedConn) Close() error {
	c.gone()
	return c.Conn.Close()
}

func (c *countedConn) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

// MaxConnsPerHost holds for both versions of HTTP, also while it is not known which
// the server speaks, and where the first dials fail. The requests are fewer than a
// connection of HTTP/2 takes before the server has said how many it takes.
func TestMaxConnsPerHost(t *testing.T) {
	const limit, requests = 2, 90
	for name, p := range map[string]*http.Protocols{"http1": only(true, false), "http2": only(true, true)} {
		for _, failing := range []int32{0, 3} {
			t.Run(fmt.Sprintf("%s, %d dials fail", name, failing), func(t *testing.T) {
				inner, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				l := &countingListener{Listener: inner}
				s := &Server{TLS: serverConfig(t), HTTP: &http.Server{Protocols: p,
					Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						time.Sleep(5 * time.Millisecond)
						describe(w, r)
					})}}
				go s.Serve(l)
				defer s.Close()
				var dials atomic.Int32
				refused := errors.New("refused")
				transport := &Transport{TLS: clientConfig(), HTTP: &http.Transport{MaxConnsPerHost: limit,
					DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
						if dials.Add(1) <= failing {
							time.Sleep(50 * time.Millisecond) // while the others wait for what it finds
							return nil, refused
						}
						return new(net.Dialer).DialContext(ctx, network, addr)
					}}}
				defer transport.CloseIdleConnections()
				var failed atomic.Int32
				var wg sync.WaitGroup
				for range requests {
					wg.Go(func() {
						resp, err := (&http.Client{Transport: transport, Timeout: 30 * time.Second}).Get("https://" + inner.Addr().String())
						if err != nil {
							if failed.Add(1); !errors.Is(err, refused) {
								t.Error(err)
							}
							return
						}
						io.Copy(io.Discard, resp.Body)
						resp.Body.Close()
					})
				}
				wg.Wait()
				most := limit
				if failing > 0 {
					most = 2 * limit // requests that have waited in vain find out at the same time
				}
				if l.peak() > most || failed.Load() > failing {
					t.Errorf("%d connections, want %d at most; %d requests failed", l.peak(), most, failed.Load())
				}
			})
		}
	}
}

// What a proxy sends reaches errors, and by them logs: quoted, and not much of it.
func TestAProxysTextIsQuotedAndShort(t *testing.T) {
	much := strings.Repeat("\x1b[2J", 5000)
	for _, words := range []string{
		much + "\r\n\r\n", "HTTP/1.1 " + much + "\r\n\r\n", "HTTP/1.1 403 " + much + "\r\n\r\n", "HTTP/1.1 200 OK\r\n" + much + "\r\n\r\n",
	} {
		proxy, _ := answering(t, words)
		transport := &Transport{HTTP: &http.Transport{Proxy: http.ProxyURL(proxy)}}
		_, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get("https://example.test/")
		if err == nil || len(err.Error()) > 700 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%.20q: %.1000q", words, err)
		}
	}
}
