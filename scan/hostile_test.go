package scan

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// flood sends the same bytes until the connection breaks.
func flood(c net.Conn, b []byte) {
	for {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

// recordOf is one record as it is on the wire; of a length that its header alone tells.
func recordOf(of wire.ContentType, length int, content []byte) []byte {
	return append(record.AppendHeader(nil, record.Header{Type: of, Version: wire.TLS12, Length: length}), content...)
}

// hello reads what a probe says first.
func hello(c net.Conn) { c.Read(make([]byte, 4096)) }

// helloDone is a ServerHello of TLS 1.2, as a server sends it.
func helloDone() []byte {
	m := wire.AppendMessage(nil, &wire.ServerHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32), CipherSuite: wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, wire.Context{})
	return recordOf(wire.ContentHandshake, len(m), m)
}

// certificateHeader begins a Certificate of 16 MB less a byte.
var certificateHeader = []byte{byte(wire.TypeCertificate), 0xff, 0xff, 0xff}

var hostile = []struct {
	name, startTLS string
	serve          func(net.Conn)
	ends           Kind
}{
	{"a banner without end", "smtp", func(c net.Conn) { flood(c, []byte("220-and so on and so on and so on and so on\r\n")) }, StartTLSFailed},
	{"a line without end", "imap", func(c net.Conn) { flood(c, bytes.Repeat([]byte("x"), 4096)) }, StartTLSFailed},
	{"a tree of LDAP without end", "ldap", func(c net.Conn) { hello(c); flood(c, []byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}) }, StartTLSFailed},
	{"a stream of XMPP without end", "xmpp", func(c net.Conn) { flood(c, []byte("<stream:stream a='b'><features><a>")) }, StartTLSFailed},
	{"a tar pit", "", func(c net.Conn) {
		for _, b := range bytes.Repeat(helloDone(), 1000) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}, TimedOut},
	{"silence", "", func(c net.Conn) { io.Copy(io.Discard, c) }, TimedOut},
	{"an alert of 60 KB", "", func(c net.Conn) { hello(c); flood(c, recordOf(wire.ContentAlert, 60000, make([]byte, 60000))) }, ""},
	{"warnings without end", "", func(c net.Conn) { hello(c); flood(c, recordOf(wire.ContentAlert, 2, []byte{1, 90})) }, ""},
	{"empty records without end", "", func(c net.Conn) { hello(c); flood(c, recordOf(wire.ContentHandshake, 0, nil)) }, ""},
	{"a certificate of 16 MB", "", func(c net.Conn) {
		hello(c)
		c.Write(helloDone())
		c.Write(recordOf(wire.ContentHandshake, 4, certificateHeader))
		flood(c, recordOf(wire.ContentHandshake, 16384, make([]byte, 16384)))
	}, ""},
	{"a certificate of 16 MB that never comes", "", func(c net.Conn) {
		hello(c)
		c.Write(helloDone())
		c.Write(recordOf(wire.ContentHandshake, 4, certificateHeader))
		io.Copy(io.Discard, c)
	}, TooMuch},
	{"hellos without end", "", func(c net.Conn) { hello(c); flood(c, helloDone()) }, ""},
	{"change_cipher_spec without end", "", func(c net.Conn) { hello(c); flood(c, recordOf(wire.ContentChangeCipherSpec, 1, []byte{1})) }, ""},
	{"noise", "", func(c net.Conn) { flood(c, bytes.Repeat([]byte{0x16, 3, 1, 0x40, 0, 0xaa, 0x55}, 100)) }, ""},
}

// Whatever a server sends, and however slowly, a probe ends in time and takes no more memory
// than it may.
func TestHostileServers(t *testing.T) {
	const timeout = time.Second
	for _, test := range hostile {
		t.Run(test.name, func(t *testing.T) {
			at := serve(t, test.serve)
			at.StartTLS = test.startTLS
			p := &Prober{Timeout: timeout, MaxBytes: 256 << 10}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			a := probe(t, p, at, Probe{Hello: Offer(wire.TLS12), Until: Complete})
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			if test.ends != "" && a.End != test.ends || a.End == Reached {
				t.Errorf("it ends with %q: %v", a.End, a.Err)
			}
			if took > 3*timeout {
				t.Errorf("it took %v", took)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 4<<20 {
				t.Errorf("%d bytes were allocated for 256 KB that may come", grown)
			}
			if len(a.Received()) > 300<<10 {
				t.Errorf("%d bytes are kept", len(a.Received()))
			}
		})
	}
}

// A whole scan of such a server ends too, and is no longer than its probes.
func TestScanOfHostileServers(t *testing.T) {
	for _, test := range hostile {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			at := serve(t, test.serve)
			at.StartTLS = test.startTLS
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			r, err := (&Prober{Timeout: 300 * time.Millisecond, MaxBytes: 64 << 10}).Scan(ctx, at, Options{})
			if err != nil || len(r.Chains) > 0 || r.HTTP != nil {
				t.Errorf("%v, %+v", err, r)
			}
		})
	}
}

// What is compressed stays so: a page that would unfold to gigabytes is not unfolded, and a
// head or page without end is not read to it.
func TestPagesWithoutEnd(t *testing.T) {
	config := &tls.Config{Certificates: []tls.Certificate{certificate(t, devca.ECDSA)}}
	for name, answer := range map[string][]string{
		"head": {"HTTP/1.1 200 OK\r\nServer: long\r\n", "X-A: and so on and so on and so on and so on and so on and so on\r\n"},
		"page": {"HTTP/1.1 200 OK\r\nServer: long\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03", "\xec\xc1\x01\x01\x00\x00\x00\x80\x90\xfe\xaf\xee\x08\x0a\x00\x00"},
		"line": {"HTTP/1.1 200 ", "OK and so on and so on"},
	} {
		t.Run(name, func(t *testing.T) {
			at := serve(t, func(raw net.Conn) {
				conn := tls.Server(raw, config)
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				io.WriteString(conn, answer[0])
				flood(conn, bytes.Repeat([]byte(answer[1]), 100))
			})
			began := time.Now()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r, err := (&Prober{Timeout: 3 * time.Second}).Scan(t.Context(), at, Options{ConfigurationOnly: true, Roots: authority().Pool()})
			runtime.ReadMemStats(&after)
			if err != nil || !r.Offers("TLS 1.3") {
				t.Fatalf("%v: %+v", err, r)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
			if grown := after.TotalAlloc - before.TotalAlloc; grown > 192<<20 {
				t.Errorf("%d MB were allocated by %d probes and their server", grown>>20, r.Connections)
			}
			if name == "page" && (r.HTTP == nil || r.HTTP.Server != "long" || !r.HTTP.Compressed) {
				t.Errorf("%+v", r.HTTP)
			}
		})
	}
}
