package main

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A relay stands between one member and the store, and can be cut, be slow, or talk nonsense in the store's place.
type relay struct {
	l       net.Listener
	target  string
	delay   atomic.Int64 // of each piece, in nanoseconds
	state   atomic.Int32 // one of the states
	carried atomic.Int64 // bytes, both ways

	mu    sync.Mutex
	conns map[net.Conn]bool
}

const (
	whole = iota
	severed
	babbling
)

// babble is an answer to nothing in the protocols of all engines.
const babble = "+OK\r\n*1000000000\r\nVALUE x 0 99999999\r\nMSG a 1 99999999999\r\n"

func newRelay(target string) (*relay, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{l: l, target: target, conns: map[net.Conn]bool{}}
	go accept(l, func(_ int, c net.Conn) { r.serve(c) })
	return r, nil
}

func (r *relay) address() string { return r.l.Addr().String() }

// become changes the state, and ends what is connected under the other one.
func (r *relay) become(state int32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Store(state)
	for c := range r.conns {
		c.Close()
	}
}

func (r *relay) stop() {
	r.l.Close()
	r.become(severed)
}

// hold keeps a connection until the state changes; it reports whether the state is still so.
func (r *relay) hold(c net.Conn, state int32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.Load() != state {
		return false
	}
	r.conns[c] = true
	return true
}

func (r *relay) drop(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
	c.Close()
}

func (r *relay) serve(c net.Conn) {
	state := r.state.Load()
	if state == severed || !r.hold(c, state) {
		return
	}
	defer r.drop(c)
	if state == babbling {
		for buffer := make([]byte, 4096); ; {
			if _, err := io.WriteString(c, babble); err != nil {
				return
			}
			if _, err := c.Read(buffer); err != nil {
				return
			}
		}
	}
	to, err := net.Dial("tcp", r.target)
	if err != nil || !r.hold(to, state) {
		if err == nil {
			to.Close()
		}
		return
	}
	defer r.drop(to)
	var both sync.WaitGroup
	both.Go(func() { r.pass(c, to) })
	both.Go(func() { r.pass(to, c) })
	both.Wait()
}

// pass copies one way, and ends both when it ends.
func (r *relay) pass(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	for buffer := make([]byte, 16<<10); ; {
		n, err := from.Read(buffer)
		if d := r.delay.Load(); d > 0 {
			time.Sleep(time.Duration(d)) // it is what a slow store does
		}
		r.carried.Add(int64(n))
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
