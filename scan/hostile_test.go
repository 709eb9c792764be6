package scan

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/wire"
)

// Servers that want a scan to hang, or to fill this machine's memory, do not get that.
func TestHostileServersEndInBoundedTime(t *testing.T) {
	flood := func(b []byte) func(net.Conn) {
		return func(c net.Conn) {
			for {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		}
	}
	record := func(typ byte, n int) []byte {
		return append([]byte{typ, 3, 3, byte(n >> 8), byte(n)}, bytes.Repeat([]byte{1}, n)...)
	}
	servers := map[string]func(net.Conn){
		"endless banner":       flood([]byte("220 hello\r\n")),
		"tar pit":              func(c net.Conn) { trickle(c, record(22, 16000)) },
		"nothing at all":       func(c net.Conn) { io.Copy(io.Discard, c) },
		"alerts of 60 KB":      flood(record(21, 60000)),
		"long warnings":        flood(bytes.Repeat([]byte{1, 112}, 8000)),
		"empty records":        flood([]byte{22, 3, 3, 0, 0}),
		"long messages":        flood(append([]byte{22, 3, 3, 0x40, 0}, bytes.Repeat([]byte{2, 0xff, 0xff, 0xff}, 4096)...)),
		"hello of requests":    flood([]byte{22, 3, 3, 0, 4, 0, 0, 0, 0}),
		"heartbeats":           flood(record(24, 16000)),
		"many fields of HTTP":  flood([]byte(strings.Repeat("X: y\r\n", 1000))),
		"SSL 2.0 without end":  flood(append([]byte{0xff, 0xff, 4}, make([]byte, 32000)...)),
		"keys that change too": flood([]byte{20, 3, 3, 0, 1, 1}),
	}
	for name, handle := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &Prober{Timeout: 300 * time.Millisecond}
			began := time.Now()
			if _, err := p.Scan(t.Context(), serve(t, handle), Options{}); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// trickle sends a byte at a time, each in time for a wait that begins anew with each.
func trickle(c net.Conn, b []byte) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for i := range b {
		<-tick.C
		if _, err := c.Write(b[i : i+1]); err != nil {
			return
		}
	}
}

// One probe keeps what it may read, and little more.
func TestProbesTakeBoundedMemory(t *testing.T) {
	at := serve(t, func(c net.Conn) {
		hello := wire.AppendMessage(nil, &wire.ServerHello{LegacyVersion: wire.TLS12, Random: chance(32), CipherSuite: wire.TLS_RSA_WITH_AES_128_CBC_SHA, NoExtensions: true}, wire.Context{})
		c.Write(append([]byte{22, 3, 3, 0, byte(len(hello))}, hello...))
		one := []byte{22, 3, 3, 0, 4, 13, 0, 0, 0} // a message of no content
		for {
			if _, err := c.Write(bytes.Repeat(one, 1000)); err != nil {
				return
			}
		}
	})
	p := &Prober{MaxBytes: 200 << 10}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	a := probe(t, p, at, Probe{Hello: Offer(wire.TLS12), Until: Flight})
	runtime.GC()
	runtime.ReadMemStats(&after)
	if a.End == Reached || len(a.Received()) > p.MaxBytes {
		t.Errorf("%v, %d bytes", a.End, len(a.Received()))
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 50<<20 {
		t.Errorf("%d bytes are kept", grown)
	}
	runtime.KeepAlive(a)
}

// Whatever a server answers, a probe ends, and can be explained.
func FuzzAnswer(f *testing.F) {
	hello := wire.AppendMessage(nil, &wire.ServerHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32), CipherSuite: wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, NoExtensions: true}, wire.Context{})
	f.Add(append([]byte{22, 3, 3, 0, byte(len(hello))}, hello...), uint8(0))
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x28"), uint8(1))
	f.Add([]byte("\x80\x10\x04\x00\x01\x00\x02\x00\x00\x00\x03\x00\x02\x01\x00\x80\x07\x08"), uint8(2))
	f.Add([]byte("\x14\x03\x03\x00\x01\x01"), uint8(3))
	f.Fuzz(func(t *testing.T, answer []byte, which uint8) {
		hellos := []Hello{Offer(wire.TLS12), Offer(wire.TLS13), OfferSSL2(), Offer(wire.SSL30)}
		what := Probe{Hello: hellos[int(which)%len(hellos)], Until: Stage(which / 4 % 3), Then: []Step{renegotiate{}, sendPremaster{}, spoiled{}, Listen(time.Millisecond)}}
		b, err := what.Hello.build(Target{Name: "example.test"}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := &conversation{conn: &scripted{Reader: bytes.NewReader(answer)}, a: &Answer{Probe: what}, built: b, left: 1 << 16, ctx: t.Context()}
		c.a.End, c.a.Err = c.run()
		if c.a.End == "" || c.a.End != Reached && c.a.Err == nil {
			t.Errorf("it ends with %q, %v", c.a.End, c.a.Err)
		}
		collector := &explain.Collector{}
		c.a.Replay(collector.Hooks(), nil)
		collector.Connection(explain.About{Captured: true})
		readHead(c.a.Data())
	})
}

// scripted is a connection whose peer has said all already.
type scripted struct {
	net.Conn
	*bytes.Reader
}

func (s *scripted) Read(b []byte) (int, error)      { return s.Reader.Read(b) }
func (s *scripted) Write(b []byte) (int, error)     { return len(b), nil }
func (s *scripted) SetReadDeadline(time.Time) error { return nil }
