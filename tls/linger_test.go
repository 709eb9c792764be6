package tls

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// A Close right after a handshake that we have refused does not reset the connection
// while the peer still sends: the peer gets the alert, and then the end.
func TestCloseAfterAFailedHandshakeLosesNoAlert(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	ours := map[string]struct {
		side  func(net.Conn) *Conn
		alert wire.AlertCode
		first []byte // of the peer: what is refused
	}{
		"a server": {func(c net.Conn) *Conn { return Server(c, testPKI().server("ecdsa-p256")) }, wire.AlertUnexpectedMessage, []byte{22, 3, 1, 0, 4, 14, 0, 0, 0}},
		"a client": {func(c net.Conn) *Conn { return Client(c, testPKI().client()) }, wire.AlertUnexpectedMessage, []byte{22, 3, 1, 0, 4, 14, 0, 0, 0}},
	}
	for name, test := range ours {
		t.Run(name, func(t *testing.T) {
			peer, err := net.Dial("tcp", listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer peer.Close()
			raw, err := listener.Accept()
			if err != nil {
				t.Fatal(err)
			}
			peer.SetDeadline(time.Now().Add(10 * time.Second))
			if _, err := peer.Write(append(bytes.Clone(test.first), make([]byte, 40<<10)...)); err != nil {
				t.Fatal(err)
			}
			conn := test.side(raw)
			var fault *HandshakeError
			if err := conn.Handshake(); !errors.As(err, &fault) || fault.Alert != test.alert || fault.Received {
				t.Fatal(err)
			}
			closed := make(chan error, 1)
			go func() { closed <- conn.Close() }()
			got, err := io.ReadAll(peer)
			if want := []byte{21, 3, 1, 0, 2, 2, byte(test.alert)}; err != nil || !bytes.HasSuffix(got, want) && !bytes.HasSuffix(got, append([]byte{21, 3, 3}, want[3:]...)) {
				t.Errorf("the peer gets %x, %v", got, err)
			}
			peer.Close()
			if err := <-closed; err != nil {
				t.Error(err)
			}
		})
	}
}

// halfConn is a connection of which a side can be closed, to a peer that says nothing.
type halfConn struct {
	net.Conn
	half bool
}

func (c *halfConn) CloseWrite() error { c.half = true; return nil }

// A peer that does not end its side keeps Close for half a second, and one that sends
// on and on no longer than 256 KiB take. A Close of what was not refused does not wait.
func TestLingeringIsBounded(t *testing.T) {
	for _, test := range []struct {
		name   string
		sends  []byte
		floods bool
		half   bool
		takes  time.Duration
	}{
		{"silent", []byte{22, 3, 1, 0, 4, 14, 0, 0, 0}, false, true, lingerTime},
		{"floods", []byte{22, 3, 1, 0, 4, 14, 0, 0, 0}, true, true, 0},
		{"has refused us", []byte{21, 3, 1, 0, 2, 2, 40}, false, false, 0},
		{"no handshake", nil, false, false, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, b := net.Pipe()
				half := &halfConn{Conn: a}
				conn := Server(half, testPKI().server("ecdsa-p256"))
				go io.Copy(io.Discard, b)
				var flood atomic.Int64
				if test.sends != nil {
					go func() {
						b.Write(test.sends)
						for test.floods {
							if _, err := b.Write(make([]byte, 1000)); err != nil {
								return
							}
							flood.Add(1000)
						}
					}()
					if err := conn.Handshake(); err == nil {
						t.Fatal("the handshake is complete")
					}
				}
				begun := time.Now()
				conn.Close()
				if took := time.Since(begun); took != test.takes || half.half != test.half {
					t.Errorf("it took %v, half closed: %v", took, half.half)
				}
				b.Close()
				if flood.Load() > lingerBytes+1<<14 {
					t.Errorf("%d bytes were taken in", flood.Load())
				}
			})
		})
	}
}
