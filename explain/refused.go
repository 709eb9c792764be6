package explain

import (
	"encoding/binary"
	"fmt"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/wire"
)

// A refused record is shown as it came, and not counted among those that were
// opened: that it does not open is no disagreement.

// maxContent is the most that a record may hold. RFC 8446 §5.1.
const maxContent = 1 << 14

// isRecord reports that bytes which were refused begin like a record at least:
// with a content type, or with a version where one belongs.
func isRecord(b []byte) bool {
	if len(b) < wire.RecordHeaderLen {
		return false
	}
	t := wire.ContentType(b[0])
	return t >= wire.ContentChangeCipherSpec && t <= wire.ContentApplicationData || b[1] == 3
}

// announced is how long the record is by its header.
func (r *Record) announced() int {
	return wire.RecordHeaderLen + int(binary.BigEndian.Uint16(r.Wire[wire.RecordHeaderLen-2:]))
}

// reopenRefused tries the re-derived keys on a record that the engine refused.
func (r *Record) reopenRefused(o *opener) Check {
	if r.Epoch == 0 || o == nil || !isRecord(r.Wire) || len(r.Wire) != r.announced() {
		return Check{Given, "refused before anything was opened"}
	}
	r.Protection = protectionName(o.keys)
	x, err := o.Open(r.Wire, r.Seq)
	x.Packed, x.Added, x.Inside = nil, nil, nil // it was refused: nothing was taken from it
	r.protected(o, x)
	switch {
	case err != nil:
		r.shut = true
		return Check{Given, fmt.Sprintf("does not open with the re-derived keys either: %v", err)}
	case x.Type == wire.ContentChangeCipherSpec || len(x.Content)+x.Padding > maxContent || o.limit.broken(x):
		return Check{Given, fmt.Sprintf("opens with the re-derived keys: %s of %v, which must not come here", words.Size(len(x.Content)), x.Type)}
	default:
		return differ("refused, and yet it opens with the re-derived keys: %s of %v", words.Size(len(x.Content)), x.Type)
	}
}

// refusal says in a few words what was refused, after its check.
func (r *Record) refusal() string {
	switch {
	case !isRecord(r.Wire):
		said := words.Size(len(r.Wire)) + " that are not TLS"
		if line := firstLine(r.Wire); line != "" {
			said += ": " + line
		}
		return said
	case r.shut:
		return "record that does not open"
	}
	return "record that breaks the rules"
}
