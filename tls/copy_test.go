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
