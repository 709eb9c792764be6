package main

import (
	"io"
	"net"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
)

// slowKinds send or take one byte each second, at every stage of a connection.
var slowKinds = []kind{
	{name: "ClientHello, TLS 1.3", share: 9, play: slowHello(tls.VersionTLS13)},
	{name: "ClientHello, TLS 1.2", share: 7, play: slowHello(tls.VersionTLS12)},
	{name: "second flight, TLS 1.3", share: 1, play: slowAfter(1, tls.VersionTLS13)},
	{name: "second flight, TLS 1.2", share: 1, play: slowAfter(1, tls.VersionTLS12)},
	{name: "request", share: 1, play: slowAfter(2, tls.VersionTLS13)},
	{name: "reader", share: 1, play: slowReader},
}

// drip is a connection on which the first writes go at once, and of all that
// follow one byte each second.
type drip struct {
	net.Conn
	atOnce int // writes
}

func (d *drip) Write(p []byte) (int, error) {
	if d.atOnce--; d.atOnce >= 0 {
		return d.Conn.Write(p)
	}
	for i := range p {
		if _, err := d.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
		time.Sleep(time.Second)
	}
	return len(p), nil
}

// hellos are ClientHellos as our client sends them, recorded.
var hellos sync.Map // by version: []byte

// recordedHello is the first record of a client with one version.
func (s *storm) recordedHello(version uint16) []byte {
	if hello, ok := hellos.Load(version); ok {
		return hello.([]byte)
	}
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	go s.ours(here, version).Handshake()
	hello := make([]byte, 1<<14)
	n, _ := there.Read(hello) // a client writes its hello at once
	hellos.Store(version, hello[:n:n])
	return hello[:n:n]
}

// slowHello sends a recorded ClientHello, and notices when the server has had
// enough.
func slowHello(version uint16) func(*storm, net.Conn) error {
	return func(s *storm, conn net.Conn) error {
		hello := s.recordedHello(version)
		go func() {
			io.Copy(io.Discard, conn)
			conn.Close()
		}()
		_, err := (&drip{conn, 0}).Write(hello)
		return err
	}
}

// slowAfter makes a connection that becomes slow after some writes: one of
// handshake, two of it, ...
func slowAfter(writes int, version uint16) func(*storm, net.Conn) error {
	return func(s *storm, conn net.Conn) error {
		c := s.ours(&drip{conn, writes}, version)
		if err := c.Handshake(); err != nil {
			return err
		}
		if _, err := c.Write(make([]byte, requestLen)); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, c)
		return err
	}
}

// slowReader asks for much and takes a byte each second of it.
func slowReader(s *storm, conn net.Conn) error {
	conn.(*net.TCPConn).SetReadBuffer(1 << 12)
	c := s.ours(conn, tls.VersionTLS13)
	request := make([]byte, requestLen)
	request[0] = wantsMuch
	if _, err := c.Write(request); err != nil {
		return err
	}
	// What has arrived here hides that the server gives up: after its time it is
	// read all at once.
	one := make([]byte, 1)
	for began := time.Now(); time.Since(began) < patience+time.Second; time.Sleep(time.Second) {
		if _, err := conn.Read(one); err != nil {
			return err
		}
	}
	_, err := io.Copy(io.Discard, conn)
	return err
}
