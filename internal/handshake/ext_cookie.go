package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// cookie, RFC 8446 §4.2.2

func offerCookie(s *State, b []byte) ([]byte, bool) {
	if len(s.cookie) == 0 {
		return b, false
	}
	return wire.AppendCookie(b, s.cookie), true
}

func readCookie(o *Offer, r *wire.Reader) { o.Cookie = wire.ReadCookie(r) }
