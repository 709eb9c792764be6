package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// hostileKinds are what a server on the Internet has to bear, and worse.
var hostileKinds = []kind{
	// Before there are keys.
	{name: "garbage", share: 1, hold: true, play: says(func(*storm) []byte { return garbage(4 << 10) })},
	{name: "HTTP", share: 1, hold: true, play: says(func(*storm) []byte { return []byte("GET / HTTP/1.1\r\nHost: " + loadName + "\r\n\r\n") })},
	{name: "half a ClientHello, then silence", share: 2, play: says(func(s *storm) []byte { return half(s.recordedHello(tls.VersionTLS13)) })},
	{name: "half a ClientHello, then the end", share: 1, hold: true, play: cut(func(conn *net.TCPConn) { conn.CloseWrite() })},
	{name: "half a ClientHello, then a reset", share: 1, hold: true, play: cut(reset)},
	{name: "a record of 65535 bytes", share: 1, hold: true, play: says(func(*storm) []byte { return handshakeRecord(0xffff) })},
	{name: "a ClientHello of 16 MiB", share: 1, hold: true, play: says(func(*storm) []byte { return handshakeRecord(4, 1, 0xff, 0xff, 0xff) })},
	{name: "a ClientHello of 64 KiB in records of a byte", share: 1, hold: true, play: says(crumbs)},
	{name: "a ClientHello of 4,000 extensions", share: 1, hold: true, play: says(manyExtensions)},
	{name: "many ClientHellos", share: 2, hold: true, play: says(func(s *storm) []byte { return bytes.Repeat(s.recordedHello(tls.VersionTLS13), 100) })},
	{name: "empty records", share: 1, hold: true, play: says(func(*storm) []byte { return bytes.Repeat(handshakeRecord(0), 1000) })},
	{name: "warning alerts", share: 1, hold: true, play: says(func(*storm) []byte { return bytes.Repeat([]byte{21, 3, 3, 0, 2, 1, 90}, 1000) })},
	{name: "change_cipher_spec records", share: 1, hold: true, play: says(func(s *storm) []byte {
		return append(s.recordedHello(tls.VersionTLS13), bytes.Repeat([]byte{20, 3, 3, 0, 1, 1}, 1000)...)
	})},
	{name: "connected, then silence", share: 2, play: says(func(*storm) []byte { return nil })},

	// With keys.
	{name: "wrong Finished, TLS 1.3", share: 2, hold: true, play: wrongFinished(tls.VersionTLS13)},
	{name: "wrong Finished, TLS 1.2", share: 2, hold: true, play: wrongFinished(tls.VersionTLS12)},
	{name: "a record that does not open", share: 1, hold: true, play: flood(tls.VersionTLS13, wire.ContentType(23), garbage(100), 0)},
	{name: "KeyUpdates", share: 1, hold: true, play: keyUpdates},
	{name: "renegotiations", share: 1, hold: true, play: renegotiations},
	{name: "empty application data, TLS 1.3", share: 1, hold: true, play: flood(tls.VersionTLS13, wire.ContentApplicationData, nil, 1000)},
	{name: "empty application data, TLS 1.2", share: 1, hold: true, play: flood(tls.VersionTLS12, wire.ContentApplicationData, nil, 1000)},
	{name: "protected warning alerts", share: 1, hold: true, play: flood(tls.VersionTLS12, wire.ContentAlert, []byte{1, 90}, 1000)},
	{name: "a handshake, then silence", share: 1, play: after(func(*tls.Conn) error { return nil })},
	{name: "much asked for, then a reset", share: 1, hold: true, play: after(func(c *tls.Conn) error {
		_, err := c.Write(bytes.Repeat([]byte{wantsMuch}, 10*requestLen))
		reset(c.NetConn().(*net.TCPConn))
		return errors.Join(err, c.NetConn().Close())
	})},
}

// says sends something in the clear, then waits until the server closes.
func says(what func(*storm) []byte) func(*storm, net.Conn) error {
	return func(s *storm, conn net.Conn) error {
		go conn.Write(what(s))
		_, err := io.Copy(io.Discard, conn)
		return err
	}
}

