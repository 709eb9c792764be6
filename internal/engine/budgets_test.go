package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/wire"
)

// alone is a side that is fed bytes made by hand.
func alone(role wire.Role, h *host) *side {
	s := newSide(role, h)
	s.step()
	return s
}

// header is a record header alone.
func header(typ wire.ContentType, v wire.Version, length int) []byte {
	return record.AppendHeader(nil, record.Header{Type: typ, Version: v, Length: length})
}

// Records are judged by their headers, before the rest has come.
func TestRecordHeaders(t *testing.T) {
	server := func(t *testing.T) *side { return alone(wire.Server, newServerHost()) }
	started := func(t *testing.T) *side { // waits for the second flight
		c, s := hosts12(t)
		l := connect(c, s)
		l.client.step()
		l.server.feed(l.client.take(), nil)
		l.server.take()
		return l.server
	}
	open := func(hosts func(testing.TB) (c, s *host)) func(*testing.T) *side {
		return func(t *testing.T) *side {
			return connect(hosts(t)).run().done(t).server
		}
	}
	for _, test := range []struct {
		name  string
		side  func(*testing.T) *side
		bytes []byte
		alert wire.AlertCode
	}{
		{"too long", server, header(22, wire.TLS10, record.MaxPlaintext+1), wire.AlertRecordOverflow},
		{"too long, TLS 1.2", open(hosts12), header(23, wire.TLS12, record.MaxCiphertext12+1), wire.AlertRecordOverflow},
		{"too long, TLS 1.3", open(hosts13), header(23, wire.TLS12, record.MaxCiphertext13+1), wire.AlertRecordOverflow},
		{"empty handshake", server, header(22, wire.TLS10, 0), wire.AlertUnexpectedMessage},
		{"empty alert", server, header(21, wire.TLS10, 0), wire.AlertUnexpectedMessage},
		{"short alert", server, clearRecord(21, 2), wire.AlertDecodeError},
		{"long alert", server, clearRecord(21, 2, 40, 2, 40), wire.AlertDecodeError},
		{"unknown type", started, header(24, wire.TLS12, 1), wire.AlertUnexpectedMessage},
		{"unknown type, TLS 1.3", open(hosts13), header(99, wire.TLS12, 1), wire.AlertUnexpectedMessage},
		{"other version", started, header(22, 0x0203, 1), wire.AlertProtocolVersion},
		{"other version, protected", open(hosts12), header(23, wire.TLS10, 40), wire.AlertProtocolVersion},
		{"in the clear after the handshake", open(hosts13), clearRecord(22, 24, 0, 0, 1, 0), wire.AlertUnexpectedMessage},
		{"in the clear after the handshake, TLS 1.2", open(hosts12), clearRecord(23, 'x'), wire.AlertBadRecordMAC},
		{"plain change_cipher_spec after the handshake", open(hosts13), clearRecord(20, 1), wire.AlertUnexpectedMessage},
		{"plain change_cipher_spec before the hello", server, clearRecord(20, 1), wire.AlertUnexpectedMessage},
		{"plain alert after the handshake", open(hosts13), clearRecord(21, 2, 40), wire.AlertUnexpectedMessage},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := test.side(t)
			s.feed(test.bytes, nil)
			s.wants(t, test.alert)
		})
	}
}

// No message may lie across a change of keys, whichever it is.
func TestNothingRunsAcrossAChangeOfKeys(t *testing.T) {
	for _, test := range []struct {
		name  string
		hosts func(testing.TB) (c, s *host)
		by    wire.Role
		typ   wire.HandshakeType
	}{
		{"ServerHello", hosts13, wire.Server, wire.TypeServerHello},
		{"server's Finished", hosts13, wire.Server, wire.TypeFinished},
		{"client's Finished", hosts13, wire.Client, wire.TypeFinished},
		{"client's Finished after a PSK", hostsPSK, wire.Client, wire.TypeFinished},
		{"ClientHello", hosts13, wire.Client, wire.TypeClientHello},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, more := range [][]byte{{24}, {24, 0, 0, 1, 0}} {
				flow{hosts: test.hosts}.run(t, test.by, on(test.typ, func(raw []byte) [][]byte {
					return [][]byte{append(raw, more...)}
				})).wants(t, wire.AlertUnexpectedMessage)
			}
		})
	}
	for name, from := range map[string]func(*link) (from, to *side){
		"from the client": func(l *link) (*side, *side) { return l.client, l.server },
		"from the server": func(l *link) (*side, *side) { return l.server, l.client },
	} {
		l := connect(hosts13(t)).run().done(t)
		a, b := from(l)
		a.inject(t, wire.ContentHandshake, 24, 0, 0, 1, 0, 24)
		l.run()
		if b.wants(t, wire.AlertUnexpectedMessage); t.Failed() {
			t.Fatal("KeyUpdate", name)
		}
	}
}

