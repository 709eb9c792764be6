package engine

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// Extensions of the other messages of TLS 1.3, by what the message is changed with.
var elsewhere13 = []struct {
	name  string
	hosts func(testing.TB) (client, server *host)
	put   func(t wire.ExtensionType, body ...byte) edit
	rows  []bodies
	from  wire.Role
}{
	{"ServerHello", hostsPSK, says, []bodies{
		all(wire.ExtSupportedVersions, decode, "", "\x03", "\x03\x04\x00"),
		all(wire.ExtSupportedVersions, illegalValue, "\x03\x03", "\x03\x00"),
		all(wire.ExtSupportedVersions, wire.AlertProtocolVersion, "\x03\x05", "\x12\x34"),
		all(wire.ExtKeyShare, decode, "", "\x00\x17", "\x00\x17\x00\x00", aShare+"\x00"),
		all(wire.ExtKeyShare, illegalValue, aShare, "\x00\x18\x00\x01\x04", "\x12\x34\x00\x01\x04"),
		all(wire.ExtPreSharedKey, decode, "", "\x00", "\x00\x00\x00"),
		all(wire.ExtPreSharedKey, illegalValue, "\x00\x01", "\xff\xff"),
		all(wire.ExtServerName, illegalValue, "", "\x00"),
		all(wire.ExtSupportedGroups, illegalValue, "\x00\x02\x00\x17"),
		all(wire.ExtCookie, unknownAnswer, "\x00\x01\x01"),
		all(0x1234, unknownAnswer, ""),
	}, wire.Server},
	{"HelloRetryRequest", hostsRetry, func(t wire.ExtensionType, body ...byte) edit {
		return once(wire.TypeServerHello, says(t, body...))
	}, []bodies{
		all(wire.ExtSupportedVersions, decode, "", "\x03", "\x03\x04\x00"),
		all(wire.ExtKeyShare, decode, "", "\x00", "\x00\x18\x00", "\x00\x18\x00\x01\x04"),
		all(wire.ExtKeyShare, illegalValue, "\x00\x17" /* it has that */, "\x00\x19", "\x12\x34"),
		all(wire.ExtCookie, decode, "", "\x00", "\x00\x00", "\x00\x02\x01", "\x00\x01\x01\x00"),
		all(wire.ExtServerName, illegalValue, ""),
		all(0x1234, unknownAnswer, ""),
	}, wire.Server},
	{"CertificateRequest", hostsAuth13, request, []bodies{
		all(wire.ExtSignatureAlgorithms, decode, "", "\x00", "\x00\x00", "\x00\x01\x04", "\x00\x03\x04\x03\x08", "\x00\x02\x04\x03\x00"),
		all(wire.ExtSignatureAlgorithms, taken, "\x00\x02\x12\x34", "\x00\x04\x04\x03\xff\xff"),
		all(wire.ExtSignatureAlgsCert, decode, "", "\x00\x00", "\x00\x01\x04", "\x00\x02\x04\x03\x00"),
		all(wire.ExtSignatureAlgsCert, taken, "\x00\x02\x12\x34"),
		all(wire.ExtCertificateAuthorities, decode, "", "\x00\x00", "\x00\x02\x00\x00", "\x00\x03\x00\x02\x30", "\x00\x03\x00\x01\x30\x00"),
		all(wire.ExtCertificateAuthorities, taken, "\x00\x03\x00\x01\x30"),
		all(wire.ExtStatusRequest, decode, "\x00", "\x01\x00\x00\x00\x00"),
		all(wire.ExtStatusRequest, taken, ""),
		all(wire.ExtSCT, decode, "\x00"),
		all(wire.ExtSCT, taken, ""),
		all(wire.ExtKeyShare, illegalValue, "", aShare),
		all(wire.ExtServerName, illegalValue, ""),
		all(wire.ExtStatusRequestV2, illegalValue, ""),
		all(0x1234, taken, "", "\x00"),
		all(48, taken, "\x00\x00"), // oid_filters, which we do not read
	}, wire.Server},
	{"Certificate", hosts13, entry, []bodies{
		all(wire.ExtStatusRequest, decode, "", "\x01", "\x01\x00\x00\x00", "\x01\x00\x00\x02\x00", "\x01\x00\x00\x01\x00\x00"),
		all(wire.ExtStatusRequest, illegalValue, "\x00\x00\x00\x01\x00", "\x02\x00\x00\x01\x00"),
		all(wire.ExtStatusRequest, taken, "\x01\x00\x00\x01\x00"),
		all(wire.ExtSCT, decode, "", "\x00\x00", "\x00\x02\x00\x00", "\x00\x03\x00\x01\x01\x00"),
		all(wire.ExtSCT, taken, "\x00\x03\x00\x01\x01"),
		all(wire.ExtStatusRequestV2, illegalValue, ""), // RFC 8446 §4.4.2.1
		all(wire.ExtServerName, illegalValue, ""),
		all(0x1234, unknownAnswer, ""),
	}, wire.Server},
	{"a client's Certificate", hostsAuth13, entry, []bodies{
		all(wire.ExtStatusRequest, decode, "", "\x01", "\x01\x00\x00\x00", "\x01\x00\x00\x02\x00", "\x01\x00\x00\x01\x00\x00"),
		all(wire.ExtStatusRequest, illegalValue, "\x00\x00\x00\x01\x00", "\x02\x00\x00\x01\x00"),
		all(wire.ExtStatusRequest, taken, "\x01\x00\x00\x01\x00"),
		all(wire.ExtSCT, decode, "", "\x00\x00", "\x00\x02\x00\x00", "\x00\x03\x00\x01\x01\x00"),
		all(wire.ExtSCT, taken, "\x00\x03\x00\x01\x01"),
		all(wire.ExtSignatureAlgorithms, illegalValue, "\x00\x02\x04\x03"), // it stands in the request
		all(0x1234, unknownAnswer, ""),
	}, wire.Client},
	{"NewSessionTicket", only(wire.TLS13, tickets), func(t wire.ExtensionType, body ...byte) edit {
		return change(func(m *wire.NewSessionTicket) { set(&m.Extensions, t, body...) })
	}, []bodies{
		all(wire.ExtEarlyData, decode, "", "\x00\x00\x00", "\x00\x00\x00\x00\x00"),
		all(wire.ExtEarlyData, taken, "\x00\x00\x00\x00", "\xff\xff\xff\xff"),
		all(wire.ExtServerName, illegalValue, ""),
		all(wire.ExtKeyShare, illegalValue, aShare),
		all(0x1234, taken, "", "\x00"),
	}, wire.Server},
}

