package handshake

import (
	"context"
	"crypto"
	"crypto/rsa"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// sendClientKeyExchange sends the client's ephemeral key, or the premaster
// encrypted to the server's RSA key. RFC 8422 §5.7, RFC 5246 §7.4.7.1.
func sendClientKeyExchange(s *State, _ context.Context) (wire.Message, error) {
	m := &s.msg.clientKey
	if s.Result.Suite.KeyExchange == wire.KeyExchangeECDHE {
		m.Exchange = s.serverShare
		return m, nil
	}
	premaster, encrypted, err := kex.SealPremaster(s.Result.Peer.Certificates[0].PublicKey.(*rsa.PublicKey), s.hello.LegacyVersion)
	if err != nil {
		return nil, fault(wire.AlertInternalError, "the premaster could not be encrypted to the server's key", "RFC 5246 §7.4.7.1", err)
	}
	s.setShared(premaster[:])
	m.Exchange = encrypted
	return m, nil
}

// recvClientKeyExchange arrives at the same premaster. Whether an RSA premaster
// decrypted well shows in nothing but the Finished.
func recvClientKeyExchange(s *State, _ context.Context, msg wire.Message) error {
	m := msg.(*wire.ClientKeyExchange)
	if s.Result.Suite.KeyExchange == wire.KeyExchangeECDHE {
		secret, err := s.ecdhe.Finish(m.Exchange)
		if err != nil {
			return fault(wire.AlertIllegalParameter, "the client's ephemeral key is not valid", "RFC 8422 §5.7", err)
		}
		s.setShared(secret)
		return nil
	}
	premaster, err := kex.OpenPremaster(s.certificate.PrivateKey.(crypto.Decrypter), m.Exchange, s.hello.LegacyVersion)
	if err != nil {
		return fault(wire.AlertDecodeError, "the encrypted premaster does not fit our key", "RFC 5246 §7.4.7.1", err)
	}
	s.setShared(premaster[:])
	return nil
}
