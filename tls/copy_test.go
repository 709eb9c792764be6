package tls

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"
)

// All that a peer sends comes out of WriteTo, in large pieces and small ones, up to its end.
func TestWriteTo(t *testing.T) {
	for _, version := range bothVersions {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		at(version, client, server)
		c, s := open(t, "TCP", client, server)
		want := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
		go func() {
			c.Write(want[:10])
			c.Write(want[10:])
			c.CloseWrite()
		}()
		var got bytes.Buffer
		n, err := io.Copy(&got, s)
		if err != nil || n != int64(len(want)) || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: %d of %d bytes came, %v", VersionName(version), n, len(want), err)
		}
	}
}

// An end without close_notify is not the end, and a deadline ends the wait.
func TestWriteToOfACutConnection(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	c, s := open(t, "TCP", client, server)
	s.SetReadDeadline(time.Now().Add(-time.Second))
	if _, err := s.WriteTo(io.Discard); !isTimeout(err) {
		t.Error("after a deadline:", err)
	}
	s.SetReadDeadline(time.Time{})
	io.WriteString(c, "half")
	c.NetConn().Close()
	if n, err := s.WriteTo(io.Discard); n != 4 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// A reader that was idle holds nothing to receive with once a deadline has ended its wait: the
// idler has been there, and does not come again.
func TestDeadlineOfAnIdleReader(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	c, s := open(t, "TCP", client, server)
	idle := func() { // as after some time
		s.stopIdler()
		s.flags.unset(warm)
		s.idle()
	}
	idle()
	done := make(chan error, 1)
	go func() {
		_, err := s.WriteTo(io.Discard)
		done <- err
	}()
	for !s.flags.has(ticking) { // it is about to wait
		runtime.Gosched()
	}
	idle()
	s.SetReadDeadline(time.Now().Add(-time.Second))
	if err := <-done; !isTimeout(err) {
		t.Error("after a deadline:", err)
	}
	if s.reader != nil {
		t.Error("it holds a reader")
	}
	s.SetReadDeadline(time.Time{})
	io.WriteString(c, "more")
	if n, err := s.Read(make([]byte, 10)); n != 4 || err != nil {
		t.Errorf("afterwards: %d bytes, %v", n, err)
	}
}

// A writer gets large rooms only while it takes them quickly: one that stands still holds little.
func TestWriteToHoldsLittleForASlowWriter(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("ecdsa-p256")
	c, s := open(t, "TCP", client, server)
	go func() {
		c.Write(make([]byte, 8<<20))
		c.CloseWrite()
	}()
	w := &slowOnce{}
	if n, err := s.WriteTo(w); n != 8<<20 || err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
	if first := w.rooms[0]; first != smallRoom {
		t.Errorf("the first write comes from %d bytes", first)
	}
	if w.slow == 0 {
		t.Fatal("no room was ever large")
	}
	if next := w.rooms[w.slow]; next != smallRoom {
		t.Errorf("after a delay a write comes from %d bytes", next)
	}
}

// slowOnce notes from how large a room each write comes, and takes its time for the first of a large one.
type slowOnce struct {
	rooms []int
	slow  int // how many writes there were with the one that took its time
}

func (w *slowOnce) Write(p []byte) (int, error) {
	w.rooms = append(w.rooms, cap(p))
	if w.slow == 0 && cap(p) > smallRoom && len(p) >= timed {
		w.slow = len(w.rooms)
		time.Sleep(delay + time.Millisecond)
	}
	return len(p), nil
}