func TestEveryBodyOfTheOtherMessages(t *testing.T) {
	for _, m := range elsewhere13 {
		for _, row := range m.rows {
			for _, body := range row.list {
				victim := flow{hosts: m.hosts}.run(t, m.from, m.put(row.t, []byte(body)...))
				if got := victim.verdict(); got != row.alert13 {
					t.Errorf("%s, %v %q: sent %v for %v; want %v", m.name, row.t, body, got, victim.err, row.alert13)
				}
			}
		}
	}
}

// raw has f make the body of a message of type t.
func raw(t wire.HandshakeType, f func(body []byte) []byte) edit {
	return on(t, func(msg []byte) [][]byte {
		body := f(msg[wire.HeaderLen:])
		n := len(body)
		return [][]byte{append([]byte{byte(t), byte(n >> 16), byte(n >> 8), byte(n)}, body...)}
	})
}

// byteAt sets a byte of a message's body; grow makes it longer or shorter by n bytes.
func byteAt(t wire.HandshakeType, at int, to byte) edit {
	return raw(t, func(b []byte) []byte { b[at] = to; return b })
}

func grow(t wire.HandshakeType, n int) edit {
	return raw(t, func(b []byte) []byte {
		if n < 0 {
			return b[:len(b)+n]
		}
		return append(b, make([]byte, n)...)
	})
}

