package passive

import (
	"io"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// bulk is a connection with n bytes of data each way.
func bulk(t testing.TB, s wire.CipherSuite, v wire.Version, n int) *heard {
	p := endsFor(t, suite.ByID(s), v)
	p.before = func(c *tls.Conn) error {
		b := make([]byte, n)
		go c.Write(b)
		_, err := io.ReadFull(c, make([]byte, n))
		return err
	}
	return p.connect(t)
}

// records has hooks that want every record, as what writes application data has.
func records(n *int) *trace.Hooks {
	return &trace.Hooks{Record: func(r trace.Record) { *n += len(r.Plain) }}
}

func BenchmarkListen(b *testing.B) {
	const n = 16 << 20
	for _, c := range []struct {
		name  string
		suite wire.CipherSuite
		v     wire.Version
	}{
		{"TLS 1.3 AES-128-GCM", wire.TLS_AES_128_GCM_SHA256, wire.TLS13},
		{"TLS 1.3 ChaCha20", wire.TLS_CHACHA20_POLY1305_SHA256, wire.TLS13},
		{"TLS 1.2 AES-256-GCM", wire.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, wire.TLS12},
		{"TLS 1.2 AES-128-CBC", wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, wire.TLS12},
	} {
		h := bulk(b, c.suite, c.v, n)
		size := int64(h.length(wire.Client) + h.length(wire.Server))
		keys := logOf(h.log)
		b.Run("open/"+c.name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				seen := 0
				h.play(New(records(&seen), keys, nil))
				if seen < 2*n {
					b.Fatal("not all was opened")
				}
			}
		})
		b.Run("list/"+c.name, func(b *testing.B) {
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				h.play(New(nil, nil, nil))
			}
		})
	}
}

// Opening a record allocates nothing, and neither does passing it over.
func TestRecordsAllocateNothing(t *testing.T) {
	h := bulk(t, wire.TLS_AES_128_GCM_SHA256, wire.TLS13, 4<<20)
	seen, keys := 0, logOf(h.log)
	opened := testing.AllocsPerRun(3, func() { h.play(New(records(&seen), keys, nil)) })
	listed := testing.AllocsPerRun(3, func() { h.play(New(nil, nil, nil)) })
	if seen < 8<<20 || opened > 600 || listed > 200 { // for a handshake; there are more than 512 records
		t.Errorf("%.0f allocations for opening, %.0f for listing", opened, listed)
	}
}
