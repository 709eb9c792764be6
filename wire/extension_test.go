package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A bodyCodec is a typed reader of an extension's body and, where there is one,
// its writer.
type bodyCodec struct {
	name string
	in   place
	ext  ExtensionType
	// copyOf reads a body and appends what it read to b.
	copyOf func(r *Reader, b []byte) []byte
	// lossy is set where the reader drops what nobody uses, and so the copy is
	// not the body.
	lossy bool
}

var bodyCodecs = []bodyCodec{
	// Names of unknown types are dropped; TestHostNameIsCopied holds the law for the others.
	{name: "server_name", in: inClientHello, ext: ExtServerName, lossy: true, copyOf: func(r *Reader, b []byte) []byte {
		return AppendServerName(b, ReadServerName(r))
	}},
	{name: "alpn", in: inClientHello, ext: ExtALPN, copyOf: func(r *Reader, b []byte) []byte {
		var names []string
		for _, p := range ReadALPN(r, nil) {
			names = append(names, string(p))
		}
		return AppendALPN(b, names...)
	}},
	{name: "status_request", in: inClientHello, ext: ExtStatusRequest, lossy: true, copyOf: func(r *Reader, b []byte) []byte {
		ReadStatusRequest(r)
		return AppendStatusRequest(b)
	}},
	{name: "certificate_status", in: inCertificate, ext: ExtStatusRequest, copyOf: func(r *Reader, b []byte) []byte {
		var m CertificateStatus
		m.Parse(r, Context{Version: TLS13})
		return m.Append(b, Context{Version: TLS13})
	}},
	{name: "supported_groups", in: inClientHello, ext: ExtSupportedGroups, copyOf: func(r *Reader, b []byte) []byte {
		return AppendU16List(b, ReadSupportedGroups(r, nil))
	}},
	{name: "signature_algorithms", in: inClientHello, ext: ExtSignatureAlgorithms, copyOf: func(r *Reader, b []byte) []byte {
		return AppendU16List(b, ReadSignatureAlgorithms(r, nil))
	}},
	{name: "ec_point_formats", in: inClientHello, ext: ExtECPointFormats, copyOf: func(r *Reader, b []byte) []byte {
		return AppendU8List(b, ReadPointFormats(r))
	}},
	{name: "supported_versions", in: inClientHello, ext: ExtSupportedVersions, copyOf: func(r *Reader, b []byte) []byte {
		return AppendSupportedVersions(b, ReadSupportedVersions(r, nil))
	}},
	{name: "psk_key_exchange_modes", in: inClientHello, ext: ExtPSKKeyExchangeModes, copyOf: func(r *Reader, b []byte) []byte {
		return AppendU8List(b, ReadPSKModes(r, nil))
	}},
	{name: "cookie", in: inHelloRetryRequest, ext: ExtCookie, copyOf: func(r *Reader, b []byte) []byte {
		return AppendCookie(b, ReadCookie(r))
	}},
	{name: "renegotiation_info", in: inClientHello, ext: ExtRenegotiationInfo, copyOf: func(r *Reader, b []byte) []byte {
		return AppendRenegotiationInfo(b, ReadRenegotiationInfo(r))
	}},
	{name: "certificate_authorities", in: inCertificateRequest, ext: ExtCertificateAuthorities, copyOf: func(r *Reader, b []byte) []byte {
		return AppendAuthorities(b, ReadAuthorities(r, 3, nil))
	}},
	{name: "signed_certificate_timestamp", in: inCertificate, ext: ExtSCT, copyOf: func(r *Reader, b []byte) []byte {
		return AppendSCTs(b, ReadSCTs(r, nil))
	}},
	{name: "key_share of a client", in: inClientHello, ext: ExtKeyShare, copyOf: func(r *Reader, b []byte) []byte {
		return AppendKeyShares(b, ReadKeyShares(r, nil))
	}},
	{name: "key_share of a server", in: inServerHello, ext: ExtKeyShare, copyOf: func(r *Reader, b []byte) []byte {
		return AppendKeyShare(b, ReadKeyShare(r))
	}},
	{name: "max_fragment_length", in: inClientHello, ext: ExtMaxFragmentLength, copyOf: func(r *Reader, b []byte) []byte {
		return AppendMaxFragmentLength(b, ReadMaxFragmentLength(r))
	}},
	{name: "record_size_limit", in: inClientHello, ext: ExtRecordSizeLimit, copyOf: func(r *Reader, b []byte) []byte {
		return AppendRecordSizeLimit(b, ReadRecordSizeLimit(r))
	}},
	{name: "post_handshake_auth", in: inClientHello, ext: ExtPostHandshakeAuth, copyOf: func(r *Reader, b []byte) []byte {
		empty(r)
		return b
	}},
	{name: "pre_shared_key", in: inClientHello, ext: ExtPreSharedKey, copyOf: func(r *Reader, b []byte) []byte {
		var o OfferedPSKs
		o.Read(r)
		return o.Append(b)
	}},
	{name: "client_certificate_type of a client", in: inClientHello, ext: ExtClientCertificateType, copyOf: func(r *Reader, b []byte) []byte {
		return AppendU8List(b, ReadCertificateTypes(r, nil))
	}},
	{name: "server_certificate_type of a server", in: inEncryptedExtensions, ext: ExtServerCertificateType, copyOf: func(r *Reader, b []byte) []byte {
		return append(b, byte(ReadCertificateType(r)))
	}},
	{name: "compress_certificate", in: inClientHello, ext: ExtCompressCertificate, copyOf: func(r *Reader, b []byte) []byte {
		return AppendCertificateCompressions(b, ReadCertificateCompressions(r, nil))
	}},
	{name: "ticket_request of a client", in: inClientHello, ext: ExtTicketRequest, copyOf: func(r *Reader, b []byte) []byte {
		return AppendTicketRequest(b, ReadTicketRequest(r))
	}},
	{name: "ticket_request of a server", in: inEncryptedExtensions, ext: ExtTicketRequest, copyOf: func(r *Reader, b []byte) []byte {
		return AppendTicketHint(b, ReadTicketHint(r))
	}},
	{name: "delegated_credential", in: inCertificate, ext: ExtDelegatedCredential, copyOf: func(r *Reader, b []byte) []byte {
		var d DelegatedCredential
		d.Read(r)
		return d.Append(b)
	}},
	{name: "status_request_v2", in: inClientHello, ext: ExtStatusRequestV2, lossy: true, copyOf: func(r *Reader, b []byte) []byte {
		ReadStatusRequestV2(r)
		return AppendStatusRequestV2(b)
	}},
}

