package handshake

import (
	"context"
	"crypto/sha256"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// early_data, RFC 8446 §4.2.10. It stands in a ClientHello and in EncryptedExtensions with
// nothing in it, and in a NewSessionTicket with how many bytes are allowed.

func offerEarlyData(s *State, b []byte) ([]byte, bool) {
	s.early13.offered = s.Config.EarlySize > 0 && s.cannotOffer() == ""
	return b, s.early13.offered
}

func answerEarlyData(s *State, b []byte) ([]byte, bool) {
	return b, s.Result.EarlyData == EarlyAccepted
}

// acceptEarlyData: early data was sealed under the session's suite, for the first PSK.
func acceptEarlyData(s *State, _ *wire.Reader) error {
	switch {
	case s.resumed == nil:
		return fault(wire.AlertIllegalParameter, "the server takes early data without the PSK that protects it", "RFC 8446 §4.2.10", nil)
	case suite.ByID(s.resumed.Suite) != s.Result.Suite:
		return fault(wire.AlertIllegalParameter, "the server takes early data, and picked another cipher suite than it is protected with", "RFC 8446 §4.2.10", nil)
	}
	s.Result.EarlyData = EarlyAccepted
	return nil
}

// permitEarly has a ticket allow early data, if that can be told from its replay later.
func (s *State) permitEarly(ctx context.Context, c *session.Session, ticket []byte) bool {
	if c.MaxEarlyData == 0 {
		return false
	}
	return s.Config.Early.Replay.Permit(ctx, sha256.Sum256(ticket), c.Expiry()) == nil
}
