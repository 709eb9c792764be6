package main

import (
	"io"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

const bulkBytes = 1 << 20 // each way, for the rows that idle after bulk data

// hold establishes the job's conns connections and measures the heap that they
// keep at this end after settle milliseconds of idleness: plain TCP connections
// first, then TLS, and the difference is the answer. With wait it is the other
// end, which measures nothing and lets go when the measured one does.
func hold(e ends, l *link, j job, profile string) (figures, error) {
	n := j.number("conns")
	phases := []struct {
		count   int
		wrap    bool
		profile string
	}{{1, false, ""}, {1, true, ""}, {n, false, ""}, {n, true, profile}} // one of each to warm up
	run := holdPhase
	if j.text("halt") != "" {
		run = haltPhase
	}
	var perPhase []float64
	for _, phase := range phases {
		bytes, err := run(e, l, j, phase.count, phase.wrap, phase.profile)
		if err != nil {
			return nil, err
		}
		perPhase = append(perPhase, bytes)
	}
	return figures{"n": float64(n), "bytes": perPhase[3] - perPhase[2]}, nil
}

// holdPhase returns the heap bytes that count open connections keep together.
func holdPhase(e ends, l *link, j job, count int, wrap bool, profile string) (float64, error) {
	var readers sync.WaitGroup
	conns := make([]net.Conn, 0, count)
	defer readers.Wait()
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	before := liveHeap()
	for range count {
		c, err := l.open()
		if err != nil {
			return 0, err
		}
		if wrap {
			if c, err = establish(e, c, j); err != nil {
				return 0, err
			}
		}
		conns = append(conns, c)
		if j.flag("reading") {
			readers.Go(func() { drain(c, make([]byte, 1)) })
		}
	}
	if j.flag("wait") {
		drain(rawConn(conns[0]), make([]byte, readSize))
		return 0, nil
	}
	if wrap && count > 1 {
		time.Sleep(time.Duration(j.number("settle")) * time.Millisecond)
	}
	bytes := liveHeap() - before
	return bytes, writeHeapProfile(profile)
}

// establish makes the handshake and, where the job says so, moves bulk data
// both ways, the client first.
func establish(e ends, tcp net.Conn, j job) (conn, error) {
	server := j.text("role") == "server"
	c := e.end(server)(tcp)
	if err := c.Handshake(); err != nil || !j.flag("bulk") {
		return c, err
	}
	steps := []func(conn) error{writeBulk, readBulk}
	if server {
		steps[0], steps[1] = steps[1], steps[0]
	}
	for _, step := range steps {
		if err := step(c); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func writeBulk(c conn) error {
	chunk := make([]byte, 256<<10)
	for sent := 0; sent < bulkBytes; sent += len(chunk) {
		if _, err := c.Write(chunk); err != nil {
			return err
		}
	}
	return nil
}

func readBulk(c conn) error {
	if n := drain(io.LimitReader(c, bulkBytes), make([]byte, readSize)); n != bulkBytes {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// rawConn is the socket below a connection, so that waiting for the other end
// to go away keeps no TLS buffer busy.
func rawConn(c net.Conn) io.Reader {
	if t, ok := c.(conn); ok {
		return t.NetConn()
	}
	return c
}

// writeHeapProfile does nothing where it is given no file name.
func writeHeapProfile(file string) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer f.Close()
	return pprof.Lookup("heap").WriteTo(f, 0)
}

// liveHeap is the heap in use after two collections: the second one empties
// the pools.
func liveHeap() float64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}
