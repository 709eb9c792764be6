package handshake

import (
	"context"

	"github.com/vitrine-tls/vitrine/wire"
)

// sendServerKeyExchange sends what the suite's key exchange needs of the
// server: a hint for the pre-shared key, an ephemeral key, and a signature over
// that and both randoms. RFC 5246 §7.4.3, RFC 8422 §5.4, RFC 4279 §2.
func sendServerKeyExchange(s *State, _ context.Context) (wire.Message, error) {
	kx := s.Result.Suite.KeyExchange
	m := &s.msg.serverKey
	*m = wire.ServerKeyExchange{Scheme: s.scheme}
	if kx.PSK() {
		m.Hint = []byte(s.Config.PSKHint)
	}
	var err error
	if kind, ok := shareKinds[kx.Share()]; ok {
		if s.ephemeral, err = kind.offer(s, m); err != nil {
			return nil, fault(wire.AlertInternalError, "no ephemeral key could be made", "", err)
		}
	}
	if kx.Signed() {
		m.Signature, err = s.signWith(s.scheme, signed{message: s.signedParams(m)})
	}
	return m, err
}

// recvServerKeyExchange verifies the server's ephemeral key and answers it. What
// is sent back waits for ClientKeyExchange.
func recvServerKeyExchange(s *State, _ context.Context, msg wire.Message) error {
	m := msg.(*wire.ServerKeyExchange)
	kx := s.Result.Suite.KeyExchange
	s.hint = append(s.hint[:0], m.Hint...)
	kind, ok := shareKinds[kx.Share()]
	if !ok {
		return nil
	}
	if err := kind.judge(s, m); err != nil {
		return err
	}
	if kx.Signed() {
		scheme := s.namedScheme(m.Scheme)
		if err := s.verifySignature(scheme, m.Signature, signed{message: s.signedParams(m)}); err != nil {
			return err
		}
		s.Result.ServerScheme = scheme
	}
	share, secret, err := kind.answer(s, m)
	if err != nil {
		return fault(wire.AlertIllegalParameter, "the server's ephemeral key is not valid", kind.ref, err)
	}
	s.serverShare = share
	s.setShared(secret)
	s.choseGroup(wire.Server, "the server's choice")
	if kx.Signed() {
		s.choseScheme(wire.Server, s.verifiable())
	}
	return nil
}

func (s *State) signedParams(m *wire.ServerKeyExchange) []byte {
	b := append(s.sign[:0], s.Result.Secrets.ClientRandom[:]...)
	b = append(b, s.Result.Secrets.ServerRandom[:]...)
	s.sign = m.AppendParams(b, s.context(wire.Server))
	return s.sign
}

// ServerHelloDone has no content; it lets the client go on. RFC 5246 §7.4.5.
func sendServerHelloDone(s *State, _ context.Context) (wire.Message, error) {
	return &s.msg.done, nil
}

// Without a CertificateRequest there is nothing to sign, so the bytes can go.
func recvServerHelloDone(s *State, _ context.Context, _ wire.Message) error {
	if s.request == nil {
		s.transcript.keep = false
		s.transcript.drop()
	}
	return nil
}
