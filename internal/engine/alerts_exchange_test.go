package engine

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// The rules of the key exchanges, of SSL 3.0 to TLS 1.1, and of the limits of
// records.

// everySuite gives the server what the client lists.
func everySuite(c, s *host) { s.config.Suites = c.config.Suites }

// exchange are hosts of TLS 1.2 that agree on one suite, whatever its key exchange.
func exchange(id wire.CipherSuite, change ...func(c, s *host)) func(testing.TB) (client, server *host) {
	row := suite.ByID(id)
	version := min(row.Max, wire.TLS12)
	return only(version, append([]func(c, s *host){suites(id), everySuite, func(_, s *host) {
		if row.Auth == suite.AuthRSA {
			s.certificate = certificate("rsa")
		}
	}}, change...)...)
}

var (
	hostsDHE    = exchange(wire.TLS_DHE_RSA_WITH_AES_128_GCM_SHA256)
	hostsPlain  = exchange(wire.TLS_PSK_WITH_AES_128_GCM_SHA256)
	hostsDHEPSK = exchange(wire.TLS_DHE_PSK_WITH_AES_128_GCM_SHA256)
)

func limits(fragment wire.MaxFragmentLength, size int) func(c, s *host) {
	return func(c, _ *host) { c.config.MaxFragmentLength, c.config.SizeLimit = fragment, size }
}

// pskFails is a host whose application has no key, or is not to be reached.
type pskFails struct{ *host }

func (pskFails) ClientPSK(string) (string, []byte, error) { return "", nil, errors.New("locked") }
func (pskFails) ServerPSK(string) ([]byte, error)         { return nil, errors.New("locked") }

