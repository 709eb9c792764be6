package wire

// Extension is one extension as it stands in a message. RFC 8446 §4.2.
//
//	struct {
//	    ExtensionType extension_type;
//	    opaque extension_data<0..2^16-1>;
//	} Extension;
type Extension struct {
	Type ExtensionType
	Data []byte
}

// Extensions are in wire order; unknown ones are kept as they are.
type Extensions []Extension

// Find returns the body of the extension of type t.
func (x Extensions) Find(t ExtensionType) (data []byte, found bool) {
	for i := range x {
		if x[i].Type == t {
			return x[i].Data, true
		}
	}
	return nil, false
}

// Has reports whether an extension of type t is there.
func (x Extensions) Has(t ExtensionType) bool { _, ok := x.Find(t); return ok }

// Read finds the extension of type t and reads its body with f. It must be
// read whole; the error is a *SyntaxError.
func (x Extensions) Read(t ExtensionType, f func(*Reader)) (found bool, err error) {
	data, ok := x.Find(t)
	if !ok {
		return false, nil
	}
	r := NewReader(data, nil)
	f(&r)
	return true, r.Finish(t.String())
}

// place is the message an extension stands in; it selects the body's grammar.
type place uint8

const (
	inClientHello place = 1 << iota
	inServerHello
	inHelloRetryRequest
	inEncryptedExtensions
	inCertificate
	inCertificateRequest
	inNewSessionTicket
	anywhere place = 0xff
)

// grammar is how an extension's body reads in the given places.
type grammar struct {
	in   place
	ref  string
	read func(*Reader)
}

