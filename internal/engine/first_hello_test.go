package engine

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// While both TLS 1.3 and an older version are on offer, a warning between two records of
// the hello may be allowed or not: that shows when the version does. RFC 8446 §5.1,
// RFC 5246 §6.2.1.
func TestNothingStandsInTheFirstHello(t *testing.T) {
	older := func(_, s *host) { s.config.Versions = []wire.Version{wire.TLS12} }
	for name, test := range map[string]struct {
		hosts   func(testing.TB) (c, s *host)
		refused bool
	}{
		"TLS 1.3 of two":      {both(), true},
		"TLS 1.3, a retry":    {both(retry), true},
		"TLS 1.2 of two":      {both(older), false},
		"TLS 1.3 alone":       {hosts13, true},
		"TLS 1.2 alone":       {hosts12, false},
		"TLS 1.3, resumed":    {resumed(both(tickets)), true},
		"TLS 1.2, resumed":    {resumed(both(tickets, older)), false},
		"TLS 1.3, clientAuth": {both(clientAuth), true},
	} {
		for _, rogue := range []wire.Role{wire.Client, wire.Server} {
			for _, cut := range []int{1, 4, 30} {
				victim := flow{hosts: test.hosts}.run(t, rogue, at(0, func(r *records, raw []byte) [][]byte {
					e := (*Engine)(r)
					e.seal(wire.ContentHandshake, raw[:cut])
					e.seal(wire.ContentAlert, []byte{byte(wire.LevelWarning), byte(wire.AlertUserCanceled)})
					return [][]byte{raw[cut:]}
				}))
				if test.refused {
					victim.wants(t, wire.AlertUnexpectedMessage)
				} else if !victim.Done() || victim.err != nil {
					t.Errorf("%s, cut at %d: the %v's was refused: %v", name, cut, rogue, victim.err)
				}
				if t.Failed() {
					t.Fatalf("%s, cut at %d, by the %v", name, cut, rogue)
				}
			}
		}
	}
}

// Where TLS 1.3 alone is on offer no alert is a mere warning, be it in front of the
// first hello. Where an older version is, it may be one. RFC 8446 §6.2.
func TestWarningsInFrontOfTheFirstHello(t *testing.T) {
	for _, rogue := range []wire.Role{wire.Client, wire.Server} {
		for _, test := range []struct {
			hosts func(testing.TB) (c, s *host)
			code  wire.AlertCode
			ends  bool
		}{
			{hosts13, wire.AlertHandshakeFailure, true}, {hosts13, wire.AlertUnrecognizedName, true}, {hosts13, 200, true},
			{hosts13, wire.AlertUserCanceled, false},
			{both(), wire.AlertHandshakeFailure, false}, {both(), wire.AlertUnrecognizedName, false}, {hosts12, wire.AlertUnrecognizedName, false},
		} {
			victim := flow{hosts: test.hosts}.run(t, rogue, at(0, before(wire.ContentAlert, byte(wire.LevelWarning), byte(test.code))))
			fault, _ := victim.err.(*handshake.Error)
			switch {
			case !test.ends && (!victim.Done() || victim.err != nil):
				t.Errorf("%v of the %v ended the handshake: %v", test.code, rogue, victim.err)
			case test.ends && (fault == nil || !fault.Received || fault.Alert != test.code || len(victim.sent) > 0):
				t.Errorf("%v of the %v: %v, answered by %v", test.code, rogue, victim.err, victim.sent)
			}
		}
	}
}

// Data between two records of a ClientHello that begins a renegotiation is delivered,
// also where that is not wanted, and whatever room Read has. A HelloRequest in two
// records is as BoringSSL has it: nobody needs to cut four bytes. RFC 5246 §6.2.1.
func TestDataBetweenTheRecordsOfARequest(t *testing.T) {
	hello := wire.AppendMessage(nil, plainHello(), wire.Context{})
	for _, cut := range []int{1, 4, 30, len(hello) - 1} {
		for _, small := range []bool{false, true} {
			l := connect(hosts12(t)).run().done(t)
			l.client.inject(t, wire.ContentHandshake, hello[:cut]...)
			l.client.inject(t, wire.ContentApplicationData, []byte("between")...)
			l.client.inject(t, wire.ContentHandshake, hello[cut:]...)
			l.client.inject(t, wire.ContentApplicationData, []byte(" and after")...)
			if small {
				l.server.room = 3 // the rest stays in the buffer that the message is in
			}
			if l.run(); l.server.err != nil || string(l.server.received) != "between and after" {
				t.Errorf("cut at %d: %v, received %q", cut, l.server.err, l.server.received)
			}
			if got := l.server.sent; len(got) != 1 || got[0].Code != wire.AlertNoRenegotiation {
				t.Errorf("cut at %d: the hello was answered by %v", cut, got)
			}
			l.talk(t)
		}
	}
	for cut := 1; cut < wire.HeaderLen; cut++ {
		l := connect(hosts12(t)).run().done(t)
		l.server.inject(t, wire.ContentHandshake, make([]byte, cut)...)
		l.server.inject(t, wire.ContentApplicationData, 'x')
		l.run()
		if l.client.wants(t, wire.AlertUnexpectedMessage); len(l.client.received) > 0 {
			t.Errorf("cut at %d: received %q", cut, l.client.received)
		}
	}
}