func TestBudgets(t *testing.T) {
	keyUpdate := []byte{24, 0, 0, 1, 0}
	ticket := wire.AppendMessage(nil, &wire.NewSessionTicket{Lifetime: 1, Ticket: []byte{1}}, wire.Context{Version: wire.TLS13})
	for _, test := range []struct {
		name    string
		hosts   func(testing.TB) (c, s *host)
		most    int
		typ     wire.ContentType
		content []byte
	}{
		{"empty records", hosts12, maxHalted, wire.ContentApplicationData, nil},
		{"empty records, TLS 1.3", hosts13, maxHalted, wire.ContentApplicationData, nil},
		{"warnings", hosts12, maxWarnings, wire.ContentAlert, []byte{1, 90}},
		{"user_canceled", hosts13, maxWarnings, wire.ContentAlert, []byte{1, 90}},
		{"HelloRequests", hosts12, maxHalted, wire.ContentHandshake, []byte{0, 0, 0, 0}},
		{"tickets", hosts13, maxHalted, wire.ContentHandshake, ticket},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, n := range []int{test.most, test.most + 1} {
				l := connect(test.hosts(t)).run().done(t)
				for range n {
					l.server.inject(t, test.typ, test.content...)
				}
				l.run()
				if n == test.most {
					l.talk(t) // data starts the count anew
					for range n {
						l.server.inject(t, test.typ, test.content...)
					}
					l.run().talk(t)
					continue
				}
				l.client.wants(t, wire.AlertUnexpectedMessage)
			}
		})
	}
	t.Run("KeyUpdates", func(t *testing.T) {
		for _, n := range []int{maxUpdates, maxUpdates + 1} {
			l := connect(hosts13(t)).run().done(t)
			for range n {
				if err := l.server.KeyUpdate(false); err != nil {
					t.Fatal(err)
				}
			}
			l.run()
			if n == maxUpdates {
				l.talk(t)
				continue
			}
			l.client.wants(t, wire.AlertUnexpectedMessage)
		}
	})
	t.Run("KeyUpdates in one record", func(t *testing.T) {
		l := connect(hosts13(t)).run().done(t)
		l.server.inject(t, wire.ContentHandshake, bytes.Repeat(keyUpdate, 2)...)
		l.run()
		l.client.wants(t, wire.AlertUnexpectedMessage)
	})
	t.Run("change_cipher_spec during the handshake", func(t *testing.T) {
		for _, n := range []int{maxHalted, maxHalted + 1} {
			c, s := hosts13(t)
			l := connect(c, s)
			first := true
			l.tamper = func(from wire.Role, rec []byte) [][]byte {
				if from == wire.Server || !first || rec[0] == byte(wire.ContentChangeCipherSpec) {
					return [][]byte{rec}
				}
				first = false
				return [][]byte{rec, bytes.Repeat(clearRecord(wire.ContentChangeCipherSpec, 1), n-1)} // the client sends one too
			}
			l.run()
			if n == maxHalted {
				l.done(t)
				continue
			}
			l.server.wants(t, wire.AlertUnexpectedMessage)
		}
	})
}

// A message that is too long is refused by its header, and nothing is
// allocated for what it claims.
func TestMessageLengths(t *testing.T) {
	for typ, alert := range map[wire.HandshakeType]wire.AlertCode{
		wire.TypeClientHello: wire.AlertIllegalParameter, wire.TypeCertificate: wire.AlertIllegalParameter,
		// Their length is fixed, so another is none of theirs. RFC 8446 §6.2.
		wire.TypeFinished: wire.AlertDecodeError, wire.TypeKeyUpdate: wire.AlertDecodeError, wire.TypeEndOfEarlyData: wire.AlertDecodeError,
		wire.TypeHelloRequest: wire.AlertDecodeError, wire.TypeServerHelloDone: wire.AlertDecodeError,
	} {
		most := maxMessage
		if typ == wire.TypeClientHello {
			most = MaxHello
		}
		for size, refused := range map[int]bool{most: false, most + 1: true, wire.HeaderLen + 1<<24 - 1: true} {
			s := alone(wire.Server, newServerHost())
			s.feed(clearRecord(22, announced(typ, size)...), nil)
			if refused {
				s.wants(t, alert)
			} else if s.err != nil {
				t.Errorf("%v of %d bytes: %v", typ, size, s.err)
			}
		}
	}
}

// announced is the header of a message of that size.
func announced(typ wire.HandshakeType, size int) []byte {
	body := size - wire.HeaderLen
	return []byte{byte(typ), byte(body >> 16), byte(body >> 8), byte(body)}
}

