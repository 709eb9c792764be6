//go:build linux

package main

import (
	"net"
	"sync"
	"time"
)

// oneWay is how long bytes are under way at a distance, in one direction.
const oneWay = 25 * time.Millisecond

// distance carries connections to a server, each byte with a delay. The kernel sets a connection to the relay up at once,
// so what the client says first is held for as long as that takes at a distance.
func distance(l net.Listener, to string, delay time.Duration) {
	for {
		near, err := l.Accept()
		if err != nil {
			return
		}
		ready := time.Now().Add(2 * delay)
		go func() {
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				return
			}
			var both sync.WaitGroup
			both.Go(func() { carry(near.(*net.TCPConn), far.(*net.TCPConn), delay, time.Time{}) })
			carry(far.(*net.TCPConn), near.(*net.TCPConn), delay, ready)
			both.Wait()
			near.Close()
			far.Close()
		}()
	}
}

// A parcel is what came at once; nil content is the end.
type parcel struct {
	content []byte
	due     time.Time
}

// carry brings to out what in says, delayed, and not before a moment.
func carry(out, in *net.TCPConn, delay time.Duration, ready time.Time) {
	way := make(chan parcel, 256)
	go func() {
		defer close(way)
		for {
			b := make([]byte, 32<<10)
			n, err := in.Read(b)
			due := time.Now()
			if due.Before(ready) {
				due = ready
			}
			due = due.Add(delay)
			if n > 0 {
				way <- parcel{b[:n], due}
			}
			if err != nil {
				way <- parcel{nil, due}
				return
			}
		}
	}()
	for p := range way {
		time.Sleep(time.Until(p.due))
		if p.content == nil {
			out.CloseWrite()
		} else if _, err := out.Write(p.content); err != nil {
			in.CloseRead()
		}
	}
	in.CloseRead()
}
