package tls

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"
)

// behindEarly returns a server's connection whose client has sent early data, and then nothing. It stays so
// until carryOn is closed.
func behindEarly(t *testing.T, server, client *Config) (early *EarlyConn, c *Conn, carryOn chan struct{}) {
	t.Helper()
	a, b := tcpPair(t)
	carryOn = make(chan struct{})
	c = Client(&deafUntil{Conn: a, carryOn: carryOn}, client)
	shaken := make(chan struct{})
	go func() {
		defer close(shaken)
		_, _ = c.HandshakeEarly(context.Background(), []byte("early"))
	}()
	t.Cleanup(func() { a.Close(); <-shaken })
	early, err := Server(b, server).AcceptEarly(context.Background())
	if err != nil || early == nil {
		t.Fatal(early, err)
	}
	return early, c, carryOn
}

// deafUntil reads nothing before carryOn is closed, or the connection.
type deafUntil struct {
	net.Conn
	carryOn chan struct{}
}

func (c *deafUntil) Read(p []byte) (int, error) {
	<-c.carryOn
	return c.Conn.Read(p)
}

// Close clears the secrets of a connection whose handshake has got as far as early data, also where
// a call reads that. What is read then is an error, and not the end of the early data.
func TestCloseWipesHalfway(t *testing.T) {
	for _, reads := range []bool{false, true} {
		client, server := earlyPair()
		sendEarly(t, client, server, "for a ticket")
		early, _, carryOn := behindEarly(t, server, client)
		conn := early.Conn()
		if got := secretsOf(conn); len(got) < 4 || conn.engine.EarlyExporter() == nil {
			t.Fatalf("before Close there are %q", got)
		}
		buf := make([]byte, 5)
		if _, err := io.ReadFull(early, buf); err != nil {
			t.Fatal(err)
		}
		over := make(chan error, 1)
		if reads {
			go func() {
				_, err := early.Read(buf)
				over <- err
			}()
		}
		conn.Close()
		if !reads {
			_, err := early.Read(buf)
			over <- err
		}
		if err := <-over; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read after Close: %v", err)
		}
		if got := secretsOf(conn); len(got) != 0 || conn.engine.EarlyExporter() != nil {
			t.Errorf("after Close there are %q", got)
		}
		if err := conn.Handshake(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Handshake after Close: %v", err)
		}
		close(carryOn)
	}
}

// An answer to early data does not wait for a Finished that does not come, for which another call
// waits.
func TestAnAnswerToEarlyDataDoesNotWaitForFinished(t *testing.T) {
	client, server := earlyPair()
	sendEarly(t, client, server, "for a ticket")
	early, c, carryOn := behindEarly(t, server, client)
	s := early.Conn()
	shaken, written := make(chan error, 1), make(chan error, 1)
	go func() { shaken <- s.Handshake() }()
	for s.in.TryLock() { // until that call has begun
		s.in.Unlock()
		runtime.Gosched()
	}
	go func() {
		_, err := early.Write([]byte("answer"))
		written <- err
	}()
	select {
	case err := <-written:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second): // that of the handshake is 30
		t.Error("Write waits for the client's Finished")
	}
	close(carryOn)
	buf := make([]byte, 6)
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != "answer" {
		t.Errorf("the client reads %q, %v", buf, err)
	}
	if err := <-shaken; err != nil {
		t.Error(err)
	}
	exchange(t, c, s)
}

// Nor does a Finished that has come wait for the end of a long answer that the client takes slowly.
func TestTheHandshakeDoesNotWaitForALongAnswer(t *testing.T) {
	client, server := earlyPair()
	sendEarly(t, client, server, "for a ticket")
	early, c, carryOn := behindEarly(t, server, client)
	s := early.Conn()
	const long = 64 << 20
	shaken, written := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := early.Write(make([]byte, long))
		written <- err
	}()
	go func() { shaken <- s.Handshake() }()
	close(carryOn)
	read, buf, before := 0, make([]byte, 64<<10), true
	for read < long {
		n, err := c.Read(buf)
		if err != nil {
			t.Fatalf("after %d bytes: %v", read, err)
		}
		read += n
		select {
		case err := <-shaken:
			if err != nil {
				t.Fatal(err)
			}
			before = false
		default:
		}
		if before && read > long*3/4 {
			t.Fatal("the answer is nearly over, and the handshake is not")
		}
	}
	if err := <-written; err != nil {
		t.Error(err)
	}
	exchange(t, c, s)
}

// The deadlines behind early data are the application's, for its own reads: where one passes the handshake
// can still be gone on with.
func TestADeadlineDoesNotEndTheHandshakeBehindEarlyData(t *testing.T) {
	client, server := earlyPair()
	sendEarly(t, client, server, "for a ticket")
	early, c, carryOn := behindEarly(t, server, client)
	s := early.Conn()
	for range 2 {
		s.SetReadDeadline(time.Unix(1, 0))
		if _, err := s.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal(err)
		}
	}
	s.SetReadDeadline(time.Time{})
	close(carryOn)
	if err := s.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(early)
	if err != nil || !bytes.Equal(got, []byte("early")) {
		t.Errorf("%q, %v", got, err)
	}
	exchange(t, c, s)
}
