package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// signed_certificate_timestamp, RFC 6962 §3.3.1. In TLS 1.3 it is in Certificate.

func offerSCT(_ *State, b []byte) ([]byte, bool) { return b, true }

func answerSCT(s *State, b []byte) ([]byte, bool) {
	if s.resumed != nil || len(s.certificate.SignedCertificateTimestamps) == 0 {
		return b, false
	}
	return wire.AppendSCTs(b, s.certificate.SignedCertificateTimestamps), true
}

func acceptSCT(s *State, r *wire.Reader) error {
	s.Result.Peer.SCTs = cloneAll(wire.ReadSCTs(r, nil))
	return nil
}
