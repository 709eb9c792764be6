package handshake

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// renegotiation_info, RFC 5746 §3

// offerRenegotiation: to a server that does not know the extension, a
// renegotiation must not show it. RFC 5746 §4.2.
func offerRenegotiation(s *State, b []byte) ([]byte, bool) {
	return wire.AppendRenegotiationInfo(b, s.wantRenegotiated(wire.Client)), s.offers12() && (s.previous == nil || s.previous.SecureRenegotiation)
}

func readRenegotiation(o *Offer, r *wire.Reader) { o.Renegotiated = wire.ReadRenegotiationInfo(r) }

func answerRenegotiation(s *State, b []byte) ([]byte, bool) {
	return wire.AppendRenegotiationInfo(b, s.wantRenegotiated(wire.Server)), s.Result.SecureRenegotiation
}

func acceptRenegotiation(s *State, r *wire.Reader) error {
	if !bytes.Equal(wire.ReadRenegotiationInfo(r), s.wantRenegotiated(wire.Server)) {
		return fault(wire.AlertHandshakeFailure, "the server's renegotiation_info does not fit the handshake before: someone may have spliced two connections", "RFC 5746 §3.4, §3.5", nil)
	}
	s.Result.SecureRenegotiation = true
	return nil
}

func (s *State) hasSCSV() bool {
	return slices.Contains(s.hello.CipherSuites, wire.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
}
