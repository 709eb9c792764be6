package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// renegotiation_info, RFC 5746 §3

func offerRenegotiation(s *State, b []byte) ([]byte, bool) {
	return wire.AppendRenegotiationInfo(b, nil), s.offers12()
}

func readRenegotiation(o *Offer, r *wire.Reader) { o.Renegotiated = wire.ReadRenegotiationInfo(r) }

func answerRenegotiation(s *State, b []byte) ([]byte, bool) {
	return wire.AppendRenegotiationInfo(b, nil), s.Result.SecureRenegotiation
}

func acceptRenegotiation(s *State, r *wire.Reader) error {
	if len(wire.ReadRenegotiationInfo(r)) != 0 {
		return fault(wire.AlertHandshakeFailure, "the server's renegotiation_info speaks of an earlier handshake", "RFC 5746 §3.4", nil)
	}
	s.Result.SecureRenegotiation = true
	return nil
}
