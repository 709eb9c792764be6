package handshake

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// maxNames is how much of a list is shown, and maxQuoted how many bytes of one text:
// a peer's may have thousands of entries, and what we say of it goes to logs.
const (
	maxNames  = 32
	maxQuoted = 64
)

// quoted makes a peer's text fit for errors and logs.
func quoted[T string | []byte](text T) string {
	if len(text) > maxQuoted {
		return fmt.Sprintf("%q... (%d bytes)", text[:maxQuoted], len(text))
	}
	return fmt.Sprintf("%q", text)
}

// names renders a list for people: in errors and in trace.Choice.
func names[T any](list []T) []string {
	out := make([]string, 0, min(len(list), maxNames+1))
	for i, v := range list {
		if i == maxNames {
			return append(out, fmt.Sprintf("and %d more", len(list)-i))
		}
		switch v := any(v).(type) {
		case *suite.Suite:
			out = append(out, v.Name)
		case []byte:
			out = append(out, quoted(v))
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
