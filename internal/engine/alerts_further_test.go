package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// The rules of handshakes after the first.

var (
	byClient = renegotiated(wire.Client, hosts12)
	byServer = renegotiated(wire.Server, hosts12)
	hostsCBC = only(wire.TLS12, suites(wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA))
)

// bothKinds has the two sides take ECDSA and RSA.
func bothKinds(hosts func(testing.TB) (client, server *host)) func(testing.TB) (client, server *host) {
	return then(hosts, func(c, s *host) {
		suites(wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256)(c, s)
	})
}

func asRSA(h *host) { h.certificate = certificate("rsa") }

// info puts a renegotiation_info into a hello.
func info(x *wire.Extensions, data []byte) {
	set(x, wire.ExtRenegotiationInfo, wire.AppendRenegotiationInfo(nil, data)...)
}

// onceChanged lets an edit act on a Finished: there the keys are new.
func onceChanged(e edit) edit {
	return func(r *records, raw []byte) [][]byte {
		if wire.HandshakeType(raw[0]) != wire.TypeFinished {
			return [][]byte{raw}
		}
		return e(r, raw)
	}
}

// refused is an offence that handshake_failure answers.
func refused(rule string, hosts func(testing.TB) (client, server *host), by wire.Role, how edit) offence {
	return offence{rule, wire.AlertHandshakeFailure, hosts, by, how}
}

// told changes the connection before the further handshake begins.
func told(hosts func(testing.TB) (client, server *host), f func(*link)) func(testing.TB) (client, server *host) {
	return then(hosts, func(c, _ *host) {
		begin := c.then
		c.then = func(l *link) error {
			f(l)
			return begin(l)
		}
	})
}

// forgetsRFC5746 is as if the first handshake had been without it, for one side.
func forgetsRFC5746(s *side) {
	result := *s.Result()
	result.SecureRenegotiation, s.host.config.UnsafeRenegotiation = false, true
	s.result.Store(&result)
}

