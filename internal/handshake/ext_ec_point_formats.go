package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// ec_point_formats, RFC 8422 §5.1.2

func offerPoints(s *State, b []byte) ([]byte, bool) {
	return append(b, 1, wire.PointFormatUncompressed), s.offers12()
}

// hasPoints: from TLS 1.3 on a curve has one format, and the extension means nothing.
// RFC 8422 §5.1.2, RFC 8446 §4.2.7.
func (s *State) hasPoints() bool { return s.profile.answers == inServerHello }

func readPoints(o *Offer, r *wire.Reader) { o.Points = wire.ReadPointFormats(r) }

func answerPoints(s *State, b []byte) ([]byte, bool) {
	return append(b, 1, wire.PointFormatUncompressed), s.Result.Suite.KeyExchange.Share() == wire.ShareEC
}

func acceptPoints(_ *State, r *wire.Reader) error {
	if !slices.Contains(wire.ReadPointFormats(r), wire.PointFormatUncompressed) && r.Err() == nil {
		return fault(wire.AlertIllegalParameter, "the server does not speak uncompressed points", "RFC 8422 §5.2", nil)
	}
	return nil
}
