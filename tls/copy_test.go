package tls

import (
	"bytes"
	"errors"
	"io"
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
