package tls

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// pipes runs f on both sides of a connection over net.Pipe, where a Write waits for
// the peer, in every version of bothVersions, and with a clock of its own.
func pipes(t *testing.T, f func(t *testing.T, own, peer *Conn)) {
	now := time.Now() // by which the certificates are valid
	for _, version := range bothVersions {
		for _, side := range []string{"client", "server"} {
			client, server := testPKI().client(), testPKI().server("ecdsa-p256")
			at(version, client, server)
			client.Time = func() time.Time { return now }
			client.SessionTicketsDisabled, server.SessionTicketsDisabled = true, true
			t.Run(VersionName(version)+"/"+side, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a, b := net.Pipe()
					own, peer := Client(a, client), Server(b, server)
					if clientErr, serverErr := shake(own, peer); clientErr != nil || serverErr != nil {
						t.Fatal(clientErr, serverErr)
					}
					if side == "server" {
						own, peer = peer, own
					}
					f(t, own, peer)
					own.Close()
					peer.NetConn().Close()
				})
			})
		}
	}
}

// timeOut has a Write run into its deadline.
func timeOut(t *testing.T, c *Conn) {
	t.Helper()
	c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := c.Write([]byte("never read")); n != 10 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(n, err)
	}
}

// A peer that has let a Write time out is not waited for once more.
func TestCloseAfterATimedOutWrite(t *testing.T) {
	pipes(t, func(t *testing.T, own, peer *Conn) {
		timeOut(t, own)
		start := time.Now()
		if err := own.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took > closeTimeoutUp {
			t.Errorf("Close takes %v", took)
		}
		if got, err := io.ReadAll(peer); len(got) != 0 || !errors.Is(err, ErrUnexpectedEOF) {
			t.Errorf("the peer reads %q, %v", got, err)
		}
	})
}

// If it reads again, it gets what was left over, and the end.
func TestCloseSendsWhatATimedOutWriteHasLeft(t *testing.T) {
	pipes(t, func(t *testing.T, own, peer *Conn) {
		timeOut(t, own)
		over := make(chan error, 1)
		var got []byte
		go func() {
			var err error
			got, err = io.ReadAll(peer)
			over <- err
		}()
		synctest.Wait()
		if err := own.Close(); err != nil {
			t.Error(err)
		}
		if err := <-over; err != nil || string(got) != "never read" {
			t.Errorf("the peer reads %q, %v", got, err)
		}
	})
}

// What has been sent in the end is no reason to hurry: the peer has a second to take
// the close_notify, and no more.
func TestCloseWaitsASecond(t *testing.T) {
	pipes(t, func(t *testing.T, own, peer *Conn) {
		timeOut(t, own)
		own.SetWriteDeadline(time.Time{})
		done := make(chan error, 1)
		go func() { _, err := own.Write([]byte(", but read")); done <- err }()
		got := make([]byte, 20)
		if _, err := io.ReadFull(peer, got); err != nil || string(got) != "never read, but read" {
			t.Fatalf("the peer reads %q, %v", got, err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if err := own.Close(); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != closeTimeout {
			t.Errorf("Close takes %v", took)
		}
	})
}
