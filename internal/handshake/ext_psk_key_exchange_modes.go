package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// psk_key_exchange_modes, RFC 8446 §4.2.9. We never do without (EC)DHE.

func offerPSKModes(s *State, b []byte) ([]byte, bool) {
	return append(b, 1, byte(wire.PSKModeDHE)), s.offers13()
}

func readPSKModes(o *Offer, r *wire.Reader) { o.PSKModes = wire.ReadPSKModes(r, o.PSKModes) }
