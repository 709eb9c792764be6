package handshake

import "github.com/vitrine-tls/vitrine/wire"

// tls_cert_with_extern_psk, RFC 9973 §5: the server shows a certificate beside the PSK. Its
// answer stands in the ServerHello.

func offerBeside(s *State, b []byte) ([]byte, bool) { return b, s.Config.Beside && s.offers13() }

// demandBeside judges the form of a client's offer. All its PSKs are external, which only
// their owner can tell: a ticket is none of ours.
func (s *State) demandBeside() error {
	x := s.hello.Extensions
	if !x.Has(wire.ExtCertWithExternPSK) {
		return nil
	}
	if x.Has(wire.ExtEarlyData) {
		return fault(wire.AlertIllegalParameter, "the client announces early data, and wants a certificate beside its PSK", "RFC 9973 §5.1", nil)
	}
	for _, t := range []wire.ExtensionType{wire.ExtKeyShare, wire.ExtPSKKeyExchangeModes, wire.ExtPreSharedKey} {
		if !x.Has(t) {
			return fault(wire.AlertIllegalParameter, "the client wants a certificate beside its PSK, and its hello lacks "+t.String(), "RFC 9973 §5.1", nil)
		}
	}
	return nil
}

// acceptBeside: a client that wants both has both, or no handshake.
func (s *State) acceptBeside(m *wire.ServerHello) error {
	found, err := m.Extensions.Read(wire.ExtCertWithExternPSK, func(*wire.Reader) {})
	if err != nil {
		return syntax(err)
	}
	if s.Config.Beside && !found && !s.ECHRejected() {
		return fault(wire.AlertHandshakeFailure, "the server shows no certificate beside the pre-shared key, and the Config demands both", "RFC 9973 §5.1", nil)
	}
	s.beside = found
	return nil
}
