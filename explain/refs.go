package explain

import (
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// numbers are where an old version has what RFC 5246 says, whose chapters on
// messages and alerts each of them has in the same order.
var numbers = map[wire.Version]*strings.Replacer{
	wire.SSL30: strings.NewReplacer("RFC 5246 §7.4", "RFC 6101 §5.6", "RFC 5246 §7.2", "RFC 6101 §5.4", "RFC 5246 §7.1", "RFC 6101 §5.3"),
	wire.TLS10: strings.NewReplacer("RFC 5246 §7", "RFC 2246 §7"),
	wire.TLS11: strings.NewReplacer("RFC 5246 §7", "RFC 4346 §7"),
}

// refIn is where the RFC of version v has what ref says of a later one. Before
// TLS 1.2 extensions had an RFC of their own.
func refIn(v wire.Version, ref string) string {
	if r := numbers[v]; r != nil && !strings.HasPrefix(ref, "RFC 5246 §7.4.1.4") {
		return r.Replace(ref)
	}
	return ref
}

// alertRef is where the RFC of a version has its alerts.
func alertRef(v wire.Version) string {
	if v < wire.TLS13 {
		return refIn(v, "RFC 5246 §7.2")
	}
	return "RFC 8446 §6"
}
