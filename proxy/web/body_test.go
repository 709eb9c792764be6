package web

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// A service that takes nothing of a request, such as a program that was stopped, holds neither
// the request nor the connection.
func TestAServiceThatTakesNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() // its connections wait in the kernel, which takes what its buffers hold
	failed := make(chan error, 1)
	places := []Place{placeAt(t, l.Addr().String())}
	h, err := New(Options{
		Route:  func(*http.Request, string) *Route { return &Route{Places: func() []Place { return places }} },
		Failed: func(_ *http.Request, _ string, _ int, err error) { failed <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	h.(*handler).patience = 100 * time.Millisecond
	front := httptest.NewServer(h)
	defer front.Close()
	conn, err := net.Dial("tcp", front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n", int64(1)<<40)
	var writing sync.WaitGroup
	defer writing.Wait()
	defer conn.Close()
	writing.Go(func() {
		for data := make([]byte, 256<<10); ; {
			if _, err := conn.Write(data); err != nil {
				return
			}
		}
	})
	answer := make([]byte, 12)
	if _, err := io.ReadFull(conn, answer); err == nil && string(answer) != "HTTP/1.1 504" { // it may be reset behind the answer
		t.Errorf("the answer begins with %q", answer)
	}
	if err := <-failed; !errors.Is(err, errStalled) {
		t.Errorf("it fails with %v", err)
	}
}

// deadlines counts how often the deadline of a connection is set.
type deadlines struct {
	http.ResponseWriter
	set int
}

func (d *deadlines) SetReadDeadline(time.Time) error {
	d.set++
	return nil
}

// A transport that reads a body after the handler has returned leaves the connection alone: it
// may serve the next request.
func TestABodyReadLate(t *testing.T) {
	for _, text := range []string{"", "more"} {
		in := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(strings.NewReader(text)))
		d := &deadlines{ResponseWriter: httptest.NewRecorder()}
		b := newBody(in, http.NewResponseController(d), time.Hour, time.Hour, pace{}, func() { t.Error("the request is cancelled") })
		b.end()
		if n, err := b.Read(make([]byte, 1)); n != 0 || !errors.Is(err, http.ErrBodyReadAfterClose) || d.set != 0 {
			t.Errorf("%d, %v; the deadline is set %d times", n, err, d.set)
		}
		b.look()
	}
}

// A target of a request that is no path and no URL with a host reaches no service, and neither
// does a header that CGI makes the variable HTTP_PROXY of.
func TestWhatServicesDoNotGet(t *testing.T) {
	got := make(chan *http.Request, 10)
	s := newStand(t, nil, func(_ http.ResponseWriter, r *http.Request) { got <- r })
	for target, want := range map[string]int{"x:@evil.test/": 400, "http:evil.test": 400, "http://a.test/": 200, "/": 200} {
		conn := s.dial("a.test")
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: a.test\r\nProxy: http://evil.test/\r\nConnection: close\r\n\r\n", target)
		answer, err := io.ReadAll(conn)
		if err != nil || !strings.HasPrefix(string(answer), fmt.Sprintf("HTTP/1.1 %d ", want)) {
			t.Errorf("%s: %.30q, %v", target, answer, err)
		}
		if want == 400 && !strings.Contains(string(answer), "X-Request-Id: ") {
			t.Errorf("%s: a service has refused it: %q", target, answer)
		}
		select {
		case r := <-got:
			if want != 200 || r.Header.Get("Proxy") != "" {
				t.Errorf("%s: the service gets %q with %v", target, r.RequestURI, r.Header)
			}
		default:
			if want == 200 {
				t.Errorf("%s: the service gets nothing", target)
			}
		}
	}
}
