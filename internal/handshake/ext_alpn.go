package handshake

import (
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// application_layer_protocol_negotiation, RFC 7301

func offerALPN(s *State, b []byte) ([]byte, bool) {
	if s.previous != nil || len(s.Config.ALPN) == 0 {
		return b, false
	}
	return wire.AppendALPN(b, s.Config.ALPN...), true
}

func readALPN(o *Offer, r *wire.Reader) { o.ALPN = wire.ReadALPN(r, o.ALPN) }

func answerALPN(s *State, b []byte) ([]byte, bool) {
	if s.Result.ALPN == "" || !s.asked(wire.ExtALPN) {
		return b, false
	}
	return wire.AppendALPN(b, s.Result.ALPN), true
}

func acceptALPN(s *State, r *wire.Reader) error {
	picked := wire.ReadALPN(r, nil)
	if r.Err() != nil {
		return nil
	}
	if len(picked) != 1 || !slices.Contains(s.Config.ALPN, string(picked[0])) {
		return disagree(wire.AlertIllegalParameter, "application protocol", "RFC 7301 §3.2", s.Config.ALPN, picked,
			"the server picked what was not offered")
	}
	s.Result.ALPN = string(picked[0])
	s.choseALPN(wire.Server, s.Config.ALPN, nil)
	return nil
}