// checkBody checks the laws for one body read by one codec.
func checkBody(t testing.TB, c bodyCodec, body []byte) error {
	t.Helper()
	r := NewReader(body, nil)
	copied := c.copyOf(&r, nil)
	err := r.Finish(c.name)
	checkSyntaxError(t, err, len(body))

	rec := new(Recorder)
	r = NewReader(body, rec)
	c.copyOf(&r, nil)
	recorded := r.Finish(c.name)
	checkSpans(t, rec.Spans, 0, len(body))
	if fmt.Sprint(err) != fmt.Sprint(recorded) {
		t.Errorf("%s: %v, with a recorder %v", c.name, err, recorded)
	}
	if err == nil && !c.lossy && !bytes.Equal(copied, body) {
		t.Errorf("%s: read %x, wrote %x", c.name, body, copied)
	}
	return err
}

// extensionsOf lists the extensions of every golden with their places.
func extensionsOf(t testing.TB, f func(golden, place, Extension)) {
	for _, message := range goldenNames() {
		for _, g := range goldens(t, message) {
			m, err := DecodeMessage(g.raw, g.ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			each := func(in place, x Extensions) {
				for i := range x {
					f(g, in, x[i])
				}
			}
			switch m := m.(type) {
			case *ClientHello:
				each(inClientHello, m.Extensions)
			case *ServerHello:
				if m.IsRetry() {
					each(inHelloRetryRequest, m.Extensions)
				} else {
					each(inServerHello, m.Extensions)
				}
			case *EncryptedExtensions:
				each(inEncryptedExtensions, m.Extensions)
			case *Certificate:
				for _, e := range m.Entries {
					each(inCertificate, e.Extensions)
				}
			case *CertificateRequest:
				each(inCertificateRequest, m.Extensions)
			case *NewSessionTicket:
				each(inNewSessionTicket, m.Extensions)
			}
		}
	}
}

// handmade are bodies that no golden has.
var handmade = map[string][]byte{
	"signed_certificate_timestamp": {0, 7, 0, 2, 1, 2, 0, 1, 3},
	"ticket_request of a client":   {2, 1},
	"ticket_request of a server":   {3},
	"status_request_v2":            {0, 20, 2, 0, 6, 0, 2, 7, 7, 0, 0, 99, 0, 1, 9, 1, 0, 4, 0, 0, 0, 0},
}

// Every typed reader reads the bodies of real peers, and every truncation and
// extension of one is an error.
func TestExtensionBodies(t *testing.T) {
	tried := map[string]int{}
	try := func(c bodyCodec, body []byte) {
		tried[c.name]++
		if err := checkBody(t, c, body); err != nil {
			t.Errorf("%s: %v in %x", c.name, err, body)
		}
		for n := range body {
			if checkBody(t, c, body[:n:n]) == nil {
				t.Errorf("%s: %x cut at %d was accepted", c.name, body, n)
			}
		}
		if checkBody(t, c, append(bytes.Clone(body), 0)) == nil {
			t.Errorf("%s: %x with a byte more was accepted", c.name, body)
		}
	}
	extensionsOf(t, func(_ golden, in place, x Extension) {
		for _, c := range bodyCodecs {
			if c.ext == x.Type && c.in == in {
				try(c, x.Data)
			}
		}
	})
	for _, c := range bodyCodecs {
		if body := handmade[c.name]; body != nil {
			try(c, body)
		}
		if tried[c.name] == 0 {
			t.Errorf("%s: no body to try", c.name)
		}
	}
}

func TestExtensionBodiesAreRefused(t *testing.T) {
	for name, bodies := range map[string][]string{
		"server_name":            {"\x00\x00", "\x00\x03\x00\x00\x00", "\x00\x03\x01\x00\x01", "\x00\x08\x00\x00\x01a\x00\x00\x01b"},
		"alpn":                   {"\x00\x00", "\x00\x01\x00", "\x00\x02\x02a"},
		"supported_groups":       {"\x00\x00", "\x00\x01\x00", "\x00\x03\x00\x1d\x00"},
		"signature_algorithms":   {"\x00\x00", "\x00\x03\x04\x03\x08"},
		"supported_versions":     {"\x00", "\x01\x03", "\x03\x03\x04\x03"},
		"psk_key_exchange_modes": {"\x00"},
		"ec_point_formats":       {"\x00"},
		"cookie":                 {"\x00\x00"},
		"certificate_status":     {"\x01\x00\x00\x00", "\x02\x00\x00\x01a", "\x02\x00\x00\x04\x00\x00\x01a"},
		"status_request_v2":      {"\x00\x00", "\x00\x03\x02\x00\x00", "\x00\x03\x02\x00\x01", "\x00\x08\x02\x00\x05\x00\x00\x00\x00\x00", "\x00\x02\x63\x00"},
		"certificate_authorities": {
			"\x00\x00", "\x00\x02\x00\x00"},
		"key_share of a client": {"\x00\x04\x00\x1d\x00\x00"},
		"key_share of a server": {"\x00\x1d\x00\x00"},
		"pre_shared_key": {"\x00\x00\x00\x00", "\x00\x07\x00\x01a\x00\x00\x00\x00\x00\x00",
			"\x00\x07\x00\x01a\x00\x00\x00\x00\x00\x20\x1f" + strings.Repeat("b", 31),
			"\x00\x07\x00\x01a\x00\x00\x00\x00\x00\x41\x20" + strings.Repeat("b", 32) + "\x1f" + strings.Repeat("b", 31)},
		"signed_certificate_timestamp": {"\x00\x00", "\x00\x02\x00\x00"},
	} {
		for _, c := range bodyCodecs {
			if c.name != name {
				continue
			}
			for _, body := range bodies {
				if checkBody(t, c, []byte(body)) == nil {
					t.Errorf("%s: %x was accepted", name, body)
				}
			}
		}
	}
}

// FuzzExtensions feeds a body to the typed reader that the first argument
// selects and, as an extension of each message, to the recorder's grammars.
func FuzzExtensions(f *testing.F) {
	for i, c := range bodyCodecs {
		if body := handmade[c.name]; body != nil {
			f.Add(uint8(i), uint16(c.ext), body)
		}
		added := 0
		extensionsOf(f, func(_ golden, in place, x Extension) {
			if c.ext == x.Type && c.in == in && added < 3 {
				f.Add(uint8(i), uint16(c.ext), x.Data)
				added++
			}
		})
	}
	f.Fuzz(func(t *testing.T, codec uint8, ext uint16, body []byte) {
		if len(body) > 0xffff-4 {
			return
		}
		checkBody(t, bodyCodecs[int(codec)%len(bodyCodecs)], body)
		vector := appendExtensions(nil, Extensions{{ExtensionType(ext), body}})
		for in := inClientHello; in != 0 && in <= inNewSessionTicket; in <<= 1 {
			rec := new(Recorder)
			r := NewReader(vector, rec)
			x := readExtensions(&r, in, nil)
			if err := r.Finish("extensions"); err != nil || len(x) != 1 || !bytes.Equal(x[0].Data, body) {
				t.Errorf("place %b: %v, %v", in, x, err)
			}
			checkSpans(t, rec.Spans, 0, len(vector))
		}
	})
}

func TestHostNameIsCopied(t *testing.T) {
	for _, host := range []string{"a", "example.com", strings.Repeat("x", 255)} {
		body := AppendServerName(nil, host)
		r := NewReader(body, nil)
		if got := ReadServerName(&r); got != host || r.Finish("server_name") != nil || !bytes.Equal(AppendServerName(nil, got), body) {
			t.Errorf("%q is read as %q", host, got)
		}
	}
}

func TestRepeatedExtensions(t *testing.T) {
	for _, n := range []int{2, 3, 32, 33, 34, 100, 5000} {
		list := make(Extensions, n)
		for i := range list {
			list[i] = Extension{Type: ExtensionType(i + 1)}
		}
		read := func() error {
			r := NewReader(appendExtensions(nil, list), nil)
			readExtensions(&r, inClientHello, nil)
			return r.Finish("extensions")
		}
		if err := read(); err != nil {
			t.Errorf("%d different ones: %v", n, err)
		}
		for _, at := range []int{1, n / 2, n - 1} {
			kept := list[at].Type
			list[at].Type = list[0].Type
			var s *SyntaxError
			if err := read(); at > 0 && (!errors.As(err, &s) || s.Field != list[0].Type.fieldName() || s.Offset != 2+4*(at+1)) {
				t.Errorf("%d, number %d repeats the first: %v", n, at, err)
			}
			list[at].Type = kept
		}
	}
}

func TestRepeatedExtensionsInEveryMessage(t *testing.T) {
	twice := Extensions{{Type: ExtCookie}, {Type: ExtPadding}, {Type: ExtCookie}}
	c := Context{Version: TLS13}
	random, entry := make([]byte, 32), CertificateEntry{DER: []byte{1}, Extensions: twice}
	for _, m := range []Message{
		&ClientHello{Random: random, CipherSuites: []CipherSuite{1}, CompressionMethods: []CompressionMethod{0}, Extensions: twice},
		&ServerHello{Random: random, Extensions: twice},
		&EncryptedExtensions{Extensions: twice},
		&Certificate{Entries: []CertificateEntry{entry}},
		&CertificateRequest{Extensions: twice},
		&NewSessionTicket{Ticket: []byte{1}, Extensions: twice},
	} {
		_, err := checkLaws(t, AppendMessage(nil, m, c), c)
		if s := (*SyntaxError)(nil); !errors.As(err, &s) || s.Field != "cookie" || !strings.Contains(s.Reason, "twice") {
			t.Errorf("%v: %v", m.Type(), err)
		}
	}
}

// As many extensions as a message holds take time in proportion to their
// number: a peer must not buy seconds of ours with one hello.
func TestManyExtensionsAreCheap(t *testing.T) {
	m := decode[*ClientHello](t, "ClientHello", "rfc8448-3")
	best := func(count int) time.Duration {
		list := make(Extensions, count)
		for i := range list {
			list[i].Type = ExtensionType(i)
		}
		m.Extensions = list
		body := m.Append(nil, Context{})
		best := time.Hour
		for range 7 {
			start := time.Now()
			if err := Decode(m, body, Context{}, nil); err != nil {
				t.Fatal(err)
			}
			best = min(best, time.Since(start))
		}
		return best
	}
	const most = 0xffff / 4
	few, many := best(most/16), best(most)
	if many > 80*few { // in proportion it is 16 times as long, by the square 256 times
		t.Errorf("%d extensions took %v, and %d %v", most/16, few, most, many)
	}
}

func TestExtensionsRead(t *testing.T) {
	x := Extensions{{ExtCookie, []byte{0, 1, 9}}, {ExtALPN, []byte{0, 9}}, {ExtSupportedGroups, []byte{0, 2, 0, 29, 7}}}
	var cookie []byte
	if found, err := x.Read(ExtCookie, func(r *Reader) { cookie = ReadCookie(r) }); !found || err != nil || len(cookie) != 1 {
		t.Error(found, err, cookie)
	}
	if found, err := x.Read(ExtKeyShare, func(*Reader) { t.Error("an absent extension was read") }); found || err != nil {
		t.Error(found, err)
	}
	if found, err := x.Read(ExtALPN, func(r *Reader) { ReadALPN(r, nil) }); !found || err == nil {
		t.Error("a malformed body was accepted")
	}
	_, err := x.Read(ExtSupportedGroups, func(r *Reader) { ReadSupportedGroups(r, nil) })
	if s := (*SyntaxError)(nil); !errors.As(err, &s) || s.Field != "supported_groups" || s.Offset != 4 {
		t.Errorf("a byte too many: %v", err)
	}
	if !x.Has(ExtCookie) || x.Has(ExtKeyShare) {
		t.Error("Has")
	}
}
