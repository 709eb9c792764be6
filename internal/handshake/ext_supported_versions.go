package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// supported_versions, RFC 8446 §4.2.1

func offerVersions(s *State, b []byte) ([]byte, bool) {
	b, mark := append(b, 0), len(b)
	if s.Config.GREASE {
		b = wire.AppendU16(b, s.grease(greaseVersion))
	}
	for _, v := range s.Config.Versions {
		b = wire.AppendU16(b, v)
	}
	b[mark] = byte(len(b) - mark - 1)
	return b, s.offers13()
}

func readVersions(o *Offer, r *wire.Reader) { o.Versions = wire.ReadSupportedVersions(r, o.Versions) }
