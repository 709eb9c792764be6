package engine

import (
	"context"
	stdtls "crypto/tls"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// flow is one shape of handshake, as hosts that give it.
type flow struct {
	name  string
	hosts func(t testing.TB) (client, server *host)
}

func only(v wire.Version, change ...func(client, server *host)) func(testing.TB) (client, server *host) {
	return func(testing.TB) (*host, *host) {
		c, s := newClientHost(), newServerHost()
		c.config.Versions, s.config.Versions = []wire.Version{v}, []wire.Version{v}
		for _, f := range change {
			f(c, s)
		}
		return c, s
	}
}

// resumed runs a connection and returns the hosts that resume it.
func resumed(first func(testing.TB) (client, server *host)) func(testing.TB) (client, server *host) {
	return func(t testing.TB) (*host, *host) {
		c, s := first(t)
		connect(c, s).run().done(t)
		if c.saved == nil {
			t.Fatal("no session was saved")
		}
		c.offer, c.saved, c.keyLog, s.keyLog = c.saved, nil, nil, nil
		return c, s
	}
}

func clientAuth(c, s *host) {
	c.certificate, s.config.ClientAuth = certificate("ecdsa"), stdtls.RequireAndVerifyClientCert
	if c.config.Versions[0] == wire.SSL30 { // which has no elliptic curves
		c.certificate = certificate("rsa")
	}
}

func tickets(c, s *host) {
	c.config.Sessions, c.config.Tickets, s.config.Tickets = true, true, true
}
func ids(c, s *host) { c.config.Sessions, s.config.Store = true, true }
func stapled(_, s *host) {
	c := *certificate("ecdsa")
	c.OCSPStaple, c.SignedCertificateTimestamps = []byte("an OCSP response"), [][]byte{[]byte("a timestamp")}
	s.certificate = &c
}

// chainStapled has the server staple to both certificates of a chain, for a client that
// asks for that. RFC 6961.
func chainStapled(c, s *host) {
	stapled(nil, s)
	s.certificate.Certificate = [][]byte{s.certificate.Certificate[0], certificate("rsa").Certificate[0]}
	s.config.IssuerStaple = func([]byte) []byte { return []byte("the issuer's") }
	c.config.AskForChain = true
}

// clientStapled has the client staple to its certificate.
func clientStapled(c, s *host) {
	stapled(nil, c)
	s.config.ClientAuth = stdtls.RequireAndVerifyClientCert
}

// withEarly has the client send early data, and the server take it. Whether it is sent again is
// for other tests.
func withEarly(c, s *host) {
	c.config.EarlySize = len("early")
	s.config.Early = &handshake.Early{Max: 100, Window: 10 * time.Second, Wanted: true, Protocols: []string{""}, Replay: always{}}
}

// always is a replay store that has seen nothing.
type always struct{}

func (always) Permit(context.Context, [32]byte, time.Time) error { return nil }
func (always) Claim(context.Context, [32]byte, time.Time) error  { return nil }

// lateRetry has the server ask for another group, but not in the connection that makes the
// session.
func lateRetry(c, s *host) { s.config.Groups = []wire.NamedGroup{wire.GroupP384} }

func withRSA(_, s *host) { s.certificate = certificate("rsa") }

func retry(_, s *host) {
	s.config.Groups, s.config.RetryCookie = []wire.NamedGroup{wire.GroupP384}, true
}

// hybrid is as most clients are: a hybrid group first, whose classical half is a
// share of its own, and reserved values all over. RFC 8701.
func hybrid(c, s *host) {
	c.config.GREASE = true
	c.config.Groups = []wire.NamedGroup{wire.GroupX25519MLKEM768, wire.GroupX25519, wire.GroupP256, wire.GroupP384}
	s.config.Groups = c.config.Groups
}

func suites(ids ...wire.CipherSuite) func(c, s *host) {
	return func(c, s *host) {
		c.config.Suites = nil
		for _, id := range ids {
			c.config.Suites = append(c.config.Suites, suite.ByID(id))
		}
	}
}

var staticRSA = suites(wire.TLS_RSA_WITH_AES_128_GCM_SHA256)

// flows are all shapes of handshake.
var flows = []flow{
	{"tls12", only(wire.TLS12)},
	{"tls12 tickets", only(wire.TLS12, tickets)},
	{"tls12 staple", only(wire.TLS12, stapled)},
	{"tls12 chain's staple", only(wire.TLS12, chainStapled)},
	{"tls12 rsa", only(wire.TLS12, withRSA, staticRSA)},
	{"tls12 cbc", only(wire.TLS12, suites(wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256))},
	{"tls12 client auth", only(wire.TLS12, clientAuth)},
	{"tls12 no client certificate", only(wire.TLS12, func(_, s *host) { s.config.ClientAuth = stdtls.RequestClientCert })},
	{"tls12 ticket resumption", resumed(only(wire.TLS12, tickets))},
	{"tls12 id resumption", resumed(only(wire.TLS12, ids))},
	{"tls12 dhe", hostsDHE},
	{"tls12 dhe anonymous", exchange(wire.TLS_DH_anon_WITH_AES_128_GCM_SHA256)},
	{"tls12 ecdhe anonymous", exchange(wire.TLS_ECDH_anon_WITH_AES_128_CBC_SHA)},
	{"tls12 dhe dss", exchange(wire.TLS_DHE_DSS_WITH_AES_128_GCM_SHA256, signedDSS)},
	{"tls12 psk", hostsPlain},
	{"tls12 psk with a hint", exchange(wire.TLS_PSK_WITH_AES_128_GCM_SHA256, hint)},
	{"tls12 dhe psk", hostsDHEPSK},
	{"tls12 ecdhe psk", exchange(wire.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256, hint)},
	{"tls12 rsa psk", exchange(wire.TLS_RSA_PSK_WITH_AES_128_GCM_SHA256)},
	{"tls12 compression", only(wire.TLS12, compression)},
	{"tls12 max_fragment_length", only(wire.TLS12, limits(1, 0))},
	{"tls12 record_size_limit", only(wire.TLS12, limits(0, 100))},
	{"ssl30", hostsOld(wire.SSL30)},
	{"ssl30 client auth", hostsOld(wire.SSL30, clientAuth)},
	{"ssl30 no client certificate", hostsOld(wire.SSL30, optional)},
	{"ssl30 rc4", exchange(wire.TLS_RSA_WITH_RC4_128_MD5, atVersion(wire.SSL30))},
	{"tls10", hostsOld(wire.TLS10)},
	{"tls10 client auth", hostsOld(wire.TLS10, clientAuth)},
	{"tls10 id resumption", resumed(hostsOld(wire.TLS10, ids))},
	{"tls10 null", exchange(wire.TLS_RSA_WITH_NULL_SHA, atVersion(wire.TLS10))},
	{"tls11", hostsOld(wire.TLS11)},
	{"tls11 client auth", hostsOld(wire.TLS11, clientAuth)},
	{"tls11 ecdhe", only(wire.TLS11, suites(wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA))},
	{"tls13", only(wire.TLS13)},
	{"tls13 max_fragment_length", only(wire.TLS13, limits(1, 0))},
	{"tls13 record_size_limit", only(wire.TLS13, limits(0, 100))},
	{"tls13 rsa", only(wire.TLS13, withRSA)},
	{"tls13 tickets", only(wire.TLS13, tickets)},
	{"tls13 staple", only(wire.TLS13, stapled)},
	{"tls13 chain's staple", only(wire.TLS13, chainStapled)},
	{"tls13 client auth", only(wire.TLS13, clientAuth)},
	{"tls13 client's staple", only(wire.TLS13, clientStapled)},
	{"tls13 no client certificate", only(wire.TLS13, func(_, s *host) { s.config.ClientAuth = stdtls.RequestClientCert })},
	{"tls13 retry", only(wire.TLS13, retry)},
	{"tls13 hybrid", only(wire.TLS13, hybrid)},
	{"tls13 hybrid retry", only(wire.TLS13, hybrid, retry)},
	{"tls13 psk", resumed(only(wire.TLS13, tickets))},
	{"tls13 psk retry", resumed(only(wire.TLS13, tickets, retry))},
	{"tls13 early data", resumed(only(wire.TLS13, tickets, withEarly))},
	{"tls13 early data retry", then(resumed(only(wire.TLS13, tickets, withEarly)), lateRetry)},
	{"tls13 early data refused", then(resumed(only(wire.TLS13, tickets, withEarly)), func(_, s *host) { s.config.Early = nil })},
	{"tls13 client auth psk", resumed(only(wire.TLS13, tickets, clientAuth))},
}

func TestEveryFlow(t *testing.T) {
	for _, f := range flows {
		t.Run(f.name, func(t *testing.T) {
			c, s := f.hosts(t)
			l := connect(c, s).run().done(t).talk(t)
			peer := l.client.Result().Peer
			if strings.Contains(f.name, "client's") {
				peer = l.server.Result().Peer
			}
			if strings.HasSuffix(f.name, "staple") && (string(peer.OCSP) != "an OCSP response" || len(peer.SCTs) != 1 || string(peer.SCTs[0]) != "a timestamp") {
				t.Errorf("the staples are %q, %q", peer.OCSP, peer.SCTs)
			}
			if strings.Contains(f.name, "chain's") && fmt.Sprintf("%q", peer.IssuerOCSP) != `["the issuer's"]` {
				t.Errorf("the issuer's staple is %q", peer.IssuerOCSP)
			}
			if accepted := f.name == "tls13 early data"; string(l.server.early) != map[bool]string{true: "early"}[accepted] || (l.client.Result().EarlyData == handshake.EarlyAccepted) != accepted {
				t.Errorf("early data %v, %q", l.client.Result().EarlyData, l.server.early)
			}
			if err := l.client.CloseNotify(); err != nil {
				t.Fatal(err)
			}
			l.run()
			if l.server.err != io.EOF {
				t.Errorf("the server's stream ended with %v, want io.EOF", l.server.err)
			}
		})
	}
}

// hostsOld are hosts for a version before TLS 1.2, with RSA.
func hostsOld(v wire.Version, change ...func(client, server *host)) func(testing.TB) (client, server *host) {
	return only(v, append([]func(c, s *host){withRSA, suites(wire.TLS_RSA_WITH_AES_128_CBC_SHA)}, change...)...)
}

// optional has the server ask for a certificate that the client does not have.
func optional(c, s *host) {
	c.certificate, s.config.ClientAuth = nil, stdtls.RequestClientCert
}

// atVersion fixes the version, of hosts that would agree on another.
func atVersion(v wire.Version) func(c, s *host) {
	return func(c, s *host) {
		c.config.Versions, s.config.Versions = []wire.Version{v}, []wire.Version{v}
	}
}

func oldServer(_, s *host) { s.config.Versions = []wire.Version{wire.TLS12} }

func asksForTickets(c, _ *host) {
	c.config.TicketRequest = &wire.TicketRequest{NewSession: 1, Resumption: 1}
}

func hint(_, s *host) { s.config.PSKHint = "which key?" }

// signedDSS gives the server a certificate with a DSA key.
func signedDSS(c, s *host) {
	s.certificate = certificate("dsa")
	for _, h := range []*host{c, s} {
		h.config.Schemes = append(h.config.Schemes, wire.DSASHA256)
	}
}
