package diagnose

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/wire"
)

// A trial sends the hello that failed, changed in one thing. Keys of key shares stay what they
// were: only the server's first answer is of interest.

// copyOf is a hello to change. What is tied to the first connection is left out.
func (h *hello) copyOf() *hello {
	c := &hello{ClientHello: h.ClientHello}
	c.Random = make([]byte, 32)
	rand.Read(c.Random)
	c.CipherSuites = slices.Clone(h.CipherSuites)
	c.Extensions = slices.Clone(h.Extensions)
	c.without(wire.ExtPreSharedKey, wire.ExtEarlyData, wire.ExtCookie)
	if c.ticket() {
		c.set(wire.ExtSessionTicket, nil)
	}
	if c.resumes() != "" { // by its ID
		c.SessionID = nil
	}
	return c
}

// ticket reports a ticket of TLS 1.2.
func (h *hello) ticket() bool {
	i := slices.IndexFunc(h.Extensions, func(e wire.Extension) bool { return e.Type == wire.ExtSessionTicket })
	return i >= 0 && len(h.Extensions[i].Data) > 0
}

// resumes is the field by which the hello asks to resume a session; empty for none. In TLS 1.3
// a session ID is none: it is there for old boxes on the way.
func (h *hello) resumes() string {
	switch {
	case h.psk:
		return "pre_shared_key"
	case h.ticket():
		return "session_ticket"
	case len(h.SessionID) > 0 && !h.offers13():
		return "session_id"
	}
	return ""
}

// without leaves extensions out.
func (h *hello) without(types ...wire.ExtensionType) *hello {
	h.Extensions = slices.DeleteFunc(h.Extensions, func(e wire.Extension) bool { return slices.Contains(types, e.Type) })
	h.NoExtensions = len(h.Extensions) == 0
	h.read()
	return h
}

// set puts an extension into its place, or to the end.
func (h *hello) set(t wire.ExtensionType, data []byte) *hello {
	i := slices.IndexFunc(h.Extensions, func(e wire.Extension) bool { return e.Type == t })
	if i < 0 {
		h.Extensions, i = append(h.Extensions, wire.Extension{}), len(h.Extensions)
	}
	h.Extensions[i] = wire.Extension{Type: t, Data: data}
	h.NoExtensions = false
	h.read()
	return h
}

// onlyUpTo12 takes the offer of TLS 1.3 out.
func (h *hello) onlyUpTo12() *hello {
	h.CipherSuites = slices.DeleteFunc(h.CipherSuites, func(c wire.CipherSuite) bool { s := suite.ByID(c); return s != nil && s.Min >= wire.TLS13 })
	h.withoutGroups(hybrid)
	h.without(wire.ExtSupportedVersions, wire.ExtKeyShare, wire.ExtPSKKeyExchangeModes, wire.ExtPostHandshakeAuth, wire.ExtCertificateAuthorities)
	return h
}

// offers12 reports that something is left of the hello without TLS 1.3.
func (h *hello) offers12() bool {
	return slices.ContainsFunc(h.versions, func(v wire.Version) bool { return v <= wire.TLS12 && !wire.IsGREASE(v) }) &&
		slices.ContainsFunc(h.CipherSuites, func(c wire.CipherSuite) bool { s := suite.ByID(c); return s != nil && s.Min < wire.TLS13 })
}

func (h *hello) offers13() bool { return slices.Contains(h.versions, wire.TLS13) }

// withoutGroups takes groups and their key shares out.
func (h *hello) withoutGroups(out func(wire.NamedGroup) bool) *hello {
	if h.Extensions.Has(wire.ExtSupportedGroups) {
		h.set(wire.ExtSupportedGroups, wire.AppendU16List(nil, slices.DeleteFunc(slices.Clone(h.groups), out)))
	}
	var shares []wire.KeyShareEntry
	found, err := h.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { shares = wire.ReadKeyShares(r, nil) })
	if found && err == nil {
		h.set(wire.ExtKeyShare, wire.AppendKeyShares(nil, slices.DeleteFunc(shares, func(s wire.KeyShareEntry) bool { return out(s.Group) })))
	}
	return h
}

