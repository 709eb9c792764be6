package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// supported_groups, RFC 8446 §4.2.7

func offerGroups(s *State, b []byte) ([]byte, bool) {
	b, mark := append(b, 0, 0), len(b)
	if s.Config.GREASE {
		b = wire.AppendU16(b, s.grease(greaseGroup))
	}
	for _, g := range s.Config.Groups {
		if s.offers13() || !postQuantum(g) {
			b = wire.AppendU16(b, g)
		}
	}
	size := len(b) - mark - 2
	b[mark], b[mark+1] = byte(size>>8), byte(size)
	return b, size > 0
}

func readGroups(o *Offer, r *wire.Reader) { o.Groups = wire.ReadSupportedGroups(r, o.Groups) }
