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

// answerGroups tells a client about groups that we like better than the one agreed on,
// for its next hello. RFC 8446 §4.2.7.
func answerGroups(s *State, b []byte) ([]byte, bool) {
	if s.profile.answers != inEncryptedExtensions || s.Result.Group == s.Config.Groups[0] {
		return b, false
	}
	return wire.AppendU16List(b, s.Config.Groups), true
}

// acceptGroups checks the form of what no choice of ours depends on; up to TLS 1.2,
// where some servers send it too, it has none. RFC 8446 §4.2.7.
func acceptGroups(s *State, r *wire.Reader) error {
	if s.profile.answers != inEncryptedExtensions {
		r.Rest("ignored")
		return nil
	}
	wire.ReadSupportedGroups(r, nil)
	return nil
}

func readGroups(o *Offer, r *wire.Reader) { o.Groups = wire.ReadSupportedGroups(r, o.Groups) }
