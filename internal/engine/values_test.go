package engine

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// Every field of every extension, on both sides and in each version: which alert a
// body gets that does not parse, which a value that is not allowed, and what is taken.
// RFC 8446 §6.2, RFC 5246 §7.2.2.

const (
	taken         wire.AlertCode = 0 // no fault is found with it
	decode                       = wire.AlertDecodeError
	illegalValue                 = wire.AlertIllegalParameter
	unknownAnswer                = wire.AlertUnsupportedExtension
)

// bodies are some bodies of one extension. In TLS 1.3 the alert is that of alert13.
type bodies struct {
	t       wire.ExtensionType
	alert   wire.AlertCode
	alert13 wire.AlertCode
	list    []string
}

func all(t wire.ExtensionType, alert wire.AlertCode, list ...string) bodies {
	return bodies{t, alert, alert, list}
}

// pair, of two host_names and the like, to keep the rows short.
const (
	hostA, hostB = "\x00\x00\x01a", "\x00\x00\x01b"
	aShare       = "\x00\x17\x00\x01\x04" // too short to be one
)

// offered are the bodies of a ClientHello.
var offered = []bodies{
	all(wire.ExtServerName, decode, "", "\x00", "\x00\x00", "\x00\x03\x00\x00\x00", "\x00\x04\x00\x00\x02a", "\x00\x04"+hostA+"\x00", "\x00\x05"+hostA+"\x00"),
	all(wire.ExtServerName, illegalValue, "\x00\x08"+hostA+hostB, "\x00\x08"+hostA+hostA, "\x00\x0c"+hostA+"\x01\x00\x01c"+hostB),
	all(wire.ExtServerName, taken, "\x00\x04"+hostA, "\x00\x04\x01\x00\x01a", "\x00\x03\xff\x00\x00", "\x00\x08\x01\x00\x01x"+hostA, "\x00\x08"+hostA+"\x01\x00\x01x"),
	all(wire.ExtMaxFragmentLength, decode, "", "\x01\x01", "\x05\x05", "\x00\x00"),
	all(wire.ExtMaxFragmentLength, illegalValue, "\x00", "\x05", "\x06", "\xff"),
	all(wire.ExtMaxFragmentLength, taken, "\x01", "\x02", "\x03", "\x04"),
	all(wire.ExtStatusRequest, decode, "", "\x01", "\x01\x00\x00\x00", "\x01\x00\x01\x00\x00", "\x01\x00\x00\x00\x00\x00"),
	all(wire.ExtStatusRequest, taken, "\x01\x00\x00\x00\x00", "\x00", "\x02", "\x02\x01\x02\x03", "\xff"),
	{wire.ExtStatusRequestV2, decode, taken, []string{"", "\x00\x00", "\x00\x03\x02\x00\x00", "\x00\x03\x02\x00\x01", "\x00\x08\x02\x00\x05\x00\x00\x00\x00\x00", "\x00\x03\x63\x00\x00\x00"}},
	all(wire.ExtStatusRequestV2, taken, "\x00\x07\x02\x00\x04\x00\x00\x00\x00", "\x00\x07\x01\x00\x04\x00\x00\x00\x00", "\x00\x03\x63\x00\x00", "\x00\x0e\x02\x00\x04\x00\x00\x00\x00\x02\x00\x04\x00\x00\x00\x00"),
	all(wire.ExtSupportedGroups, decode, "", "\x00", "\x00\x00", "\x00\x01\x00", "\x00\x03\x00\x17\x00", "\x00\x04\x00\x17", "\x00\x02\x00\x17\x00"),
	all(wire.ExtSupportedGroups, taken, "\x00\x04\x00\x17\x12\x34", "\x00\x08\x12\x34\x00\x17\xff\xff\x00\x00"),
	all(wire.ExtECPointFormats, decode, "", "\x00", "\x01", "\x01\x00\x00", "\x02\x00"),
	{wire.ExtECPointFormats, illegalValue, taken, []string{"\x01\x01", "\x02\x01\x02", "\x01\xff"}},
	all(wire.ExtECPointFormats, taken, "\x01\x00", "\x03\x01\x02\x00", "\x02\xff\x00"),
	all(wire.ExtSignatureAlgorithms, decode, "", "\x00", "\x00\x00", "\x00\x01\x04", "\x00\x03\x04\x03\x08", "\x00\x02\x04\x03\x00"),
	all(wire.ExtSignatureAlgorithms, taken, "\x00\x06\x04\x03\x04\x01\x12\x34", "\x00\x08\xff\xff\x00\x00\x04\x01\x04\x03"),
	all(wire.ExtSignatureAlgsCert, decode, "", "\x00\x00", "\x00\x01\x04", "\x00\x03\x04\x03\x08", "\x00\x02\x04\x03\x00"),
	all(wire.ExtSignatureAlgsCert, taken, "\x00\x02\x04\x03", "\x00\x02\x12\x34"),
	all(wire.ExtALPN, decode, "", "\x00\x00", "\x00\x01\x00", "\x00\x04\x00\x02h2", "\x00\x03\x03h2", "\x00\x03\x02h2\x00", "\x00\x04\x02h2\x00"),
	all(wire.ExtALPN, taken, "\x00\x03\x02h2", "\x00\x06\x02h2\x02h3", "\x00\x06\x02h2\x02h2"),
	all(wire.ExtSCT, decode, "\x00"),
	all(wire.ExtSCT, taken, ""),
	all(wire.ExtClientCertificateType, decode, "", "\x02\x00", "\x01\x02\x00"),
	all(wire.ExtClientCertificateType, illegalValue, "\x00", "\x01\x00"),
	all(wire.ExtClientCertificateType, taken, "\x01\x02", "\x02\x07\x02"), // nobody asks for its certificate
	all(wire.ExtServerCertificateType, decode, "", "\x02\x00", "\x01\x02\x00"),
	all(wire.ExtServerCertificateType, illegalValue, "\x00", "\x01\x00"),
	all(wire.ExtServerCertificateType, wire.AlertUnsupportedCertificate, "\x01\x02", "\x02\x07\x02"),
	all(wire.ExtServerCertificateType, taken, "\x02\x02\x00", "\x02\x00\x07"),
	all(wire.ExtCompressCertificate, decode, "", "\x00", "\x01\x00", "\x03\x00\x01\x00", "\x02\x00\x01\x00", "\x04\x00\x01\x00\x01"),
	all(wire.ExtCompressCertificate, taken, "\x02\x00\x01", "\x04\x00\x07\x12\x34"),
	all(wire.ExtTicketRequest, decode, "", "\x01", "\x01\x02\x03"),
	all(wire.ExtTicketRequest, taken, "\x00\x00", "\x01\x02", "\xff\xff"),
	all(wire.ExtDelegatedCredential, decode, "", "\x00\x00", "\x00\x01\x04", "\x00\x03\x04\x03\x08", "\x00\x02\x04\x03\x00"),
	all(wire.ExtDelegatedCredential, taken, "\x00\x02\x04\x03", "\x00\x02\x12\x34"),
	all(wire.ExtPadding, taken, "", "\x00\x00", "\x01\x02"),
	all(wire.ExtEncryptThenMAC, decode, "\x00"),
	all(wire.ExtEncryptThenMAC, taken, ""),
	all(wire.ExtExtendedMasterSecret, decode, "\x00"),
	all(wire.ExtExtendedMasterSecret, taken, ""),
	all(wire.ExtRecordSizeLimit, decode, "", "\x40", "\x00\x40\x00", "\x00\x00\x00"),
	all(wire.ExtRecordSizeLimit, illegalValue, "\x00\x00", "\x00\x3f"),
	all(wire.ExtRecordSizeLimit, taken, "\x00\x40", "\x40\x01", "\xff\xff"),
	all(wire.ExtSessionTicket, taken, "", "\x00", "a ticket of somebody"),
	all(wire.ExtEarlyData, decode, "\x00", "\x00\x00\x00\x00"),
	all(wire.ExtEarlyData, taken, ""),
	all(wire.ExtSupportedVersions, decode, "", "\x00", "\x01\x03", "\x03\x03\x04\x03", "\x02\x03", "\x02\x03\x04\x00"),
	all(wire.ExtSupportedVersions, wire.AlertProtocolVersion, "\x02\x12\x34", "\x02\x03\x05", "\x02\x02\x00"),
	all(wire.ExtCookie, decode, "", "\x00", "\x00\x00", "\x00\x02\x01", "\x00\x01\x01\x00"),
	all(wire.ExtCookie, taken, "\x00\x01\x01"),
	all(wire.ExtPSKKeyExchangeModes, decode, "", "\x00", "\x01", "\x01\x01\x00", "\x02\x01"),
	all(wire.ExtPSKKeyExchangeModes, taken, "\x01\x01", "\x01\x00", "\x01\x07", "\x02\xff\x01"),
	all(wire.ExtCertificateAuthorities, decode, "", "\x00\x00", "\x00\x02\x00\x00", "\x00\x03\x00\x02\x30", "\x00\x03\x00\x01\x30\x00"),
	all(wire.ExtCertificateAuthorities, taken, "\x00\x03\x00\x01\x30"),
	all(wire.ExtCertWithExternPSK, decode, "\x00"),
	{wire.ExtCertWithExternPSK, taken, illegalValue, []string{""}}, // there is no PSK beside
	all(wire.ExtPostHandshakeAuth, decode, "\x00"),
	all(wire.ExtPostHandshakeAuth, taken, ""),
	all(wire.ExtKeyShare, decode, "", "\x00", "\x00\x01\x00", "\x00\x04\x00\x17\x00\x00", "\x00\x05\x00\x17\x00\x02\x04", "\x00\x05"+aShare+"\x00"),
	{wire.ExtKeyShare, taken, illegalValue, []string{"\x00\x05" + aShare, "\x00\x0a" + aShare + aShare}},
	all(wire.ExtKeyShare, taken, "\x00\x00", "\x00\x05\x12\x34\x00\x01\x04"),
	{wire.ExtPreSharedKey, taken, decode, []string{"", "\x00\x00\x00\x00", "\x00\x07\x00\x01a\x00\x00\x00\x00", "\x00\x07\x00\x01a\x00\x00\x00\x00\x00\x20\x1f" + strings.Repeat("b", 31),
		"\x00\x07\x00\x01a\x00\x00\x00\x00\x00\x21\x20" + strings.Repeat("b", 32) + "\x00", "\x00\x06\x00\x00\x00\x00\x00\x00\x00\x21\x20" + strings.Repeat("b", 32)}},
	{wire.ExtPreSharedKey, taken, illegalValue, []string{"\x00\x07\x00\x01a\x00\x00\x00\x00\x00\x42" + strings.Repeat("\x20"+strings.Repeat("b", 32), 2)}},
	all(wire.ExtPreSharedKey, taken, "\x00\x07\x00\x01a\x00\x00\x00\x00\x00\x21\x20"+strings.Repeat("b", 32)),
	all(wire.ExtRenegotiationInfo, decode, "", "\x01", "\x00\x00", "\x01\x01\x01"),
	all(wire.ExtRenegotiationInfo, wire.AlertHandshakeFailure, "\x01\x01"),
	all(wire.ExtRenegotiationInfo, taken, "\x00"),
	all(0x1234, taken, "", "\x00", "anything"),
}

