package diagnose

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// hello is a ClientHello and what it offers.
type hello struct {
	wire.ClientHello
	name      string
	versions  []wire.Version
	groups    []wire.NamedGroup
	schemes   []wire.SignatureScheme
	protocols []string
	psk       bool
}

// readHello reads a ClientHello with its header; nil for what is none.
func readHello(raw []byte) *hello {
	if len(raw) < wire.HeaderLen || wire.HandshakeType(raw[0]) != wire.TypeClientHello {
		return nil
	}
	h := new(hello)
	if wire.Decode(&h.ClientHello, raw[wire.HeaderLen:], wire.Context{}, nil) != nil {
		return nil
	}
	h.read()
	return h
}

// read reads the extensions. What does not parse is left out: the account says so.
func (h *hello) read() {
	h.name, h.versions, h.groups, h.schemes, h.protocols = "", nil, nil, nil, nil
	x := h.Extensions
	_, _ = x.Read(wire.ExtServerName, func(r *wire.Reader) { h.name = wire.ReadServerName(r) })
	_, _ = x.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { h.versions = wire.ReadSupportedVersions(r, nil) })
	_, _ = x.Read(wire.ExtSupportedGroups, func(r *wire.Reader) { h.groups = wire.ReadSupportedGroups(r, nil) })
	_, _ = x.Read(wire.ExtSignatureAlgorithms, func(r *wire.Reader) { h.schemes = wire.ReadSignatureAlgorithms(r, nil) })
	_, _ = x.Read(wire.ExtALPN, func(r *wire.Reader) {
		for _, p := range wire.ReadALPN(r, nil) {
			h.protocols = append(h.protocols, string(p))
		}
	})
	h.psk = x.Has(wire.ExtPreSharedKey)
	if len(h.versions) == 0 {
		h.versions = []wire.Version{h.LegacyVersion}
	}
}

// offers lists in words what the hello has of something.
func (h *hello) offers(about string) []string {
	if h == nil {
		return nil
	}
	switch about {
	case aboutVersion:
		return named(h.versions)
	case aboutSuite:
		return named(h.CipherSuites)
	case aboutGroup:
		return named(h.groups)
	case aboutScheme:
		return named(h.schemes)
	case aboutALPN:
		return slices.Clone(h.protocols)
	}
	return nil
}

// What is negotiated, as package explain calls it.
const (
	aboutVersion = "version"
	aboutSuite   = "cipher suite"
	aboutGroup   = "group"
	aboutScheme  = "signature scheme"
	aboutALPN    = "ALPN"
)

// named is a list in words, without what is no offer: GREASE and signals.
func named[T fmt.Stringer](list []T) (names []string) {
	for _, v := range list {
		if name := v.String(); !strings.HasPrefix(name, "GREASE") && !strings.HasSuffix(name, "_SCSV") {
			names = append(names, name)
		}
	}
	return names
}

// hybrid reports a group with a post-quantum part, whose key share is above a thousand bytes.
func hybrid(g wire.NamedGroup) bool { return strings.Contains(g.String(), "MLKEM") }