// grammars is used to show a body; the engine reads what it needs by the same
// functions through Extensions.Read.
var grammars = map[ExtensionType][]grammar{
	ExtServerName: {
		{inClientHello, "RFC 6066 §3", func(r *Reader) { ReadServerName(r) }},
		{anywhere, "RFC 6066 §3", empty}},
	ExtStatusRequest: {
		{inClientHello, "RFC 6066 §8", ReadStatusRequest},
		{inCertificate, "RFC 8446 §4.4.2.1", func(r *Reader) { new(CertificateStatus).Parse(r, Context{Version: TLS13}) }},
		{anywhere, "RFC 6066 §8", empty}},
	ExtStatusRequestV2: {
		{inClientHello, "RFC 6961 §2.2", func(r *Reader) { ReadStatusRequestV2(r) }},
		{anywhere, "RFC 6961 §2.2", empty}},
	ExtSupportedGroups:     {{anywhere, "RFC 8446 §4.2.7", func(r *Reader) { ReadSupportedGroups(r, nil) }}},
	ExtECPointFormats:      {{anywhere, "RFC 8422 §5.1.2", func(r *Reader) { ReadPointFormats(r) }}},
	ExtSignatureAlgorithms: {{anywhere, "RFC 8446 §4.2.3", func(r *Reader) { ReadSignatureAlgorithms(r, nil) }}},
	ExtSignatureAlgsCert:   {{anywhere, "RFC 8446 §4.2.3", func(r *Reader) { ReadSignatureAlgorithms(r, nil) }}},
	ExtALPN:                {{anywhere, "RFC 7301 §3.1", func(r *Reader) { ReadALPN(r, nil) }}},
	ExtSCT: {
		{inServerHello | inCertificate, "RFC 6962 §3.3", func(r *Reader) { ReadSCTs(r, nil) }},
		{anywhere, "RFC 6962 §3.3", empty}},
	ExtClientCertificateType: certificateTypeGrammar,
	ExtServerCertificateType: certificateTypeGrammar,
	ExtCompressCertificate:   {{anywhere, "RFC 8879 §3", func(r *Reader) { ReadCertificateCompressions(r, nil) }}},
	ExtDelegatedCredential: {
		{inCertificate, "RFC 9345 §4", func(r *Reader) { new(DelegatedCredential).Read(r) }},
		{anywhere, "RFC 9345 §4.1.1", func(r *Reader) { ReadSignatureAlgorithms(r, nil) }}},
	ExtPadding:              {{anywhere, "RFC 7685 §3", func(r *Reader) { r.Rest("padding") }}},
	ExtEncryptThenMAC:       {{anywhere, "RFC 7366 §2", empty}},
	ExtExtendedMasterSecret: {{anywhere, "RFC 7627 §5.1", empty}},
	ExtRecordSizeLimit:      {{anywhere, "RFC 8449 §4", func(r *Reader) { ReadRecordSizeLimit(r) }}},
	ExtMaxFragmentLength:    {{anywhere, "RFC 6066 §4", func(r *Reader) { ReadMaxFragmentLength(r) }}},
	ExtSessionTicket:        {{anywhere, "RFC 5077 §3.2", func(r *Reader) { r.Rest("ticket") }}},
	ExtPreSharedKey: {
		{inClientHello, "RFC 8446 §4.2.11", func(r *Reader) { new(OfferedPSKs).Read(r) }},
		{inServerHello, "RFC 8446 §4.2.11", func(r *Reader) { U16[uint16](r, "selected_identity") }}},
	ExtCertWithExternPSK: {{anywhere, "RFC 9973 §5", empty}},
	ExtEarlyData: {
		{inNewSessionTicket, "RFC 8446 §4.2.10", func(r *Reader) { r.U32("max_early_data_size") }},
		{anywhere, "RFC 8446 §4.2.10", empty}},
	ExtSupportedVersions: {
		{inClientHello, "RFC 8446 §4.2.1", func(r *Reader) { ReadSupportedVersions(r, nil) }},
		{anywhere, "RFC 8446 §4.2.1", func(r *Reader) { U16[Version](r, "selected_version") }}},
	ExtCookie:                 {{anywhere, "RFC 8446 §4.2.2", func(r *Reader) { ReadCookie(r) }}},
	ExtPSKKeyExchangeModes:    {{anywhere, "RFC 8446 §4.2.9", func(r *Reader) { ReadPSKModes(r, nil) }}},
	ExtCertificateAuthorities: {{anywhere, "RFC 8446 §4.2.4", func(r *Reader) { ReadAuthorities(r, 3, nil) }}},
	ExtPostHandshakeAuth:      {{anywhere, "RFC 8446 §4.2.6", empty}},
	ExtKeyShare: {
		{inClientHello, "RFC 8446 §4.2.8", func(r *Reader) { ReadKeyShares(r, nil) }},
		{inServerHello, "RFC 8446 §4.2.8", func(r *Reader) { ReadKeyShare(r) }},
		{inHelloRetryRequest, "RFC 8446 §4.2.8", func(r *Reader) { U16[NamedGroup](r, "selected_group") }}},
	ExtTicketRequest: {
		{inClientHello, "RFC 9149 §3", func(r *Reader) { ReadTicketRequest(r) }},
		{anywhere, "RFC 9149 §3", func(r *Reader) { ReadTicketHint(r) }}},
	ExtQUICParameters: {{anywhere, "RFC 9001 §8.2", func(r *Reader) { ReadQUICParameters(r, nil) }}},
	ExtEncryptedClientHello: {
		{inClientHello, "RFC 9849 §5", func(r *Reader) { new(ECHClientHello).Read(r) }},
		{inHelloRetryRequest, "RFC 9849 §5", func(r *Reader) { ReadECHConfirmation(r) }},
		{inEncryptedExtensions, "RFC 9849 §5", func(r *Reader) { ReadECHRetryConfigs(r) }}},
	ExtECHOuterExtensions: {{inClientHello, "RFC 9849 §5.1", func(r *Reader) { ReadECHOuterExtensions(r, nil) }}},
	ExtRenegotiationInfo:  {{anywhere, "RFC 5746 §3.2", func(r *Reader) { ReadRenegotiationInfo(r) }}},
}

func empty(*Reader) {}

