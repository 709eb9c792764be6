package handshake

import (
	"crypto/rand"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// maxIdentity is what the length of a psk_identity can say. RFC 4279 §2.
const maxIdentity = 1<<16 - 1

// clientPSK asks the application for the key that goes with the server's hint.
// RFC 4279 §2, §5.2.
func (s *State) clientPSK(hint []byte) (identity string, key []byte, err error) {
	identity, key, err = s.Config.ClientPSK(string(hint))
	switch {
	case err != nil:
		return "", nil, refusedBy("PSK.Client", err)
	case len(key) == 0 || len(key) > kex.MaxPSK:
		return "", nil, fault(wire.AlertInternalError, "PSK.Client returned no key, or one that is too long", "RFC 4279 §5.3", nil)
	case len(identity) > maxIdentity:
		return "", nil, fault(wire.AlertInternalError, "PSK.Client returned an identity that is too long", "RFC 4279 §5.1", nil)
	}
	s.Result.PSKIdentity = identity
	return identity, key, nil
}

// serverPSK finds the key of an identity. One that is not known gets a random
// key: the handshake then fails at Finished, as it does for a wrong key, so that
// nobody can ask which identities exist. RFC 4279 §2.
func (s *State) serverPSK(identity []byte) ([]byte, error) {
	key, err := s.Config.ServerPSK(string(identity))
	if err != nil {
		return nil, refusedBy("PSK.Server", err)
	}
	if len(key) > kex.MaxPSK {
		return nil, fault(wire.AlertInternalError, "PSK.Server returned a key that is too long", "RFC 4279 §5.3", nil)
	}
	s.Result.PSKIdentity = string(identity)
	if len(key) == 0 {
		key = make([]byte, 32)
		rand.Read(key)
	}
	return key, nil
}