// cut sends half a ClientHello and ends the stream.
func cut(end func(*net.TCPConn)) func(*storm, net.Conn) error {
	return func(s *storm, conn net.Conn) error {
		conn.Write(half(s.recordedHello(tls.VersionTLS12)))
		end(conn.(*net.TCPConn))
		conn.SetReadDeadline(time.Now().Add(time.Second))
		_, err := io.Copy(io.Discard, conn)
		return err
	}
}

// reset has the coming Close send a RST.
func reset(conn *net.TCPConn) {
	conn.SetLinger(0)
}

// after completes a handshake, does something, and waits until the server closes.
func after(deed func(*tls.Conn) error) func(*storm, net.Conn) error {
	return func(s *storm, conn net.Conn) error {
		c := s.ours(conn, tls.VersionTLS13)
		if err := c.Handshake(); err != nil {
			return err
		}
		if err := deed(c); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, c)
		return err
	}
}

// changed is a connection whose second write, which ends with Finished, has its
// last bit flipped.
type changed struct {
	net.Conn
	writes int
}

func (c *changed) Write(p []byte) (int, error) {
	if c.writes++; c.writes == 2 {
		p = bytes.Clone(p)
		p[len(p)-1] ^= 1
	}
	return c.Conn.Write(p)
}

func wrongFinished(version uint16) func(*storm, net.Conn) error {
	return func(s *storm, conn net.Conn) error {
		_, err := io.Copy(io.Discard, s.ours(&changed{Conn: conn}, version))
		return err
	}
}

func keyUpdates(s *storm, conn net.Conn) error {
	c := s.ours(conn, tls.VersionTLS13)
	if err := c.Handshake(); err != nil {
		return err
	}
	for {
		if err := c.KeyUpdate(true); err != nil {
			return err
		}
	}
}

func renegotiations(s *storm, conn net.Conn) error {
	c := s.ours(conn, tls.VersionTLS12)
	ctx, stop := context.WithTimeout(context.Background(), handshakeMost)
	defer stop()
	for {
		if err := c.Renegotiate(ctx); err != nil && !errors.Is(err, tls.ErrNoRenegotiation) {
			return err
		}
	}
}

// flood completes a handshake and then sends a record again and again, under the
// connection's keys. Where it is to be sent zero times, it goes out once as it is.
func flood(version uint16, typ wire.ContentType, content []byte, times int) func(*storm, net.Conn) error {
	return func(s *storm, conn net.Conn) error {
		var out record.Half
		config := s.client.Clone()
		config.MinVersion, config.MaxVersion = version, version
		config.Trace = &trace.Hooks{Keys: func(k trace.Keys) {
			if k.Dir == trace.Sent {
				out.SetKeys(record.Params{Version: k.Version, Suite: suite.ByID(k.Suite), Key: k.Key, IV: k.IV, MAC: k.MAC})
			}
		}}
		c := tls.Client(conn, config)
		if err := c.Handshake(); err != nil {
			return err
		}
		if version == tls.VersionTLS12 { // whose Finished went under the same keys
			out.Seal(nil, wire.ContentHandshake, wire.TLS12, nil, 0)
		}
		flood := append([]byte{byte(typ), 3, 3, 0, byte(len(content))}, content...)
		if times > 0 {
			flood = nil
		}
		for range times {
			var err error
			if flood, err = out.Seal(flood, typ, wire.TLS12, content, 0); err != nil {
				return err
			}
		}
		go conn.Write(flood)
		_, err := io.Copy(io.Discard, conn)
		return err
	}
}

func garbage(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func half(b []byte) []byte { return b[:len(b)/2] }

// handshakeRecord is a record's header that claims a length, and content.
func handshakeRecord(length uint16, content ...byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{22, 3, 1}, length), content...)
}

// crumbs are 60,000 bytes of a ClientHello of 65,532.
func crumbs(*storm) []byte {
	return append(handshakeRecord(4, 1, 0, 0xff, 0xfc), bytes.Repeat(handshakeRecord(1, 1), 60000)...)
}

func manyExtensions(s *storm) []byte {
	m := &wire.ClientHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32), CipherSuites: []wire.CipherSuite{wire.TLS_AES_128_GCM_SHA256},
		CompressionMethods: []wire.CompressionMethod{0}}
	for n := range 4000 {
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtensionType(0x4000 + n)})
	}
	raw := wire.AppendMessage(nil, m, wire.Context{Version: wire.TLS12})
	return append(handshakeRecord(uint16(len(raw))), raw...)
}