// fields are the enumerated fields and the fixed lengths of the messages themselves.
func fields() []offence {
	const helloSession = 2 + 32 // where the session ID starts
	list := []offence{
		{"session_id", decode, hosts13, wire.Client, byteAt(wire.TypeClientHello, helloSession, 33)},
		{"cipher_suites", decode, hosts13, wire.Client, clientHello(func(m *wire.ClientHello) { m.CipherSuites = nil })},
		{"legacy_compression_methods", decode, hosts12, wire.Client, clientHello(func(m *wire.ClientHello) { m.CompressionMethods = nil })},
		illegal("leave out compression", hosts12, wire.Client, clientHello(func(m *wire.ClientHello) { m.CompressionMethods = []wire.CompressionMethod{0x40} })),
		{"session_id", decode, hosts13, wire.Server, byteAt(wire.TypeServerHello, helloSession, 33)},
		illegal("picked a compression", hosts12, wire.Server, serverHello(func(m *wire.ServerHello) { m.CompressionMethod = 0xff })),
		{"legacy_compression_method", decode, hosts13, wire.Server, serverHello(func(m *wire.ServerHello) { m.CompressionMethod = 0xff })},
		illegal("no cipher suite in common", hosts12, wire.Server, serverHello(func(m *wire.ServerHello) { m.CipherSuite = 0x1234 })),
		illegal("no cipher suite in common", hosts13, wire.Server, serverHello(func(m *wire.ServerHello) { m.CipherSuite = 0x1234 })),
		illegal("curve_type", hosts12, wire.Server, byteAt(wire.TypeServerKeyExchange, 0, 1)),
		illegal("curve_type", hosts12, wire.Server, byteAt(wire.TypeServerKeyExchange, 0, 2)),
		illegal("curve_type", only(wire.TLS10, suites(wire.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA)), wire.Server, byteAt(wire.TypeServerKeyExchange, 0, 0)),
		illegal("curve_type", exchange(wire.TLS_ECDH_anon_WITH_AES_128_CBC_SHA), wire.Server, byteAt(wire.TypeServerKeyExchange, 0, 4)),
		illegal("no group in common", hosts12, wire.Server, byteAt(wire.TypeServerKeyExchange, 1, 0x12)),
		{"point", decode, hosts12, wire.Server, byteAt(wire.TypeServerKeyExchange, 3, 0)},
		illegal("no signature scheme in common", hosts12, wire.Server, change(func(m *wire.ServerKeyExchange) { m.Scheme = 0x1234 })),
		illegal("status_type", only(wire.TLS12, stapled), wire.Server, byteAt(wire.TypeCertificateStatus, 0, 0)),
		illegal("status_type", only(wire.TLS12, chainStapled), wire.Server, byteAt(wire.TypeCertificateStatus, 0, 3)),
		{"ocsp_response_list", decode, only(wire.TLS12, chainStapled), wire.Server, raw(wire.TypeCertificateStatus, func([]byte) []byte { return []byte{2, 0, 0, 0} })},
		{"ocsp_response", decode, only(wire.TLS12, chainStapled), wire.Server, raw(wire.TypeCertificateStatus, func([]byte) []byte { return []byte{2, 0, 0, 2, 0, 0} })},
		{"ocsp_response", decode, only(wire.TLS12, stapled), wire.Server, raw(wire.TypeCertificateStatus, func([]byte) []byte { return []byte{1, 0, 0, 0} })},
		{"certificate_types", decode, hostsAuth12, wire.Server, change(func(m *wire.CertificateRequest) { m.CertificateTypes = nil })},
		{"supported_signature_algorithms", decode, hostsAuth12, wire.Server, change(func(m *wire.CertificateRequest) { m.SignatureSchemes = nil })},
		illegal("no signature scheme in common", hosts13, wire.Server, change(func(m *wire.CertificateVerify) { m.Scheme = 0x1234 })),
		illegal("no signature scheme in common", hostsAuth12, wire.Client, change(func(m *wire.CertificateVerify) { m.Scheme = 0x1234 })),
		{"does not parse", decode, hosts12, wire.Server, grow(wire.TypeServerHelloDone, 1)},
	}
	for _, v := range []wire.Version{wire.SSL30, wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13} {
		hosts := only(v)
		if v < wire.TLS12 {
			hosts = hostsOld(v)
		}
		for _, by := range []wire.Role{wire.Client, wire.Server} {
			for _, n := range []int{-1, 1, -12, 4, 32} {
				list = append(list, offence{"", decode, hosts, by, grow(wire.TypeFinished, n)})
			}
		}
	}
	return list
}

func TestEveryFieldOfAMessage(t *testing.T) {
	for _, o := range fields() {
		t.Run(o.by.String()+"/"+o.rule, func(t *testing.T) {
			victim := o.commit(t)
			if victim.wants(t, o.alert); victim.err == nil || !strings.Contains(victim.err.Error(), o.rule) {
				t.Errorf("the error is %v; want one with %q", victim.err, o.rule)
			}
		})
	}
	for request, want := range map[string]wire.AlertCode{"\x02": illegalValue, "\xff": illegalValue, "": decode, "\x00\x00": decode} {
		l := connect(hosts13(t)).run().done(t)
		l.client.inject(t, wire.ContentHandshake, append([]byte{byte(wire.TypeKeyUpdate), 0, 0, byte(len(request))}, request...)...)
		l.run()
		l.server.wants(t, want)
	}
}
