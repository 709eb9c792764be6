package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Offer is what our ClientHello offered, read off the wire, so that a failure
// can say it even where the server's answer is a bare alert.
type Offer struct {
	name      string
	versions  []wire.Version
	suites    []wire.CipherSuite
	groups    []wire.NamedGroup
	schemes   []wire.SignatureScheme
	protocols []string
}

// Hooks watch a connection for its ClientHello.
func (o *Offer) Hooks() *trace.Hooks { return &trace.Hooks{Message: o.message} }

func (o *Offer) message(m trace.Message) {
	if m.Dir == trace.Sent && len(m.Raw) > wire.HeaderLen && wire.HandshakeType(m.Raw[0]) == wire.TypeClientHello {
		o.read(m.Raw[wire.HeaderLen:])
	}
}

func (o *Offer) read(body []byte) {
	var hello wire.ClientHello
	if wire.Decode(&hello, body, wire.Context{}, nil) != nil {
		return // ours is valid; and without it a failure only says less
	}
	*o = Offer{versions: []wire.Version{hello.LegacyVersion}, suites: slices.Clone(hello.CipherSuites)}
	x := hello.Extensions
	x.Read(wire.ExtServerName, func(r *wire.Reader) { o.name = wire.ReadServerName(r) })
	x.Read(wire.ExtSupportedVersions, func(r *wire.Reader) { o.versions = wire.ReadSupportedVersions(r, nil) })
	x.Read(wire.ExtSupportedGroups, func(r *wire.Reader) { o.groups = wire.ReadSupportedGroups(r, nil) })
	x.Read(wire.ExtSignatureAlgorithms, func(r *wire.Reader) { o.schemes = wire.ReadSignatureAlgorithms(r, nil) })
	x.Read(wire.ExtALPN, func(r *wire.Reader) {
		for _, p := range wire.ReadALPN(r, nil) {
			o.protocols = append(o.protocols, string(p))
		}
	})
}

// about returns the parts of the offer that a server may have meant by an alert.
func (o *Offer) about(alert wire.AlertCode) []string {
	if o == nil || len(o.suites) == 0 {
		return nil
	}
	switch alert {
	case wire.AlertProtocolVersion:
		return []string{part("versions", o.versions)}
	case wire.AlertNoApplicationProtocol:
		return []string{part("protocols", o.protocols)}
	case wire.AlertUnrecognizedName:
		return []string{"name " + o.name}
	case wire.AlertHandshakeFailure, wire.AlertInsufficientSecurity, wire.AlertIllegalParameter:
		return []string{part("versions", o.versions), part("suites", o.suites), part("groups", o.groups), part("signatures", o.schemes)}
	}
	return nil
}

// part names a list, without the values that mean nothing: GREASE and signals.
func part[T any](what string, list []T) string {
	var names []string
	for _, v := range list {
		if name := fmt.Sprint(v); !strings.HasPrefix(name, "GREASE") && !strings.HasSuffix(name, "_SCSV") {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		names = []string{"none"}
	}
	return what + " " + strings.Join(names, ", ")
}
