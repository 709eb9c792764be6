package handshake

// post_handshake_auth, RFC 8446 §4.2.6

func offerPostHandshakeAuth(s *State, b []byte) ([]byte, bool) {
	return b, s.offers13() && s.Config.PostHandshakeAuth
}