var ofFurther = []offence{
	refused("the client's renegotiation is not tied", byClient, wire.Client, lacks(wire.ExtRenegotiationInfo)),
	refused("the client's renegotiation is not tied", byServer, wire.Client, lacks(wire.ExtRenegotiationInfo)),
	refused("the client's renegotiation is not tied", byClient, wire.Client, clientHello(func(m *wire.ClientHello) { info(&m.Extensions, nil) })),
	refused("the client's renegotiation is not tied", byClient, wire.Client, clientHello(func(m *wire.ClientHello) { info(&m.Extensions, make([]byte, 12)) })),
	refused("the client's renegotiation is not tied", byClient, wire.Client, clientHello(func(m *wire.ClientHello) {
		x, _ := m.Extensions.Find(wire.ExtRenegotiationInfo)
		info(&m.Extensions, x[1:12])
	})),
	refused("the client's renegotiation is not tied", renegotiated(wire.Client, hostsOld(wire.SSL30)), wire.Client, clientHello(func(m *wire.ClientHello) {
		m.Extensions, m.NoExtensions = nil, true
	})),
	refused("the cipher suite value of a first handshake", byClient, wire.Client, clientHello(func(m *wire.ClientHello) {
		m.CipherSuites = append(m.CipherSuites, wire.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
	})),
	illegal("the client's renegotiation asks for another server name", renegotiated(wire.Client, hosts12, func(c, _ *host) { c.config.ServerName = "other.test" }), wire.Client, nil),
	illegal("the client's renegotiation asks for another server name", byClient, wire.Client, lacks(wire.ExtServerName)),
	illegal("the client's renegotiation changes the application protocol", renegotiated(wire.Client, only(wire.TLS12, func(c, s *host) {
		c.config.ALPN, s.config.ALPN = []string{"h2"}, []string{"h2", "imap"}
	})), wire.Client, clientHello(func(m *wire.ClientHello) {
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtALPN, Data: []byte{0, 5, 4, 'i', 'm', 'a', 'p'}})
	})),
	refused("the client's renegotiation gives up extended master secret", byClient, wire.Client, lacks(wire.ExtExtendedMasterSecret)),
	refused("the client's renegotiation gives up encrypt-then-MAC", renegotiated(wire.Client, hostsCBC), wire.Client, lacks(wire.ExtEncryptThenMAC)),
	{"no version in common", wire.AlertProtocolVersion, byClient, wire.Client, clientHello(func(m *wire.ClientHello) { m.LegacyVersion = wire.TLS11 })},
	{"the client shows another certificate", wire.AlertBadCertificate, renegotiated(wire.Client, hostsAuth12, func(c, _ *host) { asRSA(c) }), wire.Client, nil},
	{"the client shows another certificate", wire.AlertBadCertificate, renegotiated(wire.Client, hostsAuth12, optional), wire.Client, nil},
	{"the client shows another certificate", wire.AlertBadCertificate, renegotiated(wire.Client, hostsOld(wire.SSL30, clientAuth), optional), wire.Client, nil},
	{"between its change of keys and its Finished", wire.AlertUnexpectedMessage, byClient, wire.Client, onceChanged(before(wire.ContentApplicationData, 'x'))},
	{"between its change of keys and its Finished", wire.AlertUnexpectedMessage, byServer, wire.Client, onceChanged(before(wire.ContentApplicationData))},
	{"the peer's Finished is wrong", wire.AlertDecryptError, byClient, wire.Client, flip(wire.TypeFinished, -1)},
	{"the peer's Finished is wrong", wire.AlertDecryptError, authenticated(hosts13), wire.Client, flip(wire.TypeFinished, -1)},
	{"the peer's signature is wrong", wire.AlertDecryptError, authenticated(hosts13), wire.Client, flip(wire.TypeCertificateVerify, -1)},
	illegal("and after it be that of the request", authenticated(hosts13), wire.Client, change(func(m *wire.Certificate) { m.RequestContext = nil })),
	illegal("and after it be that of the request", authenticated(hosts13), wire.Client, change(func(m *wire.Certificate) { m.RequestContext[0] ^= 1 })),
	{"one is required", wire.AlertCertificateRequired, authenticated(hosts13, func(c, _ *host) { c.certificate = nil }), wire.Client, nil},
	{"one is required", wire.AlertHandshakeFailure, renegotiated(wire.Server, hosts12, clientAuth, func(c, _ *host) { c.certificate = nil }), wire.Client, nil},

	refused("the server's renegotiation is not tied", byClient, wire.Server, serverHello(func(m *wire.ServerHello) { without(&m.Extensions, wire.ExtRenegotiationInfo) })),
	refused("the server's renegotiation is not tied", byServer, wire.Server, serverHello(func(m *wire.ServerHello) { without(&m.Extensions, wire.ExtRenegotiationInfo) })),
	refused("the server's renegotiation_info does not fit", byClient, wire.Server, serverHello(func(m *wire.ServerHello) { info(&m.Extensions, nil) })),
	refused("the server's renegotiation_info does not fit", byClient, wire.Server, serverHello(func(m *wire.ServerHello) { info(&m.Extensions, make([]byte, 24)) })),
	refused("the server's renegotiation gives up extended master secret", renegotiated(wire.Client, hosts12, func(_, s *host) { s.config.NoExtendedMasterSecret = true }), wire.Server, nil),
	refused("the server knows extended master secret in its renegotiation", renegotiated(wire.Client, then(hosts12, func(_, s *host) { s.config.NoExtendedMasterSecret = true }),
		func(_, s *host) { s.config.NoExtendedMasterSecret = false }), wire.Server, nil),
	refused("shows that it knows RFC 5746", told(byClient, func(l *link) { forgetsRFC5746(l.client) }), wire.Server, nil),
	{"the peer asks for a renegotiation", wire.AlertNoRenegotiation, told(byClient, func(l *link) { l.server.host.again, l.server.options.RefuseFatally = false, true }), wire.Client, nil},
	{"the peer asks for a renegotiation", wire.AlertNoRenegotiation, told(byServer, func(l *link) { l.client.host.again, l.client.options.RefuseFatally = false, true }), wire.Server, nil},
	refused("the client does not know extended master secret", then(hosts12, func(_, s *host) { s.config.RequireExtendedMasterSecret = true }), wire.Client, lacks(wire.ExtExtendedMasterSecret)),
	refused("the server does not know extended master secret", then(hosts12, func(c, _ *host) { c.config.RequireExtendedMasterSecret = true }), wire.Server,
		serverHello(func(m *wire.ServerHello) { without(&m.Extensions, wire.ExtExtendedMasterSecret) })),
	refused("the client does not know RFC 5746, so", then(hosts12, func(_, s *host) { s.config.RequireRFC5746 = true }), wire.Client, lacks(wire.ExtRenegotiationInfo)),
	refused("the server does not know RFC 5746, so", then(hosts12, func(c, _ *host) { c.config.RequireRFC5746 = true }), wire.Server,
		serverHello(func(m *wire.ServerHello) { without(&m.Extensions, wire.ExtRenegotiationInfo) })),
	illegal("the peer sent the alert internal_error of the unknown level", hosts12, wire.Server, onceChanged(before(wire.ContentAlert, 3, byte(wire.AlertInternalError)))),
	refused("the server's renegotiation gives up encrypt-then-MAC", renegotiated(wire.Server, hostsCBC), wire.Server,
		serverHello(func(m *wire.ServerHello) { without(&m.Extensions, wire.ExtEncryptThenMAC) })),
	{"no version in common", wire.AlertProtocolVersion, byClient, wire.Server, serverHello(func(m *wire.ServerHello) { m.LegacyVersion = wire.TLS11 })},
	{"the server shows another certificate", wire.AlertBadCertificate, renegotiated(wire.Client, bothKinds(hosts12), func(_, s *host) { asRSA(s) }), wire.Server, nil},
	{"the server shows another certificate", wire.AlertBadCertificate, renegotiated(wire.Client, only(wire.TLS12, suites(
		wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, wire.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256), everySuite), func(_, s *host) {
		suites(wire.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256)(s, nil)
	}), wire.Server, nil},
	{"between its change of keys and its Finished", wire.AlertUnexpectedMessage, byClient, wire.Server, onceChanged(before(wire.ContentApplicationData, 'x'))},
	{"the peer's Finished is wrong", wire.AlertDecryptError, byClient, wire.Server, flip(wire.TypeFinished, -1)},
	{"the server's HelloRequest is not empty", wire.AlertDecodeError, byServer, wire.Server, instead(wire.TypeHelloRequest, 0, 0, 0, 1, 0)},
	{"CertificateRequest lacks signature_algorithms", wire.AlertMissingExtension, authenticated(hosts13), wire.Server, change(func(m *wire.CertificateRequest) { m.Extensions = nil })},
	{"more often than a client answers", wire.AlertUnexpectedMessage, authenticated(hosts13, func(c, _ *host) { c.again, c.spent = false, true }), wire.Server, nil},
	{"the Config is no longer usable", wire.AlertInternalError, authenticated(hosts13, func(c, _ *host) { c.again = false }), wire.Server, nil},
}

