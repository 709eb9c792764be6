package faults

import (
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// odd is a net.Conn that does what net.Conn does not allow, once it is told to.
type odd struct {
	net.Conn
	on    bool
	write func(p []byte) (int, error)
	read  func(p []byte) (int, error)
}

func (o *odd) Write(p []byte) (int, error) {
	if o.on && o.write != nil {
		return o.write(p)
	}
	return o.Conn.Write(p)
}

func (o *odd) Read(p []byte) (int, error) {
	if o.on && o.read != nil {
		return o.read(p)
	}
	return o.Conn.Read(p)
}

// A net.Conn that breaks the rules of package io is an error, not a loop or a panic,
// from the start and later.
func TestOddConnections(t *testing.T) {
	for _, test := range []struct {
		name string
		conn odd
		want error
	}{
		{"Write takes nothing", odd{write: func([]byte) (int, error) { return 0, nil }}, io.ErrShortWrite},
		{"Write takes all but a byte", odd{write: func(p []byte) (int, error) { return len(p) - 1, nil }}, io.ErrShortWrite},
		{"Write takes less than nothing", odd{write: func([]byte) (int, error) { return -1, nil }}, io.ErrShortWrite},
		{"Write takes more than there is, and fails", odd{write: func(p []byte) (int, error) { return len(p) + 1, errWrite }}, errWrite},
		{"Read gives nothing", odd{read: func([]byte) (int, error) { return 0, nil }}, io.ErrNoProgress},
	} {
		for _, from := range []wire.Role{wire.Client, wire.Server} {
			for _, early := range []bool{true, false} {
				synctest.Test(t, func(t *testing.T) {
					config := map[wire.Role]*tls.Config{}
					config[wire.Client], config[wire.Server] = defaults(wire.TLS13)
					l := newLink(fault{})
					conn := test.conn
					conn.Conn, conn.on = l.end(from), early
					ours, theirs := tls.Client, tls.Server
					if from == wire.Server {
						ours, theirs = theirs, ours
					}
					c, peer := ours(&conn, config[from]), theirs(l.end(from.Peer()), config[from.Peer()])
					done := make(chan struct{})
					go func() {
						defer close(done)
						if peer.Handshake() == nil {
							io.Copy(io.Discard, peer)
						}
						peer.Close()
					}()
					begin, err := time.Now(), c.Handshake()
					if !early && err == nil {
						if conn.on = true; conn.write != nil {
							_, err = c.Write(pattern)
						} else {
							_, err = c.Read(make([]byte, 1))
						}
					}
					if !errors.Is(err, test.want) || time.Since(begin) > slack {
						t.Errorf("%s, %v, in the handshake: %v: after %v: %v", test.name, from, early, time.Since(begin), err)
					}
					c.Close()
					<-done
				})
			}
		}
	}
}

// A connection that gives and takes a byte at a time carries every flow. It has room for
// a few bytes: with less than a change_cipher_spec both sides of a HelloRetryRequest
// write at once, and wait for each other.
func TestOneByteAtATime(t *testing.T) {
	for _, f := range flows {
		f.prepare(t)
		for name, how := range map[string]struct{ sip, narrow int }{"reads": {sip: 1}, "writes": {narrow: 8}, "both": {narrow: 8, sip: 1}} {
			l := newLink(fault{})
			l.sip, l.narrow = how.sip, how.narrow
			var c, s *side
			synctest.Test(t, func(*testing.T) { c, s = f.connect(l, byTimeout) })
			for _, wrong := range f.common(c, s) {
				t.Errorf("%s, %s of a byte: %s", f.name, name, wrong)
			}
			if c.err != nil || s.err != nil {
				t.Errorf("%s, %s of a byte: client: %v, server: %v", f.name, name, c.err, s.err)
			}
		}
	}
}