// answered are the bodies of a server's answers, in the ServerHello up to TLS 1.2 and
// then in EncryptedExtensions, where all that can be has been asked for.
var answered = []bodies{
	all(wire.ExtServerName, decode, "\x00", "\x00\x04"+hostA),
	all(wire.ExtServerName, taken, ""),
	{wire.ExtSupportedGroups, taken, decode, []string{"", "\x00\x00", "\x00\x01\x00", "\x00\x03\x00\x17\x00", "\x00\x02\x00\x17\x00"}},
	all(wire.ExtSupportedGroups, taken, "\x00\x02\x00\x17", "\x00\x02\x12\x34"),
	{wire.ExtECPointFormats, decode, illegalValue, []string{"", "\x00", "\x01", "\x01\x00\x00"}},
	all(wire.ExtECPointFormats, illegalValue, "\x01\x01", "\x02\x01\x02"),
	{wire.ExtECPointFormats, taken, illegalValue, []string{"\x01\x00", "\x02\x01\x00"}},
	{wire.ExtExtendedMasterSecret, decode, illegalValue, []string{"\x00"}},
	{wire.ExtExtendedMasterSecret, taken, illegalValue, []string{""}},
	{wire.ExtEncryptThenMAC, decode, illegalValue, []string{"\x00"}},
	all(wire.ExtEncryptThenMAC, illegalValue, ""), // with an AEAD
	{wire.ExtRenegotiationInfo, decode, illegalValue, []string{"", "\x01", "\x00\x00", "\x01\x01\x01"}},
	{wire.ExtRenegotiationInfo, wire.AlertHandshakeFailure, illegalValue, []string{"\x01\x01"}},
	{wire.ExtRenegotiationInfo, taken, illegalValue, []string{"\x00"}},
	{wire.ExtSessionTicket, decode, illegalValue, []string{"\x00"}},
	{wire.ExtSessionTicket, taken, illegalValue, []string{""}},
	all(wire.ExtALPN, decode, "", "\x00\x00", "\x00\x01\x00", "\x00\x03\x03h2", "\x00\x03\x02h2\x00", "\x00\x03\x02h3\x00"),
	all(wire.ExtALPN, illegalValue, "\x00\x03\x02h3", "\x00\x06\x02h2\x02h2", "\x00\x06\x02h2\x02h3"),
	all(wire.ExtALPN, taken, "\x00\x03\x02h2"),
	{wire.ExtStatusRequest, decode, illegalValue, []string{"\x00", "\x01\x00\x00\x00\x00"}},
	all(wire.ExtStatusRequestV2, unknownAnswer, ""),
	{wire.ExtSCT, decode, illegalValue, []string{"", "\x00\x00", "\x00\x02\x00\x00", "\x00\x03\x00\x02\x01", "\x00\x03\x00\x01\x01\x00"}},
	{wire.ExtSCT, taken, illegalValue, []string{"\x00\x03\x00\x01\x01"}},
	all(wire.ExtMaxFragmentLength, decode, "", "\x02\x02", "\x09\x09"),
	all(wire.ExtMaxFragmentLength, illegalValue, "\x00", "\x01", "\x05", "\xff"),
	all(wire.ExtMaxFragmentLength, taken, "\x02"),
	all(wire.ExtRecordSizeLimit, decode, "", "\x00", "\x40", "\x00\x3f\x00", "\x04\x00\x00"),
	all(wire.ExtRecordSizeLimit, illegalValue, "\x00\x00", "\x00\x3f"),
	all(wire.ExtRecordSizeLimit, taken, "\x00\x40", "\xff\xff"),
	all(wire.ExtSignatureAlgorithms, illegalValue, "", "\x00\x02\x04\x03"),
	{wire.ExtPSKKeyExchangeModes, unknownAnswer, illegalValue, []string{"\x01\x01"}},
	{wire.ExtKeyShare, unknownAnswer, illegalValue, []string{"", aShare}},
	{wire.ExtSupportedVersions, 0, illegalValue, nil}, // up to TLS 1.2 it stands for TLS 1.3
	all(wire.ExtSignatureAlgsCert, unknownAnswer, "\x00\x02\x04\x03"),
	all(wire.ExtCertificateAuthorities, unknownAnswer, "\x00\x03\x00\x01\x30"),
	all(wire.ExtCertWithExternPSK, unknownAnswer, ""),
	all(wire.ExtPostHandshakeAuth, unknownAnswer, ""),
	all(wire.ExtCookie, unknownAnswer, "\x00\x01\x01"),
	all(wire.ExtPreSharedKey, unknownAnswer, "\x00\x00"),
	all(wire.ExtEarlyData, unknownAnswer, ""),
	all(wire.ExtClientCertificateType, unknownAnswer, "", "\x02"),
	all(wire.ExtServerCertificateType, unknownAnswer, "", "\x02"),
	all(wire.ExtCompressCertificate, unknownAnswer, "\x02\x00\x01"),
	{wire.ExtTicketRequest, unknownAnswer, decode, []string{"", "\x01\x02"}},
	{wire.ExtTicketRequest, unknownAnswer, taken, []string{"\x00", "\xff"}},
	all(wire.ExtDelegatedCredential, unknownAnswer, "\x00\x02\x04\x03"),
	all(wire.ExtPadding, unknownAnswer, "", "\x00"),
	all(0x1234, unknownAnswer, "", "\x00"),
}

