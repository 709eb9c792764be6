package handshake

import (
	"bytes"
	"crypto/rand"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
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
	s.began(PSKOf(identity, string(hint), key))
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
	s.began(PSKOf(string(identity), "", key))
	if len(key) == 0 {
		key = make([]byte, 32)
		rand.Read(key)
	}
	return key, nil
}

// PSKOf is what a session keeps of a pre-shared key up to TLS 1.2.
func PSKOf(identity, hint string, key []byte) *session.PSK {
	return &session.PSK{Identity: []byte(identity), Hint: []byte(hint), Digest: session.Binding([]byte("psk"), []byte(identity), key)}
}

// began notes the pre-shared key of this handshake, or of the one whose session is resumed.
func (s *State) began(p *session.PSK) {
	if p == nil {
		return
	}
	own := *p // a session that is opened lies in room of the handshake
	own.Identity, own.Hint = bytes.Clone(p.Identity), bytes.Clone(p.Hint)
	s.Result.PSKIdentity, s.Result.PSK = string(p.Identity), &own
}

// gone says why the key that a session began with does not allow to resume it; empty if it
// does. To take a key away from its owner ends its sessions too.
func (s *State) gone(c *session.Session) string {
	exchange := suite.ByID(c.Suite).KeyExchange.PSK() // which no suite of TLS 1.3 has
	switch p := c.PSK; {
	case p == nil && (exchange || s.Config.NeedsPSK):
		return "it did not begin with a pre-shared key"
	case p == nil:
		return ""
	case exchange:
		if key, err := s.Config.ServerPSK(string(p.Identity)); err == nil && len(key) > 0 && PSKOf(string(p.Identity), "", key).Digest == p.Digest {
			return ""
		}
	case IsPSK(c) && s.Config.AsksExternal:
		if x, err := s.Config.ExternalPSK(p.Identity); err == nil && x != nil && x.PSK().Digest == p.Digest {
			return ""
		}
	}
	return "the pre-shared key that it began with is no longer good"
}
