package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// extended_master_secret, RFC 7627 §5

func offerEMS(s *State, b []byte) ([]byte, bool) {
	return b, s.offers12() && !s.Config.NoExtendedMasterSecret
}

func answerEMS(s *State, b []byte) ([]byte, bool) { return b, s.Result.ExtendedMasterSecret }

func acceptEMS(s *State, _ *wire.Reader) error {
	s.Result.ExtendedMasterSecret = true
	return nil
}
