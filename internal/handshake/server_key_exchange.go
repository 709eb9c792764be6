package handshake

import (
	"context"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// sendServerKeyExchange sends our ephemeral key, signed together with both
// randoms. RFC 8422 §5.4.
func sendServerKeyExchange(s *State, _ context.Context) (wire.Message, error) {
	key, err := kex.Generate(s.Result.Group)
	if err != nil {
		return nil, fault(wire.AlertInternalError, "no ephemeral key could be made", "", err)
	}
	s.ecdhe = key
	m := &s.msg.serverKey
	*m = wire.ServerKeyExchange{Group: s.Result.Group, Share: key.Share(), Scheme: s.scheme}
	if m.Signature, err = s.signWith(s.scheme, s.signedParams(m)); err != nil {
		return nil, err
	}
	return m, nil
}

// recvServerKeyExchange verifies the server's ephemeral key and answers it.
func recvServerKeyExchange(s *State, _ context.Context, msg wire.Message) error {
	m := msg.(*wire.ServerKeyExchange)
	if pickECDHE(s.Config.Groups, []wire.NamedGroup{m.Group}) == 0 {
		return disagree(wire.AlertIllegalParameter, "group", "RFC 8422 §5.4", s.Config.Groups, []wire.NamedGroup{m.Group},
			"the server picked what was not offered")
	}
	if err := s.verifySignature(m.Scheme, m.Signature, s.signedParams(m)); err != nil {
		return err
	}
	share, secret, err := kex.Respond(m.Group, m.Share)
	if err != nil {
		return fault(wire.AlertIllegalParameter, "the server's ephemeral key is not valid", "RFC 8422 §5.4", err)
	}
	s.Result.Group, s.Result.ServerScheme, s.serverShare = m.Group, m.Scheme, share
	s.setShared(secret)
	s.choseGroup(wire.Server, "the server's choice from our list")
	s.choseScheme(wire.Server, s.Config.Schemes)
	return nil
}

func (s *State) signedParams(m *wire.ServerKeyExchange) []byte {
	b := append(s.sign[:0], s.Result.Secrets.ClientRandom[:]...)
	b = append(b, s.Result.Secrets.ServerRandom[:]...)
	s.sign = m.AppendParams(b, wire.Context{KeyExchange: s.Result.Suite.KeyExchange})
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