// A Certificate may be longer than other messages, but only where one is due.
func TestCertificateLengths(t *testing.T) {
	try := func(t *testing.T, f flow, rogue wire.Role, e func([]byte) edit, most int) {
		t.Helper()
		// What the rogue sends after it does not matter.
		if victim := f.run(t, rogue, e(announced(wire.TypeCertificate, most))); victim.err != nil && strings.Contains(victim.err.Error(), "announces") {
			t.Errorf("%d bytes: %v", most, victim.err)
		}
		victim := f.run(t, rogue, e(announced(wire.TypeCertificate, most+1)))
		if victim.wants(t, wire.AlertIllegalParameter); !strings.Contains(fmt.Sprint(victim.err), fmt.Sprint("announces a Certificate of ", most+1, " bytes; the most we take is ", most)) {
			t.Errorf("%d bytes: %v", most+1, victim.err)
		}
	}
	states(t, func(t *testing.T, f flow, rogue wire.Role, n int, due wire.HandshakeType) {
		if due == ccs {
			return // a message in its place is refused by what it is
		}
		most := maxMessage
		if due == wire.TypeCertificate || rogue == wire.Server && due == wire.TypeCertificateRequest && f.is13(t) {
			most = maxCertificate
		}
		try(t, f, rogue, func(raw []byte) edit { return at(n, func(*records, []byte) [][]byte { return [][]byte{raw} }) }, most)
	})
	for name, test := range map[string]struct {
		hosts func(testing.TB) (c, s *host)
		rogue wire.Role
		typ   wire.HandshakeType
		most  int
	}{
		"asked for later":                   {authenticated(hosts13), wire.Client, wire.TypeCertificate, maxCertificate},
		"asked for later, and proved":       {authenticated(hosts13), wire.Client, wire.TypeCertificateVerify, maxMessage},
		"a client's in a renegotiation":     {renegotiated(wire.Client, hosts12, clientAuth), wire.Client, wire.TypeCertificate, maxCertificate},
		"a server's in a renegotiation":     {renegotiated(wire.Client, hosts12), wire.Server, wire.TypeCertificate, maxCertificate},
		"for a key exchange's, in the same": {renegotiated(wire.Client, hosts12), wire.Server, wire.TypeServerKeyExchange, maxMessage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			try(t, flow{name: name, hosts: test.hosts}, test.rogue, func(raw []byte) edit { return instead(test.typ, raw...) }, test.most)
		})
	}
}

// One connection that has not proved anything keeps less than a MiB alive, however its peer behaves.
func TestMemoryIsBounded(t *testing.T) {
	const most = 1 << 20
	for name, feed := range map[string]func(s *side){
		"a long hello in small records": func(s *side) {
			s.feed(clearRecord(22, 1, 0, 0xff, 0xfc), nil)
			for range 600 {
				s.feed(clearRecord(22, make([]byte, 100)...), nil)
			}
		},
		"a long hello in one-byte records": func(s *side) {
			s.feed(clearRecord(22, 1, 0, 0xff, 0xfc), nil)
			for range 60000 {
				s.feed(clearRecord(22, 1), nil)
			}
		},
		"a long hello byte by byte": func(s *side) {
			s.feed(append(header(22, wire.TLS10, 16384), make([]byte, 16000)...), func(int) int { return 1 })
		},
		"a hello of 15,000 extensions, and then silence": func(s *side) {
			m := plainHello()
			for n := range 15000 {
				m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtensionType(0x4000 + n)})
			}
			s.feedMessage(m)
		},
		"a hello of 20,000 suites, and then silence": func(s *side) {
			m := plainHello()
			for n := range 20000 {
				m.CipherSuites = append(m.CipherSuites, wire.CipherSuite(n))
			}
			s.feedMessage(m)
		},
		"records of the full size": func(s *side) {
			s.feed(clearRecord(22, append([]byte{1, 0, 0xff, 0xfc}, make([]byte, 16000)...)...), nil)
			for range 2 {
				s.feed(clearRecord(22, make([]byte, record.MaxPlaintext)...), nil)
			}
		},
	} {
		before := heap()
		s := newSide(wire.Server, newServerHost())
		s.options.Hooks, s.hooks.Record = nil, nil // the log is the test's own
		feed(s)
		after := heap()
		t.Logf("%s: %d KiB are kept", name, (after-before)>>10)
		if after > before+most {
			t.Errorf("%s: %d KiB are too much", name, (after-before)>>10)
		}
		if s.err != nil {
			t.Errorf("%s: %v", name, s.err)
		}
		runtime.KeepAlive(s)
	}
}

