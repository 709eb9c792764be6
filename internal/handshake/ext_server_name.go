package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// server_name, RFC 6066 §3

func offerServerName(s *State, b []byte) ([]byte, bool) {
	if s.Config.ServerName == "" {
		return b, false
	}
	return wire.AppendServerName(b, s.Config.ServerName), true
}

func readServerName(o *Offer, r *wire.Reader) { o.ServerName = wire.ReadServerName(r) }

// A resumed session's name is not answered again.
func answerServerName(s *State, b []byte) ([]byte, bool) { return b, s.resumed == nil }
