package handshake

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// names renders a list for people: in errors and in trace.Choice.
func names[T any](list []T) []string {
	out := make([]string, 0, len(list))
	for _, v := range list {
		switch v := any(v).(type) {
		case *suite.Suite:
			out = append(out, v.Name)
		case []byte:
			out = append(out, fmt.Sprintf("%q", v))
		default:
			out = append(out, fmt.Sprint(v))
		}
	}
	return out
}

// versionNames is what a ClientHello offers, in its own terms: a list, or the
// newest version.
func (o *Offer) versionNames() []string {
	if !o.Hello.Extensions.Has(wire.ExtSupportedVersions) {
		return []string{"up to " + o.Hello.LegacyVersion.String()}
	}
	return names(o.Versions)
}
