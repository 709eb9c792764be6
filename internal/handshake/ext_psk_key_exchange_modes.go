package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// psk_key_exchange_modes, RFC 8446 §4.2.9. Without (EC)DHE there is no forward secrecy, so
// that needs a switch.

func offerPSKModes(s *State, b []byte) ([]byte, bool) {
	switch {
	case s.Config.PrefersPSKAlone:
		return append(b, 1, byte(wire.PSKModePlain)), s.offers13()
	case s.Config.PSKAlone:
		return append(b, 2, byte(wire.PSKModeDHE), byte(wire.PSKModePlain)), s.offers13()
	}
	return append(b, 1, byte(wire.PSKModeDHE)), s.offers13()
}

func readPSKModes(o *Offer, r *wire.Reader) { o.PSKModes = wire.ReadPSKModes(r, o.PSKModes) }
