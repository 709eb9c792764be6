package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// extended_master_secret, RFC 7627 §5

func offerEMS(s *State, b []byte) ([]byte, bool) {
	return b, s.offers12() && !s.Config.NoExtendedMasterSecret
}

func answerEMS(s *State, b []byte) ([]byte, bool) { return b, s.Result.ExtendedMasterSecret }

// demandEMS refuses a peer without it, where that is wanted. RFC 7627 §5.2, §5.3.
func (s *State) demandEMS() error {
	if !s.Config.RequireExtendedMasterSecret || s.Result.ExtendedMasterSecret {
		return nil
	}
	return &Error{Alert: wire.AlertHandshakeFailure, Ref: "RFC 7627 §5", Rule: "the " + s.Role.Peer().String() + " does not know extended master secret, which we demand",
		Hint: "upgrade it, or unset RequireExtendedMasterSecret"}
}

func acceptEMS(s *State, _ *wire.Reader) error {
	s.Result.ExtendedMasterSecret = true
	return nil
}
