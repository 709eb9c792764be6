package httptls

import (
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// Connections whose handshake failed count while they linger, on all listeners
// together, and go before a handshake that runs.
func TestMaxHandshakesCountsTheRefused(t *testing.T) {
	const limit, garbage = 10, 100
	var failed, crowdedOut atomic.Int32
	s := &Server{TLS: serverConfig(t), HTTP: &http.Server{Handler: http.HandlerFunc(describe)}, MaxHandshakes: limit,
		OnHandshake: func(h Handshake) {
			if errors.Is(h.Err, errCrowdedOut) {
				crowdedOut.Add(1)
			} else if h.Err != nil {
				failed.Add(1)
			}
		}}
	var listeners []*countingListener
	for range 2 {
		inner, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l := &countingListener{Listener: inner}
		listeners = append(listeners, l)
		done := make(chan error, 1)
		go func() { done <- s.Serve(l) }()
		defer func() { s.Close(); <-done }()
	}
	dial := func(i int) net.Conn {
		c, err := net.Dial("tcp", listeners[i%2].Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	patient := dial(0) // in the midst of its handshake
	defer patient.Close()
	eventually(t, func() bool { return listeners[0].now() == 1 })
	begun := time.Now()
	for i := range garbage {
		c := dial(i)
		defer c.Close()
		io.WriteString(c, "this is no TLS")
		eventually(t, func() bool { return int(failed.Load()) == i+1 })
	}
	if took := time.Since(begun); took > lingerTime {
		t.Logf("it took %v, so not all of them lingered at the same time", took)
	}
	eventually(t, func() bool { return listeners[0].now()+listeners[1].now() <= limit })
	if most := listeners[0].peak() + listeners[1].peak(); most > limit+4 {
		t.Errorf("%d connections at a limit of %d", most, limit)
	}
	if n := crowdedOut.Load(); n > 0 {
		t.Errorf("%d handshakes had to go, though others were refused already", n)
	}
}