var certificateTypeGrammar = []grammar{
	{inClientHello, "RFC 7250 §3", func(r *Reader) { ReadCertificateTypes(r, nil) }},
	{anywhere, "RFC 7250 §3", func(r *Reader) { ReadCertificateType(r) }},
}

// readExtensions reads the vector, appending to dst. An extension that stands
// twice is an error (RFC 8446 §4.2).
func readExtensions(r *Reader, in place, dst Extensions) Extensions {
	m := r.Open("extensions", 2, 0, 0xffff)
	var seen extensionSet
	for r.More() {
		x := readExtension(r, in)
		if r.err == nil && seen.add(dst, x.Type) {
			r.Fail(x.Type.fieldName(), "the extension stands twice")
		}
		dst = append(dst, x)
	}
	r.Close("extensions", m)
	return dst
}

// extensionSet finds repeated types. A scan is fastest for what a sane peer
// sends; beyond that a set keeps the cost linear in the message's size.
type extensionSet struct{ types map[ExtensionType]bool }

// add reports whether t is in list already; list has grown by one at each call.
func (s *extensionSet) add(list Extensions, t ExtensionType) (repeated bool) {
	const scanned = 32
	if len(list) <= scanned {
		return list.Has(t)
	}
	if s.types == nil {
		s.types = make(map[ExtensionType]bool, 4*scanned)
		for _, x := range list {
			s.types[x.Type] = true
		}
	}
	repeated = s.types[t]
	s.types[t] = true
	return repeated
}

func readExtension(r *Reader, in place) (x Extension) {
	start, b := r.off, r.buf[r.off:r.end]
	switch {
	case r.rec != nil:
		x = r.recordExtension(in)
	case len(b) >= 4 && int(b[2])<<8|int(b[3]) <= len(b)-4: // whole: without a call for each field
		n := 4 + (int(b[2])<<8 | int(b[3]))
		x.Type, x.Data = ExtensionType(uint16(b[0])<<8|uint16(b[1])), b[4:n:n]
		r.off += n
	default:
		x.Type = U16[ExtensionType](r, "extension_type")
		x.Data = r.Opaque("extension_data", 2, 0, 0xffff)
	}
	if r.err != nil && r.off > start { // people know an extension by its name
		r.err.Field = x.Type.fieldName()
	}
	return x
}

func (r *Reader) recordExtension(in place) Extension {
	t := ExtensionType(0)
	if r.off+2 <= r.end {
		t = ExtensionType(uint16(r.buf[r.off])<<8 | uint16(r.buf[r.off+1]))
	}
	g := r.Group(t.String())
	U16[ExtensionType](r, "extension_type")
	m := r.Open("extension_data", 2, 0, 0xffff)
	var data []byte
	if r.err == nil {
		data = r.buf[r.off:r.end:r.end]
		r.recordBody(t, in)
	}
	r.Close("extension_data", m)
	r.Close(t.String(), g)
	return Extension{t, data}
}

// fieldName names the extension in an error.
func (e ExtensionType) fieldName() string {
	if s, ok := extensionNames[e]; ok {
		return s
	}
	return "extension"
}

// recordBody records the body of extension t by its grammar. A body that does
// not follow it stays as far as it went, the rest opaque: the user of the
// extension reports the error, as the engine does.
func (r *Reader) recordBody(t ExtensionType, in place) {
	for _, g := range grammars[t] {
		if g.in&in == 0 {
			continue
		}
		inner := Reader{buf: r.buf[:r.end], off: r.off, end: r.end, rec: r.rec}
		r.rec.ref(g.ref)
		g.read(&inner)
		r.off = inner.off
		break
	}
	if r.off < r.end {
		r.Rest("opaque")
	}
}

func appendExtensions(b []byte, x Extensions) []byte {
	b, mark := openVector(b, 2)
	for i := range x {
		b = appendOpaque(AppendU16(b, x[i].Type), 2, x[i].Data)
	}
	return closeVector(b, mark, 2)
}
