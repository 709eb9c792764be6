package explain

import (
	"encoding/binary"
	"fmt"

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
func (r *Record) reopenRefused(o *opener) {
	r.Check = Check{Given, "refused before anything was opened"}
	if r.Epoch == 0 || o == nil || !isRecord(r.Wire) || len(r.Wire) != r.announced() {
		return
	}
	r.Protection = protectionName(o.keys)
	x, err := o.Open(r.Wire, r.Seq)
	r.Nonce, r.NonceIs = x.Nonce, o.nonceWords(x, r.Seq)
	switch {
	case err != nil:
		r.shut = true
		r.Check = Check{Given, fmt.Sprintf("does not open with the re-derived keys either: %v", err)}
	case x.Type == wire.ContentChangeCipherSpec || len(x.Content)+x.Padding > maxContent || o.limit.broken(x):
		r.Check = Check{Given, fmt.Sprintf("opens with the re-derived keys: %s of %v, which may not be there", size(len(x.Content)), x.Type)}
	default:
		r.Check = differ("refused, and yet it opens with the re-derived keys: %s of %v", size(len(x.Content)), x.Type)
	}
}

// refusal says in a few words what was refused.
func (r *Record) refusal() string {
	switch {
	case !isRecord(r.Wire):
		words := size(len(r.Wire)) + " that are no record"
		if line := firstLine(r.Wire); line != "" {
			words += ": " + line
		}
		return words
	case r.shut:
		return "record that does not open"
	}
	return "record that breaks the rules"
}

// refused writes a refused record: its header if it has one, its bytes to a
// bound, and why.
func (p *printer) refused(r *Record) {
	const most = 512
	for _, n := range tree(r.Header) {
		p.node(n, 0)
	}
	p.dump(r.Wire[:min(len(r.Wire), most)])
	if len(r.Wire) > most {
		p.para(tagCol, faint, "… %s more", size(len(r.Wire)-most))
	}
	if r.Protection != "" {
		p.row("sealed", normal, "%s", r.Protection)
	}
	p.row("reason", wrong, "%s", r.Refused)
	p.check(r.Check)
}
