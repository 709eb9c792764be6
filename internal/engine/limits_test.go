package engine

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// longest writes from one side to the other and returns the most content of a record.
func (l *link) longest(t *testing.T, from *side) (most int) {
	t.Helper()
	from.hooks.Record = func(r trace.Record) {
		if r.Dir == trace.Sent && r.Type == wire.ContentApplicationData {
			most = max(most, len(r.Plain))
		}
	}
	to := l.of(from.Role().Peer())
	to.received = nil
	data := bytes.Repeat([]byte("0123456789"), 2000)
	for rest := data; len(rest) > 0; {
		n, err := from.Write(rest)
		if err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	if l.run(); !bytes.Equal(to.received, data) {
		t.Fatalf("%d bytes were received: %v", len(to.received), to.err)
	}
	return most
}

// Each side keeps to the limit of the other, and refuses records beyond its own.
// RFC 6066 §4, RFC 8449 §4.
func TestLimitsOfRecords(t *testing.T) {
	for _, test := range []struct {
		name           string
		hosts          func(testing.TB) (c, s *host)
		client, server int // that they send at most
	}{
		{"none", hosts12, record.MaxPlaintext, record.MaxPlaintext},
		{"max_fragment_length", only(wire.TLS12, limits(1, 0)), 512, 512},
		{"max_fragment_length, TLS 1.3", only(wire.TLS13, limits(4, 0)), 4096, 4096},
		{"record_size_limit of the client", only(wire.TLS12, limits(0, 100)), record.MaxPlaintext, 100},
		{"record_size_limit of both", only(wire.TLS12, limits(0, 100), func(_, s *host) { s.config.SizeLimit = 64 }), 64, 100},
		{"record_size_limit of both, TLS 1.3", only(wire.TLS13, limits(0, 100), func(_, s *host) { s.config.SizeLimit = 64 }), 63, 99},
		{"both extensions", only(wire.TLS13, limits(1, 100)), record.MaxPlaintext, 99},
		{"with compression", only(wire.TLS12, limits(0, 100), compression), record.MaxPlaintext, 100},
		{"of a server that is not asked", only(wire.TLS12, func(_, s *host) { s.config.SizeLimit = 64 }), record.MaxPlaintext, record.MaxPlaintext},
		{"of a resumed session", then(hostsTicket, limits(0, 100)), record.MaxPlaintext, 100},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := connect(test.hosts(t)).run().done(t)
			if c, s := l.longest(t, l.client), l.longest(t, l.server); c != test.client || s != test.server {
				t.Errorf("the client sends up to %d bytes, the server up to %d", c, s)
			}
			for _, from := range []*side{l.client, l.server} {
				to, most := l.of(from.Role().Peer()), from.out.most()
				if most == record.MaxPlaintext {
					continue
				}
				from.inject(t, wire.ContentApplicationData, make([]byte, most)...)
				if l.run(); to.err != nil {
					t.Errorf("%d bytes to the %v: %v", most, to.Role(), to.err)
				}
				from.inject(t, wire.ContentApplicationData, make([]byte, most+1)...)
				l.run()
				to.wants(t, wire.AlertRecordOverflow)
				break // the connection is over
			}
		})
	}
}

// A renegotiation agrees on limits of its own, which hold with its keys.
func TestLimitsChangeWithTheKeys(t *testing.T) {
	size := 0
	l := connect(renegotiated(wire.Client, hosts12, func(c, _ *host) { c.config.SizeLimit = size })(t)).run().done(t)
	for _, size = range []int{0, 300, 2000, 0} {
		l.again(t).done(t)
		want := size
		if size == 0 {
			want = record.MaxPlaintext
		}
		if got := l.longest(t, l.server); got != want {
			t.Errorf("limit %d: records of %d bytes", size, got)
		}
	}
}
