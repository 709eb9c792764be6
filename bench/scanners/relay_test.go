//go:build linux

package main

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// What goes there and back over a distance comes whole, and no sooner than the setup of the connection and the way take.
func TestDistance(t *testing.T) {
	const delay = 5 * time.Millisecond
	listen := func() net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l
	}
	server, relay := listen(), listen()
	go func() {
		if c, err := server.Accept(); err == nil {
			io.Copy(c, c)
			c.Close()
		}
	}()
	go distance(relay, server.Addr().String(), delay)
	began := time.Now()
	c, err := net.Dial("tcp", relay.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sent := bytes.Repeat([]byte("vitrine "), 50_000)
	go func() {
		c.Write(sent)
		c.(*net.TCPConn).CloseWrite()
	}()
	first := make([]byte, 1)
	if _, err := io.ReadFull(c, first); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 4*delay {
		t.Errorf("the first byte is back after %v", took)
	}
	if rest, err := io.ReadAll(c); err != nil || !bytes.Equal(append(first, rest...), sent) {
		t.Errorf("%d of %d bytes came back: %v", 1+len(rest), len(sent), err)
	}
}