// asksForAll has a client ask for all that it can.
func asksForAll(c, s *host) {
	tickets(c, s)
	c.config.ALPN, c.config.TicketRequest = []string{"h2"}, &wire.TicketRequest{NewSession: 1, Resumption: 1}
}

// verdict is the fault that s has found. That the sides have not seen the same, which
// is the rogue's doing, is none.
func (s *side) verdict() wire.AlertCode {
	code, sent := s.alertOf()
	if !sent || code == wire.AlertDecryptError || code == wire.AlertBadRecordMAC {
		return taken
	}
	return code
}

// put is set, with pre_shared_key in its place, which is the last.
func put(x *wire.Extensions, t wire.ExtensionType, body string) {
	without(x, t)
	if t == wire.ExtPreSharedKey {
		*x = append(*x, wire.Extension{Type: t, Data: []byte(body)})
		return
	}
	set(x, t, []byte(body)...)
}

func offering(t wire.ExtensionType, body string) edit {
	return clientHello(func(m *wire.ClientHello) {
		m.NoExtensions = false
		if t != wire.ExtPSKKeyExchangeModes && !m.Extensions.Has(wire.ExtPSKKeyExchangeModes) {
			put(&m.Extensions, wire.ExtPSKKeyExchangeModes, "\x01\x01")
		}
		put(&m.Extensions, t, body)
	})
}

