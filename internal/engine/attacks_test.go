package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// The attacks that TLS is known for.

// Bleichenbacher 1998, and ROBOT: whatever is wrong with an encrypted
// premaster, the server's reply is the same, and comes at the Finished.
func TestRSAPremastersAreAnsweredAlike(t *testing.T) {
	key := certificate("rsa").Leaf.PublicKey.(*rsa.PublicKey)
	encrypt := func(block []byte) []byte {
		c := new(big.Int).Exp(new(big.Int).SetBytes(block), big.NewInt(int64(key.E)), key.N)
		return c.FillBytes(make([]byte, key.Size()))
	}
	// padded is 00 02, non-zero padding, 00 and a premaster of n bytes.
	padded := func(n int, change func(b []byte)) []byte {
		b := bytes.Repeat([]byte{0xaa}, key.Size())
		b[0], b[1], b[len(b)-n-1] = 0, 2, 0
		copy(b[len(b)-n:], bytes.Repeat([]byte{3}, n))
		if change != nil {
			change(b)
		}
		return encrypt(b)
	}
	const n = 48
	start := key.Size() - n
	classes := map[string][]byte{
		"well formed, but not what the client has": padded(n, nil),
		"a wrong first byte":                       padded(n, func(b []byte) { b[0] = 1 }),
		"a wrong block type":                       padded(n, func(b []byte) { b[1] = 1 }),
		"a zero in the first padding":              padded(n, func(b []byte) { b[4] = 0 }),
		"a zero later in the padding":              padded(n, func(b []byte) { b[100] = 0 }),
		"no zero at the end of the padding":        padded(n, func(b []byte) { b[start-1] = 1 }),
		"no zero at all":                           encrypt(append([]byte{0, 2}, bytes.Repeat([]byte{0xaa}, key.Size()-2)...)),
		"a premaster that is too short":            padded(n-1, nil),
		"a premaster that is too long":             padded(n+1, nil),
		"an empty premaster":                       padded(0, nil),
		"a wrong version":                          padded(n, func(b []byte) { b[start], b[start+1] = 3, 1 }),
		"another major version":                    padded(n, func(b []byte) { b[start], b[start+1] = 2, 3 }),
		"zero":                                     make([]byte, key.Size()),
		"above the modulus":                        bytes.Repeat([]byte{0xff}, key.Size()),
		"no ciphertext":                            nil,
		"a ciphertext that is a byte short":        padded(n, nil)[1:],
		"a ciphertext with a byte more":            append(padded(n, nil), 0),
	}
	for _, id := range []wire.CipherSuite{wire.TLS_RSA_WITH_AES_128_GCM_SHA256, wire.TLS_RSA_WITH_AES_128_CBC_SHA} {
		var want string
		for name, encrypted := range classes {
			f := flow{hosts: only(wire.TLS12, withRSA, suites(id))}
			victim := f.logged(t, wire.Client, change(func(m *wire.ClientKeyExchange) { m.Exchange = encrypted }), func(*side) {})
			var events []string // what can be seen from outside, and the error
			for _, line := range victim.log {
				if strings.HasPrefix(line, "record sent") || strings.HasPrefix(line, "alert") {
					events = append(events, strings.SplitN(line, "handshake", 2)[0])
				}
			}
			got := fmt.Sprint(events, victim.err, victim.out.half.Seq())
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%v, %s: %s; others: %s", id, name, got, want)
			}
			victim.wants(t, wire.AlertBadRecordMAC)
		}
	}
}

// Vaudenay 2002, Lucky Thirteen and POODLE: a changed record of a block cipher
// is refused in one way, wherever it was changed.
func TestChangedRecordsAreRefusedAlike(t *testing.T) {
	for _, name := range []string{"cbc", "cbc, encrypt-then-MAC", "gcm", "tls13"} {
		hosts := map[string]func(testing.TB) (c, s *host){
			"cbc":                   only(wire.TLS12, suites(wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256), func(c, _ *host) { c.config.NoEncryptThenMAC = true }),
			"cbc, encrypt-then-MAC": only(wire.TLS12, suites(wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256)),
			"gcm":                   hosts12, "tls13": hosts13,
		}[name]
		l := connect(hosts(t)).run().done(t)
		l.client.Write([]byte("sixteen bytes...and some"))
		whole := l.client.take()
		var want string
		for i := 5; i < len(whole); i++ {
			changed := bytes.Clone(whole)
			changed[i] ^= 0x10
			got := refusal(l.server, changed)
			if want == "" {
				want = got
			}
			if got != want || !strings.Contains(got, "bad_record_mac") {
				t.Errorf("%s, byte %d: %s; others: %s", name, i, got, want)
			}
		}
		for n := 0; n < len(whole)-5; n++ { // cut short, with a header that says so
			cut := append([]byte{whole[0], whole[1], whole[2], byte(n >> 8), byte(n)}, whole[5:5+n]...)
			if got := refusal(l.server, cut); got != want {
				t.Errorf("%s, cut to %d bytes: %s; others: %s", name, n, got, want)
			}
		}
	}
}