// What our own side asks for in vain is an error of the call: the peer hears
// nothing of it, and the connection goes on.
func TestWhatCannotBeAsked(t *testing.T) {
	renegotiate := func(by wire.Role) func(*link) error {
		return func(l *link) error { return l.of(by).Renegotiate(context.Background(), &l.of(by).host.config) }
	}
	authenticate := func(l *link) error { return l.server.Authenticate(context.Background(), &l.server.host.config) }
	for _, test := range []struct {
		rule  string
		hosts func(testing.TB) (client, server *host)
		ask   func(*link) error
		under bool // another one is under way
	}{
		{"TLS 1.3 has no renegotiation", hosts13, renegotiate(wire.Client), false},
		{"TLS 1.3 has no renegotiation", hosts13, renegotiate(wire.Server), false},
		{"the client does not offer to be asked", hosts13, authenticate, false},
		{"the client does not offer to be asked", hosts12, authenticate, false},
		{"already under way", byClient, renegotiate(wire.Client), true},
		{"already under way", byServer, renegotiate(wire.Server), true},
		{"already under way", authenticated(hosts13), authenticate, true},
		{"does not know RFC 5746", hosts12, renegotiate(wire.Client), false},
		{"does not know RFC 5746", hosts12, renegotiate(wire.Server), false},
	} {
		t.Run(test.rule, func(t *testing.T) {
			l := connect(test.hosts(t)).run().done(t)
			if test.rule == "does not know RFC 5746" {
				for _, s := range []*side{l.client, l.server} {
					result := *s.Result()
					result.SecureRenegotiation = false
					s.result.Store(&result)
				}
			}
			if test.under {
				if err := l.client.host.then(l); err != nil {
					t.Fatal(err)
				}
			}
			var fault *handshake.Error
			if err := test.ask(l); !errors.As(err, &fault) || !strings.Contains(err.Error(), test.rule) || fault.Alert != 0 {
				t.Errorf("the error is %v", err)
			}
			l.run().talk(t)
			if len(l.client.sent)+len(l.server.sent) > 0 {
				t.Errorf("alerts were sent: %v, %v", l.client.sent, l.server.sent)
			}
		})
	}
}
