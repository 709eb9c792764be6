package scan

import (
	"crypto/rand"
	"fmt"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// A Hello says what a ClientHello has in it. The zero value of a field leaves its
// extension out. Extensions stand in the order of the fields; Extra come last.
type Hello struct {
	// SSL2 sends the hello in the format of SSL 2.0, with Version in it; of the other
	// fields it has Suites and SSL2Suites alone. RFC 5246 §E.2.
	SSL2       bool
	SSL2Suites []wire.SSL2CipherSpec

	// Record is the version in the record's header; 0 for TLS 1.0, or SSL 3.0 in a hello
	// of SSL 3.0.
	Record wire.Version
	// Version is legacy_version; 0 for TLS 1.2, or the best of Versions below that.
	Version wire.Version
	// Versions are supported_versions, best first.
	Versions []wire.Version

	Suites []wire.CipherSuite
	// Compressions are the methods; nil for null alone.
	Compressions []wire.CompressionMethod
	// SessionID has up to 32 bytes. With TLS 1.3 among Versions, nil is for 32 of chance
	// (RFC 8446 §D.4).
	SessionID []byte
	// Random has 32 bytes; nil for those of chance.
	Random []byte

	// NoName leaves server_name out. Name is asked for instead of the target's.
	NoName bool
	Name   string
	Groups []wire.NamedGroup
	// Shares are the groups of key_share, for each of which a key is made. With TLS 1.3
	// among Versions, none makes an empty list: then a server says by a
	// HelloRetryRequest which group it wants.
	Shares  []wire.NamedGroup
	Schemes []wire.SignatureScheme
	ALPN    []string
	// Ask are further extensions, each with the body by which a client asks for it:
	// mostly none.
	Ask []wire.ExtensionType
	// Extra are sent as they are. One whose type is there already takes its place.
	Extra []wire.Extension
	// Resume is offered: its session ID, its ticket, or its pre-shared key.
	Resume *Session
	// Without are extensions to leave out, whatever the other fields say.
	Without []wire.ExtensionType
	// Bare leaves the field of extensions out altogether.
	Bare bool
	// Length is what the message is padded to, header included, by an extension padding
	// (RFC 7685); 0 for no padding.
	Length int
}

// limits of a hello: what its grammar can hold.
const (
	maxSuites    = 1 << 14
	maxExtension = 1 << 14
	maxHello     = 1 << 16
)

// usual are the extensions by which clients ask for what servers may have.
var usual = []wire.ExtensionType{
	wire.ExtExtendedMasterSecret, wire.ExtRenegotiationInfo, wire.ExtECPointFormats, wire.ExtSessionTicket,
	wire.ExtStatusRequest, wire.ExtSCT,
}

// bodies are those by which a client asks for an extension that has any.
var bodies = map[wire.ExtensionType]func() []byte{
	wire.ExtRenegotiationInfo:   func() []byte { return wire.AppendRenegotiationInfo(nil, nil) },
	wire.ExtECPointFormats:      func() []byte { return []byte{1, wire.PointFormatUncompressed} },
	wire.ExtStatusRequest:       func() []byte { return wire.AppendStatusRequest(nil) },
	wire.ExtStatusRequestV2:     func() []byte { return wire.AppendStatusRequestV2(nil) },
	wire.ExtPSKKeyExchangeModes: func() []byte { return []byte{1, byte(wire.PSKModeDHE)} },
	wire.ExtMaxFragmentLength:   func() []byte { return wire.AppendMaxFragmentLength(nil, wire.MaxFragmentLengthOf(4096)) },
	wire.ExtTicketRequest:       func() []byte { return wire.AppendTicketRequest(nil, wire.TicketRequest{NewSession: 1, Resumption: 1}) },
	wire.ExtRecordSizeLimit:     func() []byte { return wire.AppendRecordSizeLimit(nil, 16385) },
}

// Offer is a hello like that of a client which speaks exactly version v, with those
// suites, every group and scheme that this package knows, and the usual extensions. No
// suites means those of v that package tls can speak.
func Offer(v wire.Version, suites ...wire.CipherSuite) Hello {
	if len(suites) == 0 {
		suites = spoken(v)
	}
	h := Hello{Version: min(v, wire.TLS12), Suites: suites, Groups: classical(), Schemes: slices.Clone(schemes), Ask: slices.Clone(usual)}
	switch {
	case v <= wire.SSL30:
		h = Hello{Version: v, Suites: append(slices.Clone(suites), wire.TLS_EMPTY_RENEGOTIATION_INFO_SCSV), Bare: true}
	case v < wire.TLS12:
		h.Schemes = nil
	case v >= wire.TLS13:
		h.Versions = []wire.Version{v}
		h.Groups = groups()
		h.Shares = []wire.NamedGroup{wire.GroupX25519}
		h.Ask = []wire.ExtensionType{wire.ExtStatusRequest, wire.ExtSCT, wire.ExtPSKKeyExchangeModes}
	}
	return h
}

// Modern is a hello like that of a client of today: TLS 1.3 and 1.2, sound suites.
func Modern() Hello {
	h := Offer(wire.TLS13)
	h.Versions = []wire.Version{wire.TLS13, wire.TLS12}
	for _, s := range spoken(wire.TLS12) {
		if sound(s) {
			h.Suites = append(h.Suites, s)
		}
	}
	h.Groups = []wire.NamedGroup{wire.GroupX25519MLKEM768, wire.GroupX25519, wire.GroupP256, wire.GroupP384, wire.GroupP521}
	h.Ask = append(slices.Clone(usual), wire.ExtPSKKeyExchangeModes)
	return h
}

// built is a hello that is ready to be sent.
type built struct {
	message []byte // the handshake message, header included; of SSL 2.0 without its record's header
	hello   *wire.ClientHello
	keys    map[wire.NamedGroup]*kex.Private
}

// build makes the message. cookie is that of a HelloRetryRequest, and before the
// transcript up to it.
func (h Hello) build(t Target, cookie, before []byte) (*built, error) {
	if len(h.Suites) > maxSuites || len(h.SSL2Suites) > maxSuites || len(h.SessionID) > 32 || len(h.ALPN) > 256 || h.Length > maxHello {
		return nil, fmt.Errorf("scan: the hello is too large")
	}
	b := &built{keys: map[wire.NamedGroup]*kex.Private{}}
	random := slices.Clone(h.Random)
	if len(random) != 32 {
		random = chance(32)
	}
	if h.SSL2 {
		b.message, b.hello = h.buildSSL2(random)
		return b, nil
	}
	m := &wire.ClientHello{LegacyVersion: h.Version, Random: random, SessionID: h.SessionID, CipherSuites: h.Suites,
		CompressionMethods: h.Compressions, NoExtensions: h.Bare}
	if m.LegacyVersion == 0 {
		m.LegacyVersion = wire.TLS12
		if len(h.Versions) > 0 {
			m.LegacyVersion = min(wire.TLS12, slices.Max(h.Versions))
		}
	}
	if m.SessionID == nil && slices.Contains(h.Versions, wire.TLS13) {
		m.SessionID = chance(32)
	}
	if m.CompressionMethods == nil {
		m.CompressionMethods = []wire.CompressionMethod{wire.CompressionNull}
	}
	if r := h.Resume; r != nil && len(r.ID) > 0 {
		m.SessionID = r.ID
	}
	if !h.Bare {
		x, err := h.extensions(t, b, cookie)
		if err != nil {
			return nil, err
		}
		m.Extensions = x
	}
	b.hello = m
	b.message = wire.AppendMessage(nil, m, wire.Context{})
	h.pad(b)
	h.bind(b, before)
	return b, nil
}

// pad brings the message to its length, as far as an extension of at least 4 bytes can.
func (h Hello) pad(b *built) {
	missing := h.Length - len(b.message)
	if h.Bare || missing < 4 {
		return
	}
	padding := wire.Extension{Type: wire.ExtPadding, Data: make([]byte, missing-4)}
	// pre_shared_key stays last: RFC 8446 §4.2.11.
	at := len(b.hello.Extensions)
	if at > 0 && b.hello.Extensions[at-1].Type == wire.ExtPreSharedKey {
		at--
	}
	b.hello.Extensions = slices.Insert(b.hello.Extensions, at, padding)
	b.message = wire.AppendMessage(nil, b.hello, wire.Context{})
}

func (h Hello) buildSSL2(random []byte) ([]byte, *wire.ClientHello) {
	m := &wire.SSL2ClientHello{Version: h.Version, CipherSpecs: slices.Clone(h.SSL2Suites), Challenge: random[:16]}
	for _, s := range h.Suites {
		m.CipherSpecs = append(m.CipherSpecs, wire.SSL2CipherSpec(s))
	}
	return m.Append(nil, wire.Context{}), m.Hello()
}

// extensions makes the list.
func (h Hello) extensions(t Target, b *built, cookie []byte) (wire.Extensions, error) {
	var x wire.Extensions
	add := func(of wire.ExtensionType, body []byte) { x = append(x, wire.Extension{Type: of, Data: body}) }
	name := h.Name
	if name == "" {
		name = t.ServerName()
	}
	if name != "" && len(name) < 256 && !h.NoName {
		add(wire.ExtServerName, wire.AppendServerName(nil, name))
	}
	for _, of := range h.Ask {
		var body []byte
		if f := bodies[of]; f != nil {
			body = f()
		}
		if r := h.Resume; of == wire.ExtSessionTicket && r != nil && r.Version < wire.TLS13 {
			body = r.Ticket
		}
		add(of, body)
	}
	if len(h.Groups) > 0 {
		add(wire.ExtSupportedGroups, wire.AppendU16List(nil, h.Groups))
	}
	if len(h.Schemes) > 0 {
		add(wire.ExtSignatureAlgorithms, wire.AppendU16List(nil, h.Schemes))
	}
	if len(h.ALPN) > 0 {
		add(wire.ExtALPN, wire.AppendALPN(nil, h.ALPN...))
	}
	if cookie != nil {
		add(wire.ExtCookie, wire.AppendCookie(nil, cookie))
	}
	if len(h.Versions) > 0 {
		add(wire.ExtSupportedVersions, wire.AppendSupportedVersions(nil, h.Versions))
	}
	if slices.Contains(h.Versions, wire.TLS13) || len(h.Shares) > 0 {
		shares, err := b.shares(h.Shares)
		if err != nil {
			return nil, err
		}
		add(wire.ExtKeyShare, shares)
	}
	return h.edited(x), nil
}

// edited puts Extra in and takes Without out.
func (h Hello) edited(x wire.Extensions) wire.Extensions {
	for _, e := range h.Extra {
		i := slices.IndexFunc(x, func(have wire.Extension) bool { return have.Type == e.Type })
		if i >= 0 {
			x[i] = e
		} else {
			x = append(x, e)
		}
	}
	x = slices.DeleteFunc(x, func(e wire.Extension) bool {
		return slices.Contains(h.Without, e.Type) || len(e.Data) > maxExtension
	})
	if r := h.Resume; r != nil && r.Version >= wire.TLS13 {
		x = r.appendPSK(x)
	}
	return x
}

// shares makes keys and the body of key_share.
func (b *built) shares(of []wire.NamedGroup) ([]byte, error) {
	list := make([]wire.KeyShareEntry, 0, len(of))
	for _, id := range of {
		key, err := kex.Generate(id)
		if err != nil {
			return nil, fmt.Errorf("scan: a key share in %v: %w", id, err)
		}
		b.keys[id] = key
		list = append(list, wire.KeyShareEntry{Group: id, Share: key.Share()})
	}
	return wire.AppendKeyShares(nil, list), nil
}

// chance returns n random bytes. crypto/rand does not fail.
func chance(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
