package handshake

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// renegotiation_info, RFC 5746 §3

// offerRenegotiation: a renegotiation always speaks of the handshake before, even to
// a server that has not signalled the extension: one that knows it after all, and for
// which this is a first handshake, then sees the attack. RFC 5746 §4.2.
func offerRenegotiation(s *State, b []byte) ([]byte, bool) {
	var finished []byte
	if s.previous != nil {
		finished = s.previous.Finished(wire.Client)
	}
	return wire.AppendRenegotiationInfo(b, finished), s.offers12()
}

func readRenegotiation(o *Offer, r *wire.Reader) { o.Renegotiated = wire.ReadRenegotiationInfo(r) }

func answerRenegotiation(s *State, b []byte) ([]byte, bool) {
	return wire.AppendRenegotiationInfo(b, s.wantRenegotiated(wire.Server)), s.Result.SecureRenegotiation
}

func acceptRenegotiation(s *State, r *wire.Reader) error {
	info := wire.ReadRenegotiationInfo(r)
	if s.previous != nil && !s.previous.SecureRenegotiation {
		return fault(wire.AlertHandshakeFailure, "the server's renegotiation shows that it knows RFC 5746, and before it did not: someone may have spliced two connections", "RFC 5746 §4.2", nil)
	}
	if !bytes.Equal(info, s.wantRenegotiated(wire.Server)) {
		return fault(wire.AlertHandshakeFailure, "the server's renegotiation_info does not fit the handshake before: someone may have spliced two connections", "RFC 5746 §3.4, §3.5", nil)
	}
	s.Result.SecureRenegotiation = true
	return nil
}

func (s *State) hasSCSV() bool {
	return slices.Contains(s.hello.CipherSuites, wire.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
}
