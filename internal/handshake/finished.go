package handshake

import (
	"context"
	"crypto/subtle"
	"fmt"

	"github.com/vitrine-tls/vitrine/wire"
)

// sendFinished proves that we saw the handshake as the peer did.
// RFC 5246 §7.4.9, RFC 8446 §4.4.4.
func sendFinished(s *State, _ context.Context) (wire.Message, error) {
	s.msg.finished.VerifyData = s.profile.verifyData(s, s.Role)
	return &s.msg.finished, nil
}

// recvFinished checks the peer's proof.
func recvFinished(s *State, _ context.Context, msg wire.Message) error {
	want := s.profile.verifyData(s, s.Role.Peer())
	if n := len(msg.(*wire.Finished).VerifyData); n != len(want) {
		return fault(wire.AlertDecodeError, fmt.Sprintf("the peer's Finished has %d bytes; %d are due", n, len(want)), "RFC 8446 §6.2", nil)
	}
	if subtle.ConstantTimeCompare(want, msg.(*wire.Finished).VerifyData) != 1 {
		return fault(wire.AlertDecryptError, "the peer's Finished is wrong: the two sides did not see the same handshake, or do not share its secret", "RFC 8446 §4.4.4", nil)
	}
	return nil
}
