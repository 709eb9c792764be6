package explain

import (
	"bytes"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// offersIdentity reports whether the ClientHello has an identity of that hash.
func (hs *handshake) offersIdentity(h *suite.Hash, digest []byte) bool {
	var offer wire.OfferedPSKs
	if hs.hello == nil {
		return false
	}
	if _, err := hs.hello.Extensions.Read(wire.ExtPreSharedKey, offer.Read); err != nil {
		return false
	}
	for _, id := range offer.Identities {
		sum := h.New()
		sum.Write(id.Identity)
		if bytes.Equal(sum.Sum(nil), digest) {
			return true
		}
	}
	return false
}

// external is the identity of the pre-shared key that the server picked, where that is no
// ticket: how the key was made says so. An imported one is inside what is on the wire.
func (hs *handshake) external() (identity string, is bool) {
	psk := hs.known("psk")
	if psk == nil || psk.How != howExternal && psk.Label != "derived psk" || hs.answer == nil || hs.hello == nil {
		return "", false
	}
	var offer wire.OfferedPSKs
	var index uint16
	_, _ = hs.hello.Extensions.Read(wire.ExtPreSharedKey, offer.Read)
	_, _ = hs.answer.Extensions.Read(wire.ExtPreSharedKey, func(r *wire.Reader) { index = wire.U16[uint16](r, "selected_identity") })
	if int(index) >= len(offer.Identities) {
		return "", false
	}
	raw := offer.Identities[index].Identity
	if i, ok := wire.ParseImportedIdentity(raw); ok && psk.How != howExternal {
		raw = i.ExternalIdentity
	}
	return string(raw), true
}
