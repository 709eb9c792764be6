package main

import (
	"bytes"
	"io"
	"net"
	"time"
)

const (
	readSize  = 32 << 10 // what io.Copy reads with
	warmBytes = 1 << 20  // before counting starts: past slow start and small first records
)

// send writes for the job's ms milliseconds, size bytes at a time. The peer's
// job is sink.
func send(c conn, j job) (figures, error) {
	chunk := make([]byte, j.number("size"))
	batch := max(1, 64<<10/len(chunk)) // writes between two looks at the clock
	for warm := 0; warm < warmBytes; warm += len(chunk) {
		if _, err := c.Write(chunk); err != nil {
			return nil, err
		}
	}
	end := time.Now().Add(time.Duration(j.number("ms")) * time.Millisecond)
	m, writes := startMeter(), 0
	for writes == 0 || time.Now().Before(end) {
		for range batch {
			if _, err := c.Write(chunk); err != nil {
				return nil, err
			}
		}
		writes += batch
	}
	f := m.stop()
	f["n"], f["bytes"] = float64(writes), float64(writes*len(chunk))
	return f, nil
}

// sink throws away what arrives on the socket without opening it, so that the
// sender alone sets the pace.
func sink(c conn, _ job) (figures, error) {
	drain(c.NetConn(), make([]byte, 1<<20))
	return figures{}, nil
}

// receive reads total bytes. The peer's job is source.
func receive(c conn, j job) (figures, error) {
	buf, total := make([]byte, readSize), j.number("total")
	for warm := 0; warm < warmBytes; {
		n, err := c.Read(buf)
		if err != nil {
			return nil, err
		}
		warm += n
	}
	m, got, reads := startMeter(), 0, 0
	for got < total {
		n, err := c.Read(buf)
		if err != nil {
			return nil, err
		}
		got += n
		reads++
	}
	f := m.stop()
	f["n"], f["bytes"] = float64(reads), float64(got)
	return f, nil
}

// source seals total bytes into memory first and then sends them as fast as
// the socket takes them, so that every receiver sees the same full socket.
func source(e ends, tcp net.Conn, j job) (figures, error) {
	h := &holdback{Conn: tcp}
	c := e.server(h)
	if err := c.Handshake(); err != nil {
		return nil, err
	}
	h.on = true
	chunk := make([]byte, j.number("size"))
	for sealed := 0; sealed < warmBytes*2+j.number("total"); sealed += len(chunk) {
		if _, err := c.Write(chunk); err != nil {
			return nil, err
		}
	}
	h.held.WriteTo(h.Conn) // the receiver may have enough and close first
	return figures{}, nil
}

// holdback is a net.Conn that keeps what is written while on.
type holdback struct {
	net.Conn
	on   bool
	held bytes.Buffer
}

func (h *holdback) Write(b []byte) (int, error) {
	if h.on {
		return h.held.Write(b)
	}
	return h.Conn.Write(b)
}

// pingPong sends a message of size bytes and reads one back, for ms
// milliseconds. The peer's job is echo.
func pingPong(c conn, j job) (figures, error) {
	message := make([]byte, j.number("size"))
	trip := func() error {
		if _, err := c.Write(message); err != nil {
			return err
		}
		_, err := io.ReadFull(c, message)
		return err
	}
	if err := trip(); err != nil {
		return nil, err
	}
	end := time.Now().Add(time.Duration(j.number("ms")) * time.Millisecond)
	m, trips := startMeter(), 0
	for trips == 0 || time.Now().Before(end) {
		if err := trip(); err != nil {
			return nil, err
		}
		trips++
	}
	f := m.stop()
	f["n"] = float64(trips)
	return f, nil
}

func echo(c conn, j job) (figures, error) {
	message := make([]byte, j.number("size"))
	for {
		if _, err := io.ReadFull(c, message); err != nil {
			return figures{}, nil // the measured end closes when its time is up
		}
		if _, err := c.Write(message); err != nil {
			return figures{}, nil
		}
	}
}

// drain reads until the end, of whatever kind, and returns how much there was.
func drain(r io.Reader, buf []byte) (total int) {
	for {
		n, err := r.Read(buf)
		total += n
		if err != nil {
			return total
		}
	}
}
