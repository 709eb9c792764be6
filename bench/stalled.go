package main

import (
	"cmp"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// halt is how connections come to a halt with something under way: what their client
// does after the handshake, and their server, over TLS alone or over HTTP/1.1.
type halt struct {
	client, server func(conn) error
	handler        func(http.ResponseWriter, *http.Request)
}

var halts = map[string]halt{
	"write":    {client: rest, server: writeOn},
	"read":     {client: writeOn, server: readSome},
	"download": {client: request("GET / HTTP/1.1\r\nHost: bench\r\n\r\n"), handler: func(w http.ResponseWriter, _ *http.Request) { writeTo(w) }},
	"upload": {client: request("POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: 1000000000\r\n\r\n"),
		handler: func(_ http.ResponseWriter, r *http.Request) { readFrom(r.Body) }},
}

// socketBuffer bounds what the kernel holds of each connection, which nobody counts.
const socketBuffer = 64 << 10

var megabyte = make([]byte, 1<<20)

func rest(conn) error { return nil }

func writeOn(c conn) error { return writeTo(c) }

func writeTo(w io.Writer) error {
	for {
		if _, err := w.Write(megabyte); err != nil {
			return err
		}
	}
}

func readSome(c conn) error { return readFrom(c) }

// readFrom reads less than a record, as what looks at a header does.
func readFrom(r io.Reader) error {
	_, err := io.ReadFull(r, make([]byte, 4<<10))
	return err
}

// request sends one and, as far as that goes, a body; what comes back is not read.
func request(head string) func(conn) error {
	return func(c conn) error {
		if _, err := io.WriteString(c, head); err != nil || head[0] == 'G' {
			return err
		}
		return writeTo(c)
	}
}

// haltPhase returns the heap bytes that count connections keep together which have come
// to a halt. The first connection of all is only there to tell the other end when to
// let go.
func haltPhase(e ends, l *link, j job, count int, wrap bool, profile string) (float64, error) {
	control, err := l.open()
	if err != nil {
		return 0, err
	}
	defer control.Close()
	begin, end := e.halting(j, wrap)
	defer end()
	before := liveHeap()
	for range count {
		c, err := l.open()
		if err != nil {
			return 0, err
		}
		tcp := c.(*net.TCPConn)
		if err := cmp.Or(tcp.SetReadBuffer(socketBuffer), tcp.SetWriteBuffer(socketBuffer), begin(c)); err != nil {
			return 0, err
		}
	}
	if j.flag("wait") {
		drain(control, make([]byte, 1))
		return 0, nil
	}
	if wrap && count > 1 {
		time.Sleep(time.Duration(j.number("settle")) * time.Millisecond)
	}
	bytes := liveHeap() - before
	return bytes, writeHeapProfile(profile)
}

// halting returns what begins a connection at this end, and what ends all that it has
// begun.
func (e ends) halting(j job, wrap bool) (begin func(net.Conn) error, end func()) {
	h, server := halts[j.text("halt")], j.text("role") == "server"
	work := h.client
	if server {
		work = h.server
	}
	var open []net.Conn
	var running sync.WaitGroup
	begin = func(c net.Conn) error { open = append(open, c); return nil }
	end = func() {
		for _, c := range open {
			c.Close()
		}
		running.Wait()
	}
	switch {
	case !wrap:
		return begin, end
	case server && h.handler != nil:
		return e.serving(h.handler)
	}
	return func(c net.Conn) error {
		t := e.end(server)(c)
		open = append(open, t)
		if err := t.Handshake(); err != nil {
			return err
		}
		running.Go(func() { work(t) })
		return nil
	}, end
}

// serving has an http.Server take connections, each until its request is there. Requests
// are held until the end.
func (e ends) serving(handler http.HandlerFunc) (begin func(net.Conn) error, end func()) {
	l := &handedListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	requests, done := make(chan struct{}), make(chan struct{})
	stop := e.serve(l, func(w http.ResponseWriter, r *http.Request) {
		requests <- struct{}{}
		handler(w, r)
		<-done
	})
	begin = func(c net.Conn) error {
		l.conns <- c
		<-requests
		return nil
	}
	return begin, func() { close(done); stop() }
}

// handedListener accepts what it is handed.
type handedListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *handedListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *handedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *handedListener) Addr() net.Addr { return &net.TCPAddr{} }
