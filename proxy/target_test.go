package proxy

import (
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/event"
)

// An address that goes down gets no connections, and gets them again once it is up.
func TestHealth(t *testing.T) {
	changes := make(chan string, 10)
	first, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := first.Addr().String()
	accept := func(l net.Listener) {
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				io.WriteString(conn, "first")
				conn.Close()
			}
		}()
	}
	accept(first)
	target := saying(t, nil, "second")
	target.Addresses = slices.Insert(target.Addresses, 0, address)
	target.Health = &config.Health{Interval: config.Duration(100 * time.Millisecond), Timeout: config.Duration(90 * time.Millisecond), Fall: 2, Rise: 2}
	_, at := begin(t, at(config.Listener{}, target), event.Hooks{Health: func(_, a string, up bool, _ error) {
		changes <- a + map[bool]string{true: " up", false: " down"}[up]
	}})
	heard := func() (words []string) {
		for range 4 {
			got, err := io.ReadAll(dial(t, at, nil))
			if err != nil {
				t.Error(err)
			}
			words = append(words, string(got))
		}
		slices.Sort(words)
		return slices.Compact(words)
	}
	if got := heard(); !slices.Equal(got, []string{"first", "second"}) {
		t.Errorf("while both are up: %q", got)
	}
	first.Close()
	if got := heard(); !slices.Equal(got, []string{"second"}) { // the next address is tried
		t.Errorf("before the check has seen it: %q", got)
	}
	await(changes, address+" down")
	again, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip("the port was taken by another program: ", err)
	}
	defer again.Close()
	accept(again)
	await(changes, address+" up")
	if got := heard(); !slices.Equal(got, []string{"first", "second"}) {
		t.Errorf("after it is up again: %q", got)
	}
}

// await passes over what else is told, such as the first check of each address.
func await(changes <-chan string, want string) {
	for got := range changes {
		if got == want {
			return
		}
	}
}

// A check by HTTP counts the answer.
func TestHealthByHTTP(t *testing.T) {
	good := atomic.Bool{}
	changes := make(chan bool, 10)
	target := config.Target{Addresses: []string{backend(t, nil, func(conn net.Conn) {
		conn.Read(make([]byte, 4096))
		status := "503 Service Unavailable"
		if good.Load() {
			status = "204 No Content"
		}
		io.WriteString(conn, "HTTP/1.1 "+status+"\r\nConnection: close\r\n\r\n")
	})}}
	target.Health = &config.Health{HTTP: "/up", Interval: config.Duration(100 * time.Millisecond), Timeout: config.Duration(90 * time.Millisecond)}
	begin(t, at(config.Listener{}, target), event.Hooks{Health: func(_, _ string, up bool, why error) {
		if !up && (why == nil || !strings.Contains(why.Error(), "503")) {
			t.Errorf("down because of %v", why)
		}
		changes <- up
	}})
	if <-changes {
		t.Error("an answer of 503 is good")
	}
	good.Store(true)
	if !<-changes {
		t.Error("an answer of 204 is bad")
	}
}

func TestBalance(t *testing.T) {
	places := func(loads ...int64) *target {
		tg := &target{config: &config.Target{}}
		for i, n := range loads {
			p := &place{name: string(rune('a' + i))}
			p.active.Store(n)
			tg.places = append(tg.places, p)
		}
		return tg
	}
	names := func(list []*place) (s string) {
		for _, p := range list {
			s += p.name
		}
		return s
	}
	rr := places(0, 0, 0)
	rr.places[1].down.Store(true)
	for _, want := range []string{"acb", "cab", "cab", "acb"} {
		if got := names(rr.order()); got != want {
			t.Errorf("round robin: %s, want %s", got, want)
		}
	}
	least := places(3, 1, 2)
	least.config.Balance = config.LeastConnections
	for range 3 {
		if got := names(least.order()); got[0] != 'b' {
			t.Errorf("least connections: %s", got)
		}
	}
}

// A target that hangs in its handshake is given up in time, and the next address is tried.
func TestTargetThatHangs(t *testing.T) {
	release := make(chan struct{})
	hangs := backend(t, nil, func(net.Conn) { <-release })
	t.Cleanup(func() { close(release) })
	secure := saying(t, nil, "in")
	secure.Addresses = slices.Insert(secure.Addresses, 0, hangs)
	secure.ConnectTimeout = config.Duration(100 * time.Millisecond)
	tlsTarget := config.Target{Addresses: []string{hangs}, ConnectTimeout: secure.ConnectTimeout, TLS: &config.ClientTLS{Insecure: true}}
	outcome := make(chan event.Target, 1)
	_, at := begin(t, at(config.Listener{}, tlsTarget), event.Hooks{Connected: func(_ *event.Connection, o event.Target) { outcome <- o }})
	if got, _ := io.ReadAll(dial(t, at, nil)); len(got) > 0 {
		t.Errorf("%q", got)
	}
	if o := <-outcome; o.Err == nil || o.Address != hangs || o.Name != "t" {
		t.Errorf("%+v", o)
	}
}
