package handshake

import (
	"github.com/vitrine-tls/vitrine/wire"
)

// status_request, RFC 6066 §8, and status_request_v2, RFC 6961 §2.2. In TLS 1.3 the answer
// to the first is in Certificate, and the second means nothing: RFC 8446 §4.4.2.1.

func offerStatus(s *State, b []byte) ([]byte, bool) { return wire.AppendStatusRequest(b), true }

func offerStatusV2(s *State, b []byte) ([]byte, bool) {
	return wire.AppendStatusRequestV2(b), s.Config.AskForChain && s.offers12()
}

func answerStatus(s *State, b []byte) ([]byte, bool) { return b, s.statusBy == wire.ExtStatusRequest }
func answerStatusV2(s *State, b []byte) ([]byte, bool) {
	return b, s.statusBy == wire.ExtStatusRequestV2
}

func acceptStatus(s *State, _ *wire.Reader) error   { return s.announced(wire.ExtStatusRequest) }
func acceptStatusV2(s *State, _ *wire.Reader) error { return s.announced(wire.ExtStatusRequestV2) }

// announced notes by which of the two the server announces a CertificateStatus.
func (s *State) announced(t wire.ExtensionType) error {
	if s.statusBy != 0 {
		return fault(wire.AlertIllegalParameter, "the server announces one CertificateStatus by two extensions", "RFC 6961 §2.2", nil)
	}
	s.statusBy = t
	return nil
}

// agreeStatus decides what a server staples up to TLS 1.2, in a full handshake with a
// certificate: the responses for its chain, where it has any beyond the leaf's and the
// client takes them; else the leaf's, by the extension that the client has sent.
func (s *State) agreeStatus() error {
	s.statusBy, s.msg.status = 0, wire.CertificateStatus{}
	if s.resumed != nil || len(s.certificate.Certificate) == 0 {
		return nil
	}
	leaf := s.certificate.OCSPStaple
	var multi, single bool
	if s.asked(wire.ExtStatusRequestV2) {
		if _, err := s.hello.Extensions.Read(wire.ExtStatusRequestV2, func(r *wire.Reader) { multi, single = wire.ReadStatusRequestV2(r) }); err != nil {
			return syntax(err)
		}
	}
	if multi {
		if list := s.chainStaples(); len(list) > 1 || len(list) == 1 && !single && !s.asked(wire.ExtStatusRequest) {
			s.statusBy, s.msg.status.Responses = wire.ExtStatusRequestV2, list
			return nil
		}
	}
	switch s.msg.status.Response = leaf; {
	case len(leaf) == 0:
	case s.asked(wire.ExtStatusRequest):
		s.statusBy = wire.ExtStatusRequest
	case single:
		s.statusBy = wire.ExtStatusRequestV2
	}
	return nil
}

// chainStaples are the OCSP responses for our chain up to the last certificate that has
// one, an empty one for a certificate before that without; nil for none at all.
func (s *State) chainStaples() (list [][]byte) {
	for i := range s.certificate.Certificate {
		if staple := s.ownStaple(i); len(staple) > 0 {
			list = append(append(list, make([][]byte, i-len(list))...), staple)
		}
	}
	return list
}
