package tls

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// largest watches what arrives: the most plaintext of any protected record, padding
// and the byte of the type included, by type.
type largest struct {
	mu   sync.Mutex
	most map[wire.ContentType]int
}

func (l *largest) watch(c *Config, inner int) {
	c.Trace = &trace.Hooks{Record: func(r trace.Record) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if r.Dir == trace.Received && r.Epoch > 0 {
			if l.most == nil {
				l.most = map[wire.ContentType]int{}
			}
			l.most[r.Type] = max(l.most[r.Type], len(r.Plain)+r.Padding+inner)
		}
	}}
}

func (l *largest) of(t wire.ContentType) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.most[t]
}

// swap has 100,000 bytes go in each direction, which must arrive as they are.
func swap(t *testing.T, c, s *Conn) {
	t.Helper()
	for i, dir := range [][2]*Conn{{c, s}, {s, c}} {
		data := newPattern(byte(i)).next(make([]byte, 100_000))
		go dir[0].Write(data)
		got := make([]byte, len(data))
		if _, err := io.ReadFull(dir[1], got); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("direction %d: %v", i, err)
		}
	}
}

// inner is 1 where a record's plaintext has the type inside.
func inner(v wire.Version) int {
	if v == wire.TLS13 {
		return 1
	}
	return 0
}

// split is the byte that goes in a record of its own before, against BEAST.
func split(v wire.Version) int {
	if v == wire.TLS10 {
		return 1
	}
	return 0
}

// manyNames make a certificate longer than the limits, so that the handshake's own
// messages must be cut too.
func manyNames() Certificate {
	names := []string{"example.test"}
	for i := range 60 {
		names = append(names, fmt.Sprintf("name-%d.%s.example.test", i, strings.Repeat("x", 50)))
	}
	return testPKI().named("rsa2048", "long", names...)
}

// The client asks for short records in both directions, by max_fragment_length; both
// keep to it with all that is protected, and use it in full.
func TestMaxFragmentLength(t *testing.T) {
	long := manyNames()
	for _, v := range allVersions[:4] {
		for _, size := range []int{512, 1024, 2048, 4096} {
			t.Run(fmt.Sprintf("%v/%d", v, size), func(t *testing.T) {
				t.Parallel()
				client, server := testPKI().client(), testPKI().server("rsa2048")
				at(uint16(v), client, server)
				server.Certificates = []Certificate{long}
				client.Record.MaxFragmentLength = size
				var toClient, toServer largest
				toClient.watch(client, 0)
				toServer.watch(server, 0)
				c, s := mustConnect(t, client, server)
				swap(t, c, s)
				for side, l := range map[string]*largest{"client": &toClient, "server": &toServer} {
					if got := l.of(wire.ContentApplicationData); got != size-split(v) {
						t.Errorf("the %s has got records of up to %d", side, got)
					}
					if got := l.of(wire.ContentHandshake); got > size {
						t.Errorf("the %s has got handshake records of up to %d", side, got)
					}
				}
				if v == wire.TLS13 && toClient.of(wire.ContentHandshake) != size {
					t.Errorf("the certificate came in records of up to %d: this test proves little", toClient.of(wire.ContentHandshake))
				}
				for _, conn := range []*Conn{c, s} {
					if state := conn.State(); state.SendLimit != size || state.ReceiveLimit != size {
						t.Errorf("the %v sends up to %d and takes up to %d", conn.role, state.SendLimit, state.ReceiveLimit)
					}
				}
				exchange(t, c, s)
			})
		}
	}
}

// Each side says how much it takes, by record_size_limit, if the client begins: the
// other keeps to it, with padding and all.
func TestRecordSizeLimit(t *testing.T) {
	long := manyNames()
	for _, v := range []wire.Version{wire.TLS13, wire.TLS12, wire.TLS10} {
		for _, sizes := range [][2]int{{64, 64}, {64, 16385}, {65, 100}, {512, 0}, {16384, 64}, {16385, 16385}, {16385, 1000}, {0, 512}} {
			for _, padded := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v/%d and %d/padded %v", v, sizes[0], sizes[1], padded), func(t *testing.T) {
					t.Parallel()
					client, server := testPKI().client(), testPKI().server("rsa2048")
					at(uint16(v), client, server)
					server.Certificates = []Certificate{long}
					client.Record.SizeLimit, server.Record.SizeLimit = sizes[0], sizes[1]
					if padded {
						client.Record.Padding = func(n int) int { return 1 << 20 }
						server.Record.Padding = func(n int) int { return rand.IntN(300) }
					}
					var to [2]largest
					to[0].watch(client, inner(v))
					to[1].watch(server, inner(v))
					c, s := mustConnect(t, client, server)
					swap(t, c, s)
					for i, conn := range []*Conn{c, s} {
						limit := 16384 + inner(v)
						if sizes[0] != 0 && sizes[i] != 0 {
							limit = min(limit, sizes[i])
						}
						if got := to[i].of(wire.ContentApplicationData); got != limit-split(v) {
							t.Errorf("the %v has got records of up to %d, and takes %d", conn.role, got, limit)
						}
						if got := to[i].of(wire.ContentHandshake); got > limit {
							t.Errorf("the %v has got handshake records of up to %d, and takes %d", conn.role, got, limit)
						}
						if state := conn.State(); sizes[0] == 0 && state.ReceiveLimit != 0 || sizes[0] != 0 && state.ReceiveLimit != limit-inner(v) {
							t.Errorf("the %v says that it takes %d, want %d", conn.role, state.ReceiveLimit, limit)
						}
					}
					exchange(t, c, s)
				})
			}
		}
	}
}