var ofExchanges = []offence{
	// RFC 7919 §4 has insufficient_security here, and its erratum 4908 takes that out.
	{"we accept ffdhe2048, ffdhe3072, ffdhe4096, the peer offers ", wire.AlertHandshakeFailure, then(hostsDHE, func(c, _ *host) {
		c.config.Groups = []wire.NamedGroup{wire.GroupP256, wire.GroupFFDHE8192}
	}), wire.Client, nil},
	illegal("the client's ephemeral key is not valid", hostsDHE, wire.Client, change(func(m *wire.ClientKeyExchange) { m.Exchange = []byte{1} })),
	illegal("the client's ephemeral key is not valid", hostsDHEPSK, wire.Client, change(func(m *wire.ClientKeyExchange) { m.Exchange = bytes.Repeat([]byte{0xff}, 256) })),
	illegal("the client's ephemeral key is not valid", exchange(wire.TLS_ECDH_anon_WITH_AES_128_CBC_SHA), wire.Client, flip(wire.TypeClientKeyExchange, -1)),
	{"does not open", wire.AlertBadRecordMAC, exchange(wire.TLS_RSA_PSK_WITH_AES_128_GCM_SHA256), wire.Client, change(func(m *wire.ClientKeyExchange) { m.Exchange = m.Exchange[1:] })},
	{"record_size_limit of 63 is below", wire.AlertIllegalParameter, hosts12, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtRecordSizeLimit, 0, 63) })},
	{"record_size_limit of 63 is below", wire.AlertIllegalParameter, hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtRecordSizeLimit, 0, 63) })},
	illegal("max_fragment_length of 5 stands for no length", hosts12, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtMaxFragmentLength, 5) })),
	illegal("max_fragment_length of 0 stands for no length", hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtMaxFragmentLength, 0) })),
	illegal("a value that is not allowed: illegal server_name_list", hosts12, wire.Client, clientHello(func(m *wire.ClientHello) {
		set(&m.Extensions, wire.ExtServerName, 0, 8, 0, 0, 1, 'a', 0, 0, 1, 'b')
	})),
	{"the client sent no certificate", wire.AlertHandshakeFailure, hostsOld(wire.SSL30, clientAuth, func(c, _ *host) { c.certificate = nil }), wire.Client, nil},
	{"the client sent no certificate", wire.AlertHandshakeFailure, hostsOld(wire.TLS10, clientAuth, func(c, _ *host) { c.certificate = nil }), wire.Client, nil},
	{"the peer's signature is wrong", wire.AlertDecryptError, hostsOld(wire.SSL30, clientAuth), wire.Client, flip(wire.TypeCertificateVerify, -1)},
	{"the peer's signature is wrong", wire.AlertDecryptError, hostsOld(wire.TLS11, clientAuth), wire.Client, flip(wire.TypeCertificateVerify, -1)},
	{"the peer's Finished is wrong", wire.AlertDecryptError, hostsOld(wire.SSL30), wire.Client, flip(wire.TypeFinished, -1)},

	illegal("Diffie-Hellman group is not valid", hostsDHE, wire.Server, change(func(m *wire.ServerKeyExchange) { m.P[len(m.P)-1] ^= 1 })),
	illegal("Diffie-Hellman group is not valid", hostsDHE, wire.Server, change(func(m *wire.ServerKeyExchange) { m.G = []byte{1} })),
	illegal("Diffie-Hellman group is not valid", hostsDHEPSK, wire.Server, change(func(m *wire.ServerKeyExchange) { m.P = []byte{23} })),
	{"the server's Diffie-Hellman group has 2048 bits", wire.AlertInsufficientSecurity, then(hostsDHE, func(c, _ *host) { c.config.MinDHBits = 2049 }), wire.Server, nil},
	illegal("own Diffie-Hellman group has 8192 bits", hostsDHE, wire.Server, change(func(m *wire.ServerKeyExchange) {
		m.P = bytes.Clone(kex.DHOf(wire.GroupFFDHE8192).P())
		m.P[100] ^= 4
	})),
	illegal("the server's ephemeral key is not valid", hostsDHEPSK, wire.Server, change(func(m *wire.ServerKeyExchange) { m.Share = []byte{1} })),
	illegal("the server's ephemeral key is not valid", exchange(wire.TLS_DH_anon_WITH_AES_128_GCM_SHA256), wire.Server, change(func(m *wire.ServerKeyExchange) { m.Share = m.P })),
	illegal("no group in common", exchange(wire.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256), wire.Server, change(func(m *wire.ServerKeyExchange) { m.Group = wire.GroupP521 })),
	{"the peer's signature is wrong", wire.AlertDecryptError, hostsDHE, wire.Server, change(func(m *wire.ServerKeyExchange) { m.Signature[9] ^= 1 })},
	{"the peer's signature is wrong", wire.AlertDecryptError, hostsOld(wire.SSL30, suites(wire.TLS_DHE_RSA_WITH_AES_128_CBC_SHA), everySuite), wire.Server, change(func(m *wire.ServerKeyExchange) { m.Signature[9] ^= 1 })},
	illegal("the server answers max_fragment_length 2^10 with 2^9", only(wire.TLS12, limits(2, 0)), wire.Server, says(wire.ExtMaxFragmentLength, 1)),
	illegal("the server answers max_fragment_length", only(wire.TLS13, limits(2, 0)), wire.Server, says13(wire.ExtMaxFragmentLength, 9)),
	illegal("the server answers both", only(wire.TLS12, limits(2, 1000)), wire.Server, says(wire.ExtMaxFragmentLength, 2)),
	illegal("the server answers both", only(wire.TLS13, limits(2, 1000)), wire.Server,
		change(func(m *wire.EncryptedExtensions) {
			m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtMaxFragmentLength, Data: []byte{2}})
		})),
	illegal("record_size_limit of 63 is below", only(wire.TLS12, limits(0, 1000)), wire.Server, says(wire.ExtRecordSizeLimit, 0, 63)),
	illegal("record_size_limit of 0 is below", only(wire.TLS13, limits(0, 1000)), wire.Server, says13(wire.ExtRecordSizeLimit, 0, 0)),
	illegal("ticket_request into a message", both(asksForTickets, oldServer), wire.Server, says(wire.ExtTicketRequest, 1)),
	illegal("ticket_request into a message", both(asksForTickets), wire.Server, says(wire.ExtTicketRequest, 1)),
	illegal("ticket_request into a message", then(hostsRetry, asksForTickets), wire.Server, nth(1, wire.TypeServerHello, says(wire.ExtTicketRequest, 1))),
	illegal("differs from its first", then(hostsRetry, asksForTickets), wire.Client, second(wire.TypeClientHello, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtTicketRequest, 1, 2) }))),
	illegal("differs from its first", then(hostsRetry, asksForTickets), wire.Client, second(wire.TypeClientHello, clientHello(func(m *wire.ClientHello) { without(&m.Extensions, wire.ExtTicketRequest) }))),
	{"quic_transport_parameters, and this is not QUIC", wire.AlertUnsupportedExtension, hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtQUICParameters) })},
	{"quic_transport_parameters, and this is not QUIC", wire.AlertUnsupportedExtension, hosts12, wire.Client, clientHello(func(m *wire.ClientHello) { set(&m.Extensions, wire.ExtQUICParameters) })},
	{"an extension that we did not send", wire.AlertUnsupportedExtension, hosts12, wire.Server, says(wire.ExtRecordSizeLimit, 4, 0)},
	{"an extension that we did not send", wire.AlertUnsupportedExtension, hosts13, wire.Server, says13(wire.ExtMaxFragmentLength, 1)},

	{"PSK.Client returned no key", wire.AlertInternalError, then(hostsPlain, func(c, _ *host) { c.key = nil }), wire.Server, nil},
	{"PSK.Client returned no key", wire.AlertInternalError, then(hostsDHEPSK, func(c, _ *host) { c.key = make([]byte, 1<<16) }), wire.Server, nil},
	{"PSK.Client returned an identity that is too long", wire.AlertInternalError, then(hostsPlain, func(c, _ *host) { c.identity = strings.Repeat("x", 1<<16) }), wire.Server, nil},
	{"PSK.Client failed", wire.AlertInternalError, then(hostsPlain, func(c, _ *host) { c.config.Host = pskFails{c} }), wire.Server, nil},
	{"PSK.Server returned a key that is too long", wire.AlertInternalError, then(hostsPlain, func(_, s *host) { s.key = make([]byte, 1<<16) }), wire.Client, nil},
	{"PSK.Server failed", wire.AlertInternalError, then(hostsPlain, func(_, s *host) { s.config.Host = pskFails{s} }), wire.Client, nil},
}