// refusal is what s does about a record. s is then as it was before.
func refusal(s *side, rec []byte) string {
	in, out := s.Engine.in, s.out
	s.sent = nil
	s.feed(rec, nil)
	seen := fmt.Sprint(s.err, s.sent, len(s.take()))
	s.Engine.in, s.out, s.err = in, out, nil
	return seen
}

// A record that is repeated, left out or out of order does not open.
func TestTheOrderOfRecordsIsProtected(t *testing.T) {
	for _, hosts := range []func(testing.TB) (c, s *host){hosts12, hosts13, only(wire.TLS12, suites(wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA))} {
		for name, order := range map[string][]int{"repeated": {0, 0}, "left out": {1}, "swapped": {1, 0}, "old": {0, 1, 0}} {
			l := connect(hosts(t)).run().done(t)
			var records [][]byte
			for range 2 {
				l.client.Write([]byte("data"))
				records = append(records, l.client.take())
			}
			for _, i := range order {
				l.server.feed(records[i], nil)
			}
			if l.server.wants(t, wire.AlertBadRecordMAC); t.Failed() {
				t.Fatal(name)
			}
		}
	}
}

// Renegotiation (CVE-2009-3555) is refused, and the connection goes on.
func TestRenegotiationIsRefusedWithoutHarm(t *testing.T) {
	l := connect(hosts12(t)).run().done(t)
	hello := wire.AppendMessage(nil, &wire.ClientHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32),
		CipherSuites: []wire.CipherSuite{1}, CompressionMethods: []wire.CompressionMethod{0}}, wire.Context{})
	l.client.inject(t, wire.ContentHandshake, hello...)
	l.run().talk(t)
	l.server.inject(t, wire.ContentHandshake, byte(wire.TypeHelloRequest), 0, 0, 0)
	l.run().talk(t)
	for _, s := range []*side{l.client, l.server} {
		if want := []wire.Alert{{Level: wire.LevelWarning, Code: wire.AlertNoRenegotiation}}; !slices.Equal(s.sent, want) {
			t.Errorf("the %v sent %v", s.Role(), s.sent)
		}
	}
}

// An attacker who takes the better out of a ClientHello is found out by the
// server's random, or at the latest by the Finished.
func TestDowngradeIsFoundOut(t *testing.T) {
	l := connect(both()(t))
	l.tamper = func(from wire.Role, rec []byte) [][]byte {
		if from == wire.Server || rec[0] != byte(wire.ContentHandshake) || rec[5] != byte(wire.TypeClientHello) {
			return [][]byte{rec}
		}
		m, err := wire.DecodeMessage(rec[5:], wire.Context{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		without(&m.(*wire.ClientHello).Extensions, wire.ExtSupportedVersions)
		return [][]byte{clearRecord(wire.ContentHandshake, wire.AppendMessage(nil, m, wire.Context{})...)}
	}
	l.run()
	l.client.wants(t, wire.AlertIllegalParameter)
	if l.client.err == nil || !strings.Contains(l.client.err.Error(), "could do better") || l.server.Done() {
		t.Error(l.client.err, l.server.Done())
	}
}

// Every message before the Finished is in it: a changed list of groups, suites
// or schemes that changes nothing else is found out.
func TestTheFinishedCoversEverything(t *testing.T) {
	for _, v := range []wire.Version{wire.TLS12, wire.TLS13} {
		for name, e := range map[string]edit{
			"suites": clientHello(func(m *wire.ClientHello) { m.CipherSuites = append(m.CipherSuites, 0x1234) }),
			"groups": clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtSupportedGroups, 0, 2, 0, 0x17) }),
			"added":  clientHello(func(m *wire.ClientHello) { set(&m.Extensions, 0x1234) }),
			"names":  clientHello(func(m *wire.ClientHello) { without(&m.Extensions, wire.ExtStatusRequest) }),
		} {
			c, s := only(v)(t)
			l := &link{client: newSide(wire.Client, c, e), server: newSide(wire.Server, s)}
			l.run()
			if l.client.Done() || l.server.Done() || l.client.err == nil && l.server.err == nil {
				t.Errorf("%v, %s: %v, %v", v, name, l.client.err, l.server.err)
			}
		}
	}
}