// Both limits at once: record_size_limit goes before. Record.MaxFragment is our own
// and may be less than either.
func TestLimitsTogether(t *testing.T) {
	for _, v := range allVersions[:4] {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		at(uint16(v), client, server)
		client.Record = RecordOptions{MaxFragmentLength: 512, SizeLimit: 2000, MaxFragment: 77}
		server.Record.MaxFragment = 1 << 14
		var to [2]largest
		to[0].watch(client, inner(v))
		to[1].watch(server, 0)
		c, s := mustConnect(t, client, server)
		swap(t, c, s)
		if a, b := to[0].of(wire.ContentApplicationData), to[1].of(wire.ContentApplicationData); a != 2000-split(v) || b != 77-split(v) {
			t.Errorf("%v: the client has got %d, the server %d", v, a, b)
		}
	}
	// The application's own limit holds in SSL 3.0 too, and for the handshake.
	client, server := renegotiable(uint16(wire.SSL30))
	server.Record.MaxFragment = 1
	c, s := mustConnect(t, client, server)
	swap(t, c, s)
}

// A renegotiation agrees on limits anew, which change with the keys.
func TestLimitsChangeInARenegotiation(t *testing.T) {
	client, server := renegotiable(VersionTLS12)
	client.Record.SizeLimit = 300
	c, s := open(t, "TCP", client, server)
	echoing(t, s)
	for _, size := range []int{300, 1000, 200} {
		client.Record.SizeLimit = size // a Config in use is not to be changed; nothing else reads it now
		if c.State().ReceiveLimit != size {
			renegotiate(t, c)
		}
		data := newPattern(byte(size)).next(make([]byte, 5000))
		go c.Write(data)
		got := make([]byte, len(data))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, data) {
			t.Fatal(err)
		}
		if c.State().ReceiveLimit != size {
			t.Errorf("the client takes %d, want %d", c.State().ReceiveLimit, size)
		}
	}
}

// DEFLATE, where both sides switch it on and TLS 1.3 is not on offer: every kind of
// data arrives, and what repeats itself is short on the wire.
func TestCompression(t *testing.T) {
	kinds := map[string][]byte{
		"zeros": make([]byte, 100_000), "one byte": {7}, "text": bytes.Repeat([]byte("the quick brown fox "), 5000),
		"noise": newPattern(1).next(make([]byte, 100_000)), "a record": newPattern(2).next(make([]byte, 1<<14)),
		"both": append(newPattern(3).next(make([]byte, 20_000)), make([]byte, 20_000)...),
	}
	for _, v := range allVersions[1:] {
		for _, suite := range []string{"TLS_RSA_WITH_AES_128_CBC_SHA", "TLS_RSA_WITH_RC4_128_SHA", "TLS_RSA_WITH_AES_128_GCM_SHA256"} {
			if v != wire.TLS12 && strings.Contains(suite, "GCM") {
				continue
			}
			t.Run(fmt.Sprintf("%v/%s", v, suite), func(t *testing.T) {
				t.Parallel()
				client, server := testPKI().client(), testPKI().server("rsa2048")
				at(uint16(v), client, server)
				for _, c := range []*Config{client, server} {
					c.Legacy = weakSuites
					c.Legacy.SSL30, c.Legacy.Compression = true, true
					c.CipherSuites = suitesNamed(suite)
				}
				var mu sync.Mutex
				onWire := 0
				server.Trace = &trace.Hooks{Record: func(r trace.Record) {
					mu.Lock()
					defer mu.Unlock()
					if r.Dir == trace.Received {
						onWire += len(r.Wire)
					}
				}}
				c, s := mustConnect(t, client, server)
				if c.State().Compression != wire.CompressionDeflate || s.State().Compression != wire.CompressionDeflate {
					t.Fatal("nothing is compressed")
				}
				for name, data := range kinds {
					for i, dir := range [][2]*Conn{{c, s}, {s, c}} {
						mu.Lock()
						onWire = 0
						mu.Unlock()
						go dir[0].Write(data)
						got := make([]byte, len(data))
						if _, err := io.ReadFull(dir[1], got); err != nil || !bytes.Equal(got, data) {
							t.Fatalf("%s, direction %d: %v", name, i, err)
						}
						mu.Lock()
						if i == 0 && (name == "zeros" || name == "text") && onWire > len(data)/20 {
							t.Errorf("%s: %d bytes on the wire", name, onWire)
						}
						mu.Unlock()
					}
				}
				exchange(t, c, s)
			})
		}
	}
}

// Without both switches nothing is compressed, and a client that offers TLS 1.3 does
// not offer it at all.
func TestCompressionIsOff(t *testing.T) {
	for _, test := range []struct {
		client, server bool
		max            uint16
		offered        bool
	}{
		{false, false, VersionTLS12, false}, {true, false, VersionTLS12, true}, {false, true, VersionTLS12, false},
		{true, true, VersionTLS13, false}, {true, false, VersionTLS13, false},
	} {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		client.Legacy.Compression, server.Legacy.Compression = test.client, test.server
		client.MaxVersion, server.MaxVersion = test.max, VersionTLS12
		offered := false
		client.Trace = traceMessages(func(m wire.Message) {
			if hello, ok := m.(*wire.ClientHello); ok {
				offered = bytes.IndexByte([]byte(fmt.Sprint(hello.CompressionMethods)), 'D') >= 0 || len(hello.CompressionMethods) > 1
			}
		})
		c, s := mustConnect(t, client, server)
		if offered != test.offered || c.State().Compression != 0 || s.State().Compression != 0 {
			t.Errorf("%+v: offered %v, used %v", test, offered, c.State().Compression)
		}
		exchange(t, c, s)
	}
}