func TestEveryBodyOfAClientHello(t *testing.T) {
	for _, v := range []wire.Version{wire.SSL30, wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13} {
		hosts := hostsOld(v)
		if v >= wire.TLS12 {
			hosts = only(v, asksForAll)
		}
		for _, row := range offered {
			want := row.alert
			switch {
			case v == wire.TLS13:
				want = row.alert13
			case v == wire.SSL30 && (want != decode || row.t == wire.ExtStatusRequestV2) && row.t != wire.ExtRenegotiationInfo && row.t != wire.ExtServerName && row.t != wire.ExtSupportedVersions &&
				!(want == illegalValue && (row.t == wire.ExtClientCertificateType || row.t == wire.ExtServerCertificateType)):
				want = taken // it knows no extensions: they are parsed, and mean nothing
			}
			for _, body := range row.list {
				victim := flow{hosts: hosts}.run(t, wire.Client, offering(row.t, body))
				if got := victim.verdict(); got != want {
					t.Errorf("%v, %v %q: sent %v for %v; want %v", v, row.t, body, got, victim.err, want)
				}
			}
		}
	}
	complete(t, "a ClientHello", offered)
}

var extensionNumber = regexp.MustCompile(`(?m)^\tExt\w+ +ExtensionType = (\w+)$`)

