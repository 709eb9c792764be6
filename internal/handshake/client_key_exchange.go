package handshake

import (
	"context"
	"crypto"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// sendClientKeyExchange sends the client's share of the key exchange: the
// identity of its pre-shared key, its ephemeral key, or the premaster encrypted
// to the server's key. RFC 5246 §7.4.7, RFC 8422 §5.7, RFC 4279.
func sendClientKeyExchange(s *State, _ context.Context) (wire.Message, error) {
	kx := s.Result.Suite.KeyExchange
	m := &s.msg.clientKey
	*m = wire.ClientKeyExchange{Exchange: s.serverShare}
	if kx.Encrypted() {
		premaster, encrypted, err := kex.SealPremaster(s.Result.Peer.rsaKey(), s.hello.LegacyVersion)
		if err != nil {
			return nil, fault(wire.AlertInternalError, "the premaster could not be encrypted to the server's key", "RFC 5246 §7.4.7.1", err)
		}
		s.setShared(premaster[:])
		m.Exchange = encrypted
	}
	if kx.PSK() {
		identity, key, err := s.clientPSK(s.hint)
		if err != nil {
			return nil, err
		}
		m.Identity = []byte(identity)
		s.addPSK(key)
	}
	return m, nil
}

// recvClientKeyExchange arrives at the same premaster. Whether an RSA premaster
// decrypted well, or an identity is known, shows in nothing but the Finished.
func recvClientKeyExchange(s *State, _ context.Context, msg wire.Message) error {
	kx := s.Result.Suite.KeyExchange
	m := msg.(*wire.ClientKeyExchange)
	if s.ephemeral != nil {
		secret, err := s.ephemeral.Finish(m.Exchange)
		if err != nil {
			return fault(wire.AlertIllegalParameter, "the client's ephemeral key is not valid", "RFC 8422 §5.7, RFC 5246 §7.4.7.2", err)
		}
		s.setShared(secret)
	}
	if kx.Encrypted() {
		premaster, err := kex.OpenPremaster(s.certificate.PrivateKey.(crypto.Decrypter), m.Exchange, s.hello.LegacyVersion)
		if err != nil {
			return fault(wire.AlertInternalError, "our certificate's key cannot decrypt a premaster", "RFC 5246 §7.4.7.1", err)
		}
		s.setShared(premaster[:])
	}
	if kx.PSK() {
		key, err := s.serverPSK(m.Identity)
		if err != nil {
			return err
		}
		if err := s.samePSK(string(m.Identity)); err != nil {
			return err
		}
		s.addPSK(key)
	}
	return nil
}

// addPSK joins what the exchange has yielded so far with a pre-shared key.
func (s *State) addPSK(key []byte) {
	other, how := s.shared, s.exchangeName()
	if len(other) == 0 {
		other, how = make([]byte, len(key)), "zeros" // of plain PSK, RFC 4279 §2
	}
	s.secret(trace.Secret{Name: "psk", How: "PSK", Value: key, Ref: "RFC 4279 §2"})
	s.secret(trace.Secret{Name: "other_secret", How: how, Value: other, Ref: "RFC 4279 §2"})
	joined := kex.PSKPremaster(nil, other, key)
	s.setShared(joined)
	clear(joined)
}