// plainHello is a ClientHello of TLS 1.2 that a server answers.
func plainHello() *wire.ClientHello {
	return &wire.ClientHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32), CompressionMethods: []wire.CompressionMethod{0},
		CipherSuites: []wire.CipherSuite{wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		Extensions:   wire.Extensions{{Type: wire.ExtSignatureAlgorithms, Data: []byte{0, 2, 4, 3}}}}
}

// feedMessage gives a message to s, in records of the full size.
func (s *side) feedMessage(m wire.Message) {
	for rest := wire.AppendMessage(nil, m, wire.Context{Version: wire.TLS12}); len(rest) > 0; {
		n := min(len(rest), record.MaxPlaintext)
		s.feed(clearRecord(wire.ContentHandshake, rest[:n]...), nil)
		rest = rest[n:]
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// After close_notify nothing more is taken, but we may still write; after a
// fatal alert we may not.
func TestAfterTheEnd(t *testing.T) {
	for _, hosts := range []func(testing.TB) (c, s *host){hosts12, hosts13} {
		l := connect(hosts(t)).run().done(t)
		l.server.CloseNotify()
		closing := l.server.take()
		l.server.out.closed = false
		l.server.Write([]byte("late"))
		l.client.feed(append(closing, l.server.take()...), nil)
		if l.client.err != io.EOF || len(l.client.received) > 0 {
			t.Errorf("ended with %v, received %q", l.client.err, l.client.received)
		}
		if _, err := l.client.Read(make([]byte, 9)); err != io.EOF {
			t.Errorf("a second read gives %v", err)
		}
		if n, err := l.client.Write([]byte("half open")); n != 9 || err != nil {
			t.Error("half open:", n, err)
		}

		l = connect(hosts(t)).run().done(t)
		l.server.inject(t, wire.ContentAlert, 2, byte(wire.AlertInternalError))
		l.run()
		var fault *handshake.Error
		if !errors.As(l.client.err, &fault) || !fault.Received || fault.Alert != wire.AlertInternalError {
			t.Error(l.client.err)
		}
		if n, err := l.client.Write([]byte("x")); n != 0 || err == nil {
			t.Error("data can be written after a fatal alert came")
		}
		if l.client.CloseNotify(); len(l.client.take()) > 0 {
			t.Error("a fatal alert was answered")
		}
	}
}

func TestTheEndOfTheStream(t *testing.T) {
	for _, hosts := range []func(testing.TB) (c, s *host){hosts12, hosts13} {
		l := connect(hosts(t)).run().done(t)
		l.server.Write([]byte("all of it?"))
		l.run()
		l.client.end()
		if l.client.err != ErrTruncated || !errors.Is(l.client.err, io.ErrUnexpectedEOF) || errors.Is(l.client.err, io.EOF) {
			t.Errorf("ended with %v", l.client.err)
		}
		if string(l.client.received) != "all of it?" {
			t.Errorf("received %q", l.client.received)
		}
	}
}

func TestKeyUpdate(t *testing.T) {
	l := connect(hosts13(t)).run().done(t)
	for range 3 {
		for _, side := range []*side{l.client, l.server} {
			if err := side.KeyUpdate(true); err != nil {
				t.Fatal(err)
			}
			l.run().talk(t)
		}
	}
	for _, s := range []*side{l.client, l.server} { // each asked three times and answered three
		if s.Engine.in.half.Epoch() != 2+6 || s.out.half.Epoch() != 2+6 {
			t.Errorf("%v: %d and %d epochs", s.Role(), s.Engine.in.half.Epoch(), s.out.half.Epoch())
		}
	}
	// Requests that come together are answered once. RFC 8446 §4.6.3.
	for range 5 {
		l.client.KeyUpdate(true)
	}
	l.run()
	if n := l.server.out.half.Epoch(); n != 2+6+1 {
		t.Errorf("%d epochs", n)
	}
	l.client.inject(t, wire.ContentHandshake, 24, 0, 0, 1, 2)
	l.run()
	l.server.wants(t, wire.AlertIllegalParameter)

	l = connect(hosts12(t)).run().done(t)
	if err := l.client.KeyUpdate(true); err == nil || !strings.Contains(err.Error(), "keys cannot be updated in TLS 1.2") {
		t.Error(err)
	}
	l.talk(t)
}

// What is passed over ends with the first record that opens.
func TestEarlyDataEnds(t *testing.T) {
	c, s := hosts13(t)
	l := connect(c, s)
	l.client.step()
	l.server.feed(l.client.take(), nil)
	l.server.Engine.in.skip = maxSkipped // as if it had been announced
	l.client.feed(l.server.take(), nil)
	l.run().done(t)
	l.server.feed(clearRecord(wire.ContentApplicationData, make([]byte, 50)...), nil)
	l.server.wants(t, wire.AlertBadRecordMAC)
}