// complete fails the test where an extension that package wire has a number for lacks
// a row.
func complete(t *testing.T, what string, rows []bodies) {
	t.Helper()
	unread := []wire.ExtensionType{wire.ExtQUICParameters, wire.ExtECHOuterExtensions, wire.ExtEncryptedClientHello}
	text, err := os.ReadFile("../../wire/numbers.go")
	numbers := extensionNumber.FindAllSubmatch(text, -1)
	if err != nil || len(numbers) < 20 {
		t.Fatal(err, len(numbers))
	}
	for _, number := range numbers {
		n, err := strconv.ParseUint(string(number[1]), 0, 16)
		if err != nil {
			t.Fatal(err)
		}
		x := wire.ExtensionType(n)
		if !slices.Contains(unread, x) && !slices.ContainsFunc(rows, func(row bodies) bool { return row.t == x }) {
			t.Errorf("%v of %s has no row", x, what)
		}
	}
}

func TestEveryBodyOfAnAnswer(t *testing.T) {
	for _, v := range []wire.Version{wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13} {
		for _, row := range answered {
			change := []func(c, s *host){asksForAll}
			switch row.t { // a server answers one of them alone
			case wire.ExtMaxFragmentLength:
				change = append(change, limits(2, 0))
			case wire.ExtRecordSizeLimit:
				change = append(change, limits(0, 1000))
			}
			hosts := only(v, change...)
			want, answer := row.alert, says
			if v < wire.TLS12 {
				hosts = hostsOld(v, change...)
			}
			if v == wire.TLS13 { // of a client that asks for what is of TLS 1.2, too
				want, answer = row.alert13, says13
				hosts = both(append(change, func(_, s *host) { s.config.Versions = []wire.Version{wire.TLS13} })...)
			}
			for _, body := range row.list {
				if v < wire.TLS12 && (row.t == wire.ExtEncryptThenMAC && body == "" || row.t == wire.ExtSignatureAlgorithms || row.t == wire.ExtECPointFormats) {
					continue // CBC is what it is for; schemes have no names yet; and the suite has no curve
				}
				victim := flow{hosts: hosts}.run(t, wire.Server, answer(row.t, []byte(body)...))
				if got := victim.verdict(); got != want {
					t.Errorf("%v, %v %q: sent %v for %v; want %v", v, row.t, body, got, victim.err, want)
				}
			}
		}
	}
	complete(t, "an answer", answered)
}

