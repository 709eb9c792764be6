package record

import (
	"crypto/cipher"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// A wipeable is an AEAD that notices that it is wiped.
type wipeable struct {
	cipher.AEAD
	wiped int
}

func (w *wipeable) Wipe() { w.wiped++ }

// Whatever drops a cipher object wipes it: an idle connection, a change of keys, and
// the end.
func TestDroppedIsWiped(t *testing.T) {
	for _, c := range distinct() {
		if c.p.Suite.Cipher.AEAD == nil {
			continue
		}
		for what, drop := range map[string]func(*Half){
			"Idle":    (*Half).Idle,
			"Wipe":    (*Half).Wipe,
			"SetKeys": func(h *Half) { h.SetKeys(c.p) },
		} {
			h := keyed(c.p)
			mustSeal(t, h, wire.ContentApplicationData, []byte("content"), 0)
			var seen wipeable
			switch side := h.ciphers.(type) {
			case *aead12:
				seen.AEAD, side.AEAD = side.AEAD, &seen
			case *aead13:
				seen.AEAD, side.AEAD = side.AEAD, &seen
			}
			if drop(h); seen.wiped != 1 || h.ciphers != nil {
				t.Errorf("%s: %s wipes the cipher %d times", c.name, what, seen.wiped)
			}
		}
	}
}
