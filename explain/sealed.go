package explain

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/wire"
)

// protected takes over from x how a record was protected, and what is in it.
func (r *Record) protected(o *opener, x recompute.Opened) {
	r.Nonce, r.NonceIs, r.Compressed, r.Packed = x.Nonce, o.nonceWords(x, r.Seq), x.Compressed, x.Packed
	r.Additional, r.AdditionalIs = x.Additional, o.additionalWords(x, r.Seq)
	r.Sealed = partFields(x.Sealed, r.Wire[min(len(r.Wire), wire.RecordHeaderLen):], sealedMeanings)
	content := r.Plain
	if x.Packed != nil {
		content = x.Packed
	}
	r.Added = x.Added
	r.Inside = partFields(x.Inside, append(content[:len(content):len(content)], x.Added...), insideMeanings)
}

// additionalWords say what is covered besides the content.
func (o *opener) additionalWords(x recompute.Opened, seq uint64) string {
	switch {
	case len(x.Additional) == 0:
		return ""
	case o.keys.raw.Version >= wire.TLS13:
		return "the record's header"
	case o.keys.raw.Version == wire.SSL30:
		return fmt.Sprintf("sequence number %d, type, length", seq)
	}
	return fmt.Sprintf("sequence number %d, type, version, length", seq)
}

// A partMeaning says what a part is for, and where that is written.
type partMeaning struct{ meaning, ref string }

// sealedMeanings are of the parts on the wire, insideMeanings of those inside.
var (
	sealedMeanings = map[string]partMeaning{
		recompute.PartNonce:      {"The part of the nonce that changes from record to record; the rest is the iv.", "RFC 5288 §3"},
		recompute.PartIV:         {"Fresh random bytes, so that the same content never looks the same twice.", "RFC 5246 §6.2.3.2"},
		recompute.PartCiphertext: {"What is inside, encrypted.", ""},
		recompute.PartTag:        {"Proves that nobody changed the ciphertext or what it is tied to.", "RFC 5116 §2.1"},
		recompute.PartMAC:        {"Proves that nobody changed the record.", "RFC 5246 §6.2.3.1"},
		recompute.PartContent:    {"In the clear: this suite only proves that nobody changed it.", "RFC 5246 §6.2.3.1"},
	}
	insideMeanings = map[string]partMeaning{
		recompute.PartMAC:       {"Proves that nobody changed the content; it was encrypted with it.", "RFC 5246 §6.2.3.1"},
		recompute.PartType:      {"What the record truly carries; the header outside always says application data.", "RFC 8446 §5.2"},
		recompute.PartZeros:     {"Zeros that hide how long the content is.", "RFC 8446 §5.4"},
		recompute.PartPadding:   {"Fills the last block up.", "RFC 5246 §6.2.3.2"},
		recompute.PartPadLength: {"How many bytes of padding there are before this one.", "RFC 5246 §6.2.3.2"},
	}
)

// partFields are the fields that parts stand for, which tile raw.
func partFields(parts []recompute.Part, raw []byte, meanings map[string]partMeaning) (out []Field) {
	at := 0
	for _, p := range parts {
		end := at + p.Length
		if end > len(raw) { // not what was reported: the check says so
			return out
		}
		m := meanings[p.Name]
		f := Field{Offset: at, Length: p.Length, Name: p.Name, Value: words.Size(p.Length), Meaning: m.meaning, Ref: m.ref}
		if p.Name == recompute.PartType && p.Length == 1 {
			f.Value = wire.ContentType(raw[at]).String()
		}
		out, at = append(out, f), end
	}
	return out
}
