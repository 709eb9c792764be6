package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// status_request, RFC 6066 §8. In TLS 1.3 the answer is in Certificate.

func offerStatus(s *State, b []byte) ([]byte, bool) { return wire.AppendStatusRequest(b), true }

func answerStatus(s *State, b []byte) ([]byte, bool) {
	s.statusSent = s.resumed == nil && len(s.certificate.OCSPStaple) > 0
	return b, s.statusSent
}

func acceptStatus(s *State, _ *wire.Reader) error {
	s.statusSent = true
	return nil
}