// A signature of another handshake is of no use.
func TestSignaturesAreOfOneHandshake(t *testing.T) {
	for _, test := range []struct {
		hosts func(testing.TB) (c, s *host)
		typ   wire.HandshakeType
		by    wire.Role
	}{
		{hosts12, wire.TypeServerKeyExchange, wire.Server},
		{hosts13, wire.TypeCertificateVerify, wire.Server},
		{hostsAuth12, wire.TypeCertificateVerify, wire.Client},
		{hostsAuth13, wire.TypeCertificateVerify, wire.Client},
	} {
		var old []byte
		f := flow{hosts: test.hosts}
		f.run(t, test.by, on(test.typ, func(raw []byte) [][]byte { old = bytes.Clone(raw); return [][]byte{raw} }))
		victim := f.run(t, test.by, on(test.typ, func([]byte) [][]byte { return [][]byte{old} }))
		victim.wants(t, wire.AlertDecryptError)
		if victim.err == nil || !strings.Contains(victim.err.Error(), "signature is wrong") {
			t.Errorf("%v: %v", test.typ, victim.err)
		}
	}
}

// A session is resumed only where all that it was made under still holds. What
// does not fit costs a full handshake, and nothing else.
func TestWhatEndsASession(t *testing.T) {
	byTicket12, byID, byPSK := only(wire.TLS12, tickets), only(wire.TLS12, ids), only(wire.TLS13, tickets)
	damage := func(c, _ *host) {
		for _, b := range [][]byte{c.offer.Ticket, c.offer.ID} {
			if len(b) > 0 {
				b[len(b)-1] ^= 1
			}
		}
	}
	for _, kind := range []struct {
		name  string
		first func(testing.TB) (c, s *host)
		how   handshake.Resumption
	}{{"ticket", byTicket12, handshake.ResumedByTicket}, {"id", byID, handshake.ResumedByID}, {"psk", byPSK, handshake.ResumedByPSK}} {
		for _, test := range []struct {
			name    string
			before  func(c, s *host)
			after   func(c, s *host)
			resumes bool
		}{
			{"nothing", nil, nil, true},
			{"a changed handle", nil, damage, false},
			{"another virtual host", nil, func(_, s *host) { s.vhost = "other" }, false},
			{"another name", nil, func(c, _ *host) { c.config.ServerName = "other.test" }, false},
			{"another protocol", protocols("h2", "h2"), protocols("imap", "imap"), true},
			{"no protocol", protocols("h2", "h2"), func(c, s *host) { c.config.ALPN, s.config.ALPN = nil, nil }, true},
			{"its age", nil, later(25 * time.Hour), false},
			{"not its age", nil, later(23 * time.Hour), true},
			{"a clock that is behind", nil, later(-time.Hour), false},
			{"its suite is gone", suites(wire.TLS_AES_128_GCM_SHA256, wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256), func(c, s *host) {
				offered := c.config.Suites
				c.config.Suites = append(offered, suite.ByID(wire.TLS_AES_256_GCM_SHA384), suite.ByID(wire.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384))
				suites(wire.TLS_AES_256_GCM_SHA384, wire.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384)(s, nil)
			}, false},
			{"a certificate is required now", nil, clientAuth, false},
			{"no certificate is asked for now", clientAuth, func(_, s *host) { s.config.ClientAuth = stdtls.NoClientCert }, false},
			{"the client's certificate, still good", clientAuth, nil, true},
			{"the server has switched resumption off", nil, func(_, s *host) { s.config.Tickets, s.config.Store = false, false }, false},
			{"other keys, other store", nil, func(_, s *host) {
				s.tickets.Set([][32]byte{{9}})
				s.ids = map[string]*session.Session{}
			}, false},
		} {
			t.Run(kind.name+"/"+test.name, func(t *testing.T) {
				first := kind.first
				if test.before != nil {
					first = then(first, test.before)
				}
				c, s := resumed(first)(t)
				if test.after != nil {
					test.after(c, s)
				}
				l := connect(c, s).run().done(t).talk(t)
				want := handshake.ResumedNone
				if test.resumes {
					want = kind.how
				}
				if got := l.server.Result().Resumption; got != want {
					t.Errorf("resumed: %v, want %v", got, want)
				}
			})
		}
	}
}

