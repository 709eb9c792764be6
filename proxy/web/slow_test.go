package web

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Credit is used up by waiting and refilled by bytes, up to what there was at the beginning.
func TestPace(t *testing.T) {
	start := time.Unix(1000, 0)
	p := (&Options{BodyRate: 100}).newPace(10 * time.Second)
	at := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
	p.wait(at(0))
	if is, again := p.tooSlow(at(4)); is || again != 6*time.Second {
		t.Errorf("after 4 s: %v, %v", is, again)
	}
	p.came(1_000_000, at(8)) // 10,000 s at the rate
	p.wait(at(1000))         // the service had the time in between
	if is, again := p.tooSlow(at(1009)); is || again != time.Second {
		t.Errorf("9 s after much has come: %v, %v", is, again)
	}
	p.came(100, at(1009))
	p.wait(at(1009))
	if is, _ := p.tooSlow(at(1011)); !is {
		t.Error("2 s of waiting, and a credit of 2 s, are still good")
	}
	p.came(1, at(1100))
	if p.wait(at(1100)); p.credit != 10*time.Millisecond {
		t.Errorf("debts stay: the credit is %v", p.credit)
	}
	lax := (&Options{}).newPace(time.Second)
	lax.wait(at(0))
	if is, again := lax.tooSlow(at(100)); is || again != lookAgain || lax.rate != defaultBodyRate {
		t.Errorf("where nobody says that room runs short: %v, %v at %v bytes a second", is, again, lax.rate)
	}
}

// slowStand is a handler in front of a service that reads bodies, with a short grace.
func slowStand(t *testing.T, grace time.Duration, o Options) (front *httptest.Server, failed chan error, read *atomic.Int64) {
	t.Helper()
	read, failed = new(atomic.Int64), make(chan error, 10)
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/talk" {
			http.NewResponseController(w).EnableFullDuplex()
			w.WriteHeader(http.StatusOK)
			http.NewResponseController(w).Flush()
		}
		for b := make([]byte, 1024); ; {
			n, err := r.Body.Read(b)
			if read.Add(int64(n)); err != nil {
				return
			}
		}
	}))
	t.Cleanup(service.Close)
	places := []Place{placeAt(t, service.Listener.Addr().String())}
	o.Route = func(*http.Request, string) *Route { return &Route{Places: func() []Place { return places }} }
	o.Failed = func(_ *http.Request, _ string, _ int, err error) { failed <- err }
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	h.(*handler).grace = grace
	front = httptest.NewUnstartedServer(h)
	front.EnableHTTP2 = true
	front.StartTLS()
	t.Cleanup(front.Close)
	return front, failed, read
}

// drip sends a request whose body comes a byte at a time, up to the end of the connection.
func drip(t *testing.T, front *httptest.Server) net.Conn {
	t.Helper()
	conn, err := tls.Dial("tcp", front.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\n")
	var dripping sync.WaitGroup
	dripping.Go(func() {
		for range time.Tick(10 * time.Millisecond) {
			if _, err := conn.Write([]byte{'.'}); err != nil {
				return
			}
		}
	})
	t.Cleanup(func() {
		conn.Close()
		dripping.Wait()
	})
	return conn
}

// A client that brings a body a byte at a time is ended by a rate that is set.
func TestASlowBody(t *testing.T) {
	front, failed, _ := slowStand(t, 100*time.Millisecond, Options{BodyRate: 10_000})
	conn := drip(t, front)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || answer.StatusCode != http.StatusRequestTimeout || !answer.Close {
		t.Fatalf("%v, %v", answer, err)
	}
	if err := <-failed; !errors.Is(err, errSlow) {
		t.Errorf("it fails with %v", err)
	}
	front, _, _ = slowStand(t, bodyGrace, Options{BodyRate: 10_000})
	resp, err := front.Client().Post(front.URL, "text/plain", strings.NewReader(strings.Repeat("quick ", 100_000)))
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("a quick client: %v, %v", resp, err)
	}
	resp.Body.Close()
}

// Without one it is ended once room runs short, and not before.
func TestASlowBodyWhileThereIsRoom(t *testing.T) {
	var crowded atomic.Bool
	asked := make(chan bool, 1000)
	front, failed, read := slowStand(t, 100*time.Millisecond, Options{Crowded: func() bool { asked <- true; return crowded.Load() }})
	conn := drip(t, front)
	select {
	case <-asked: // its credit is used up
	case <-time.After(20 * time.Second):
		t.Fatal("nobody asks whether room runs short")
	}
	for before := read.Load(); read.Load() < before+5; {
		time.Sleep(time.Millisecond)
	}
	crowded.Store(true)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || answer.StatusCode != http.StatusRequestTimeout {
		t.Fatalf("%v, %v", answer, err)
	}
	if err := <-failed; !errors.Is(err, errSlow) {
		t.Errorf("it fails with %v", err)
	}
}

// A service that has begun its answer may talk with a client that pauses, which HTTP/2 lets them.
func TestASlowBodyThatIsAnswered(t *testing.T) {
	front, _, read := slowStand(t, 100*time.Millisecond, Options{BodyRate: 10_000})
	body, dripping := io.Pipe()
	resp, err := front.Client().Post(front.URL+"/talk", "text/plain", body)
	if err != nil || resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 {
		t.Fatalf("%v, %v", resp, err)
	}
	for read.Load() < 50 { // half a second, where the grace is a tenth
		if _, err := dripping.Write([]byte{'.'}); err != nil {
			t.Fatalf("after %d bytes: %v", read.Load(), err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	dripping.Close()
	if _, err := io.ReadAll(resp.Body); err != nil {
		t.Errorf("the answer ends with %v", err)
	}
}

// justInTime has its bytes when the client is found to be too slow.
type justInTime struct{ found func() }

func (r justInTime) Read(p []byte) (int, error) {
	r.found()
	return copy(p, "x"), nil
}

func (justInTime) Close() error { return nil }

// What fails after a body that came just in time was not the client's fault.
func TestABodyJustInTime(t *testing.T) {
	var b *body
	r := httptest.NewRequest("POST", "/", justInTime{func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.hurry(time.Now().Add(time.Hour))
	}})
	b = newBody(r, http.NewResponseController(httptest.NewRecorder()), 0, time.Hour, (&Options{BodyRate: 1}).newPace(time.Second), func() {})
	defer b.end()
	if n, err := b.Read(make([]byte, 1)); n != 1 || err != nil || b.failed() != nil {
		t.Errorf("%d bytes, %v; the request fails by %v", n, err, b.failed())
	}
}