// withoutGREASE takes the reserved values of RFC 8701 out, wherever they may stand.
func (h *hello) withoutGREASE() *hello {
	h.CipherSuites = slices.DeleteFunc(h.CipherSuites, wire.IsGREASE)
	h.Extensions = slices.DeleteFunc(h.Extensions, func(e wire.Extension) bool { return wire.IsGREASE(e.Type) })
	h.read()
	h.withoutGroups(wire.IsGREASE[wire.NamedGroup])
	if h.Extensions.Has(wire.ExtSupportedVersions) {
		h.set(wire.ExtSupportedVersions, wire.AppendSupportedVersions(nil, slices.DeleteFunc(slices.Clone(h.versions), wire.IsGREASE)))
	}
	if h.Extensions.Has(wire.ExtSignatureAlgorithms) {
		h.set(wire.ExtSignatureAlgorithms, wire.AppendU16List(nil, slices.DeleteFunc(slices.Clone(h.schemes), wire.IsGREASE)))
	}
	return h
}

// greased reports that a hello has a reserved value in it.
func (h *hello) greased() bool {
	return slices.ContainsFunc(h.CipherSuites, wire.IsGREASE) || slices.ContainsFunc(h.groups, wire.IsGREASE) ||
		slices.ContainsFunc(h.versions, wire.IsGREASE) || slices.ContainsFunc(h.Extensions, func(e wire.Extension) bool { return wire.IsGREASE(e.Type) })
}

// needed are the extensions without which a hello is another hello: a bisection keeps them.
var needed = []wire.ExtensionType{
	wire.ExtServerName, wire.ExtSupportedVersions, wire.ExtSupportedGroups, wire.ExtSignatureAlgorithms, wire.ExtKeyShare,
	wire.ExtPSKKeyExchangeModes, wire.ExtECPointFormats, wire.ExtRenegotiationInfo,
}

// optional lists the extensions that a hello can do without.
func (h *hello) optional() (types []wire.ExtensionType) {
	for _, e := range h.Extensions {
		if !slices.Contains(needed, e.Type) && !slices.Contains(types, e.Type) {
			types = append(types, e.Type)
		}
	}
	return types
}

// wider offers all suites, groups or schemes that are known here, behind what was offered.
func (h *hello) wider(about string) *hello {
	switch about {
	case aboutSuite:
		for _, v := range h.versions {
			if v < wire.SSL30 || v > wire.TLS13 { // a reserved value
				continue
			}
			h.CipherSuites = union(h.CipherSuites, slices.DeleteFunc(scan.Suites(v), uncertified))
		}
	case aboutGroup:
		h.set(wire.ExtSupportedGroups, wire.AppendU16List(nil, union(h.groups, scan.Groups())))
	case aboutScheme:
		h.set(wire.ExtSignatureAlgorithms, wire.AppendU16List(nil, union(h.schemes, allSchemes)))
	}
	return h
}

func union[T comparable](a, b []T) []T {
	a = slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}

// uncertified reports a suite in which a server shows no certificate, or that does not encrypt.
func uncertified(id wire.CipherSuite) bool {
	name := scan.SuiteName(id)
	return slices.ContainsFunc([]string{"PSK", "_anon_", "_NULL_", "KRB5", "SRP", "ECCPWD"}, func(w string) bool { return strings.Contains(name, w) })
}

var allSchemes = []wire.SignatureScheme{
	0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0809, 0x080a, 0x080b, 0x0401, 0x0501, 0x0601, 0x0807, 0x0808, 0x0203, 0x0201,
}

// message is the hello as a handshake message.
func (h *hello) message() []byte { return wire.AppendMessage(nil, &h.ClientHello, wire.Context{}) }

// padTo makes the message at least n bytes long by the extension padding. RFC 7685.
func (h *hello) padTo(n int) *hello {
	h.without(wire.ExtPadding)
	const header = 4
	if missing := n - len(h.message()) - header; missing > 0 {
		h.set(wire.ExtPadding, make([]byte, missing))
	}
	return h
}

// maxRecord is the most that a record holds. RFC 8446 §5.1.
const maxRecord = 1 << 14

// records puts the hello into records of at most size bytes each.
func (h *hello) records(size int) []byte { return inRecords(h.message(), size) }

// inRecords puts a handshake message into records of at most size bytes each.
func inRecords(message []byte, size int) []byte {
	if size <= 0 || size > maxRecord {
		size = maxRecord
	}
	var out bytes.Buffer
	for part := range slices.Chunk(message, size) {
		out.Write([]byte{byte(wire.ContentHandshake), 3, 1})
		_ = binary.Write(&out, binary.BigEndian, uint16(len(part)))
		out.Write(part)
	}
	return out.Bytes()
}