// A client that sends both limits means record_size_limit, so whatever the other says
// is ignored. RFC 8449 §5.
func TestMaxFragmentLengthBesideRecordSizeLimit(t *testing.T) {
	for _, v := range []wire.Version{wire.TLS12, wire.TLS13} {
		victim := flow{hosts: only(v)}.run(t, wire.Client, clientHello(func(m *wire.ClientHello) {
			set(&m.Extensions, wire.ExtMaxFragmentLength, 9)
			set(&m.Extensions, wire.ExtRecordSizeLimit, 4, 0)
		}))
		if got := victim.verdict(); got != taken || victim.Result().SendLimit == 0 {
			t.Errorf("%v: sent %v for %v; the limit is %d", v, got, victim.err, victim.Result().SendLimit)
		}
	}
}

// A name of a type that a server does not know is not answered. RFC 6066 §3.
func TestUnknownTypesOfNames(t *testing.T) {
	for _, v := range []wire.Version{wire.TLS12, wire.TLS13} {
		for body, name := range map[string]string{"\x00\x04\x01\x00\x01x": "", "\x00\x08\x01\x00\x01x" + hostA: "a", "\x00\x08" + hostA + "\x01\x00\x01x": "a"} {
			c, s := only(v)(t)
			var answer wire.Extensions
			l := &link{client: newSide(wire.Client, c, offering(wire.ExtServerName, body)),
				server: newSide(wire.Server, s, change(func(m *wire.ServerHello) { answer = append(answer, m.Extensions...) }),
					change(func(m *wire.EncryptedExtensions) { answer = append(answer, m.Extensions...) }))}
			l.run()
			if got := l.server.Result().ServerName; got != name || answer.Has(wire.ExtServerName) != (name != "") || len(answer) == 0 {
				t.Errorf("%v, %q: the name is %q, the answer %v, %v", v, body, got, answer, fmt.Sprint(l.server.err))
			}
		}
	}
}
