package tls

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// A stream that is cut inside a record, or reset, does not end with io.EOF
// either, in no way and on neither side.
func TestStreamIsCut(t *testing.T) {
	for _, version := range bothVersions {
		for _, cut := range []int{0, 3, 5, 20} { // bytes of the last record that arrive
			for _, side := range []string{"client", "server"} {
				client, server := testPKI().client(), testPKI().server("ecdsa-p256")
				at(version, client, server)
				a, b := memoryPipe()
				c, s := Client(a, client), Server(b, server)
				if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
					t.Fatal(clientErr, serverErr)
				}
				from, to, raw := c, s, a
				if side == "server" {
					from, to, raw = s, c, b
				}
				if _, err := io.WriteString(from, "first"); err != nil {
					t.Fatal(err)
				}
				raw.Write([]byte{23, 3, 3, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}[:cut])
				raw.out.end()
				got, err := io.ReadAll(to)
				if string(got) != "first" || !errors.Is(err, ErrUnexpectedEOF) || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%s, the %s is cut after %d bytes: %q, %v", VersionName(version), side, cut, got, err)
				}
				c.Close()
				s.Close()
			}
		}
	}
	c, s, clientErr, serverErr := connect(t, testPKI().client(), testPKI().server("ecdsa-p256"))
	if clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	c.NetConn().(*net.TCPConn).SetLinger(0) // a reset
	c.NetConn().Close()
	_, err := io.ReadAll(s)
	var op *net.OpError
	var call *os.SyscallError // as net.Conn's own errors have it
	if !errors.As(err, &op) || !errors.As(err, &call) || call.Syscall != op.Op || !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a reset is %#v", err)
	}
}

// close_notify ends one direction only, and is answered when the other side
// has said all it wants to.
func TestHalfClose(t *testing.T) {
	for _, version := range bothVersions {
		for _, first := range []string{"client", "server"} {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			at(version, client, server)
			a, b := mustConnect(t, client, server)
			if first == "server" {
				a, b = b, a
			}
			if err := a.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if _, err := a.Write([]byte{1}); err == nil {
				t.Error("a Write after CloseWrite")
			}
			if err := a.KeyUpdate(false); err == nil {
				t.Error("a KeyUpdate after CloseWrite")
			}
			if err := a.CloseWrite(); err != nil {
				t.Error("a second CloseWrite:", err)
			}
			for range 3 {
				if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("read %d, %v", n, err)
				}
			}
			for range 3 {
				bringTickets(t, a, b)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			if n, err := a.Read(make([]byte, 1)); n != 0 || err != io.EOF {
				t.Errorf("read %d, %v", n, err)
			}
		}
	}
}

// Close sends what a server still has for the client: its tickets, and that
// this is the end.
func TestCloseSendsTickets(t *testing.T) {
	client, server := resumable(VersionTLS13, func(*Config) {})
	c, s := mustConnect(t, client, server)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
	if got := resumption(t, client, server); got != "psk" {
		t.Errorf("resumed by %s", got)
	}
}

// A server that never writes sends its tickets when the connection is idle.
func TestIdleServerSendsTickets(t *testing.T) {
	client, server := resumable(VersionTLS13, func(*Config) {})
	c, _ := mustConnect(t, client, server)
	c.in.Lock()
	cache, key := client.ClientSessionCache, c.sessionKey()
	c.in.Unlock()
	go c.Read(make([]byte, 1)) // until the test closes it
	for range 100 {
		if _, ok := cache.Get(key); ok {
			return
		}
		time.Sleep(4 * idleAfter / 100)
	}
	t.Error("no ticket has come")
}