// later moves the server's clock.
func later(d time.Duration) func(c, s *host) {
	return func(_, s *host) { s.config.Time = func() time.Time { return now.Add(d) } }
}

// RFC 7627 §5.3: sessions never cross from extended master secret to without.
func TestSessionsNeverCrossExtendedMasterSecret(t *testing.T) {
	off := func(h *host) { h.config.NoExtendedMasterSecret = true }
	for _, first := range []func(testing.TB) (c, s *host){only(wire.TLS12, tickets), only(wire.TLS12, ids)} {
		// Made without, resumed with: a full handshake.
		c, s := resumed(then(first, func(c, _ *host) { off(c) }))(t)
		c.config.NoExtendedMasterSecret = false
		if l := connect(c, s).run().done(t); l.server.Result().Resumption != handshake.ResumedNone {
			t.Error("resumed with")
		}
		// Made with, resumed by a client that no longer offers it: the end.
		c, s = resumed(first)(t)
		off(c)
		l := connect(c, s).run()
		l.server.wants(t, wire.AlertHandshakeFailure)
		// Made with, and the server no longer wants it: a full handshake.
		c, s = resumed(first)(t)
		off(s)
		if l := connect(c, s).run().done(t); l.server.Result().Resumption != handshake.ResumedNone {
			t.Error("resumed without")
		}
		// Made and resumed without: allowed.
		c, s = resumed(then(first, func(c, _ *host) { off(c) }))(t)
		if l := connect(c, s).run().done(t); l.server.Result().Resumption == handshake.ResumedNone {
			t.Error("not resumed")
		}
	}
}

// The certificates of a resumed session are verified again, by both sides.
func TestResumedCertificatesAreVerified(t *testing.T) {
	for _, v := range []wire.Version{wire.TLS12, wire.TLS13} {
		c, s := resumed(only(v, tickets))(t)
		c.name = "wrong.test"
		l := connect(c, s).run()
		l.client.wants(t, wire.AlertBadCertificate)
		c, s = resumed(only(v, tickets, clientAuth))(t)
		s.config.Host = distrusting{s}
		c.config.ServerName = "example.test"
		if l = connect(c, s).run(); l.server.Done() || l.server.Result().Resumption != handshake.ResumedNone {
			t.Errorf("%v: the session was resumed with a client that is no longer trusted", v)
		}
	}
}

// distrusting is a host that trusts no certificate.
type distrusting struct{ *host }

func (d distrusting) VerifyPeer(context.Context, *handshake.State, []*x509.Certificate) ([][]*x509.Certificate, error) {
	return nil, errors.New("not trusted")
}

// A server that has announced a staple, and then leaves it out, is verified all the same.
// RFC 6066 §8.
func TestAnAnnouncedStapleThatDoesNotCome(t *testing.T) {
	for _, v := range []wire.Version{wire.TLS10, wire.TLS11, wire.TLS12} {
		for name, edits := range map[string][]edit{"comes": nil, "left out": {on(wire.TypeCertificateStatus, func([]byte) [][]byte { return nil })}} {
			c, s := only(v, stapled)(t)
			c.config.Host = distrusting{c}
			l := connect(c, s, edits...)
			l.run().client.wants(t, wire.AlertBadCertificate)
			if got := len(l.client.Result().Peer.OCSP) > 0; got != (edits == nil) {
				t.Errorf("%v, %s: the staple was there: %v", v, name, got)
			}
		}
	}
}

// The client's ticket of TLS 1.3 is of no use to anyone who knows only the ticket.
func TestATicketAloneIsNoKey(t *testing.T) {
	c, s := hostsPSK(t)
	c.offer.Secret = make([]byte, len(c.offer.Secret))
	rand.Read(c.offer.Secret)
	connect(c, s).run().server.wants(t, wire.AlertDecryptError)
	c, s = hostsTicket(t)
	c.offer.Secret = make([]byte, len(c.offer.Secret))
	l := connect(c, s).run()
	if l.client.Done() || l.server.Done() {
		t.Error("resumed")
	}
}

// A failing sealer costs the ticket, not the connection.
func TestNoTicketNoHarm(t *testing.T) {
	for _, v := range []wire.Version{wire.TLS12, wire.TLS13} {
		c, s := only(v, tickets)(t)
		s.config.Host = failing{host: s, ticket: true}
		connect(c, s).run().done(t).talk(t)
		if c.saved != nil {
			t.Errorf("%v: a session was saved", v)
		}
	}
}
