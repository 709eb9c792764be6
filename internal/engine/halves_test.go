package engine

import (
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// After the first handshake the halves share nothing but the control queue: the
// race detector sees them run beside each other, while the In half begins further
// handshakes and gives them up.
func TestTheHalvesShareNothing(t *testing.T) {
	l := connect(byServer(t)).run().done(t)
	for range 20 { // a dozen bytes of each
		l.server.inject(t, wire.ContentHandshake, 0, 0, 0, 0)
		l.server.inject(t, wire.ContentApplicationData, 'x')
		l.server.inject(t, wire.ContentAlert, 1, byte(wire.AlertNoRenegotiation))
	}
	stream := l.server.take()
	e := l.client.Engine
	e.options.Hooks = nil // the test's own are for one goroutine
	ready, written := make(chan bool), make(chan error)
	go func() {
		ready <- true
		for range 300 {
			if _, err := e.Write([]byte("data"), Batch); err != nil && err != ErrHeld {
				written <- err
				return
			}
			if err := e.sendAlert(wire.Alert{Level: wire.LevelWarning, Code: wire.AlertUserCanceled}, nil); err != nil {
				written <- err
				return
			}
			e.Sent(len(e.Output()))
			e.IdleOut()
		}
		written <- nil
	}()
	<-ready
	if err := l.client.receive(stream); err != ErrWantInput || len(l.client.received) != 20 {
		t.Errorf("received %d bytes: %v", len(l.client.received), err)
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	if got := len(l.client.ended); got != 20 || e.Err() != nil {
		t.Errorf("%d handshakes ended, %v", got, e.Err())
	}
}
