package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// encrypt_then_mac, RFC 7366 §2

func offerEtM(s *State, b []byte) ([]byte, bool) {
	return b, s.offers12() && !s.Config.NoEncryptThenMAC && slices.ContainsFunc(s.Config.Suites, isCBC)
}

func isCBC(s *suite.Suite) bool { return s.Cipher.BlockLen > 0 && s.MAC != nil }

func answerEtM(s *State, b []byte) ([]byte, bool) { return b, s.Result.EncryptThenMAC }

func acceptEtM(s *State, _ *wire.Reader) error {
	if c := s.Result.Suite.Cipher; c.AEAD == nil && c.Block == nil && c.Stream == nil {
		return nil // OpenSSL answers so for NULL ciphers, where it makes no difference
	}
	if !isCBC(s.Result.Suite) {
		return fault(wire.AlertIllegalParameter, "the server wants encrypt-then-MAC with "+s.Result.Suite.Name+", which has no MAC of its own", "RFC 7366 §3", nil)
	}
	s.Result.EncryptThenMAC = true
	return nil
}
