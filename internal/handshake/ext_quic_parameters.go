package handshake

import (
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// QUIC is a transport that carries handshake messages itself, without records: what the
// handshake asks of it. Its methods are called one at a time. RFC 9001.
type QUIC interface {
	// Parameters are our transport parameters. ok is false while the application has yet to
	// set them: the handshake waits where it needs them, until Run is called again.
	Parameters() (own []byte, ok bool)
	// TakeParameters is given the peer's, lent.
	TakeParameters(peer []byte)
	// Resumes is told of the session that a server takes up, before it answers.
	Resumes(*session.Session)
	// DeclinesEarly reports that the application wants no early data with that session, on
	// either side.
	DeclinesEarly() bool
	// RefusedEarly is told that the server has not taken a client's early data.
	RefusedEarly()
	// Waits reports that the application has yet to look at the session that is on offer, or
	// taken up. Nothing is sent meanwhile.
	Waits() bool
}

// foreignToQUIC are the extensions that QUIC has no use for: there are no records, and no
// client is asked for a certificate later. They are passed over. RFC 9001 §4.4.
func foreignToQUIC(t wire.ExtensionType) bool {
	return t == wire.ExtRecordSizeLimit || t == wire.ExtMaxFragmentLength || t == wire.ExtPostHandshakeAuth
}

// quic_transport_parameters, RFC 9001 §8.2. What is in it is the QUIC implementation's
// business.

func offerQUICParameters(s *State, b []byte) ([]byte, bool) {
	if s.Config.QUIC == nil {
		return b, false
	}
	own, _ := s.Config.QUIC.Parameters()
	return append(b, own...), true
}

// lacksParameters has a step of ours wait for the application to set the parameters.
func (s *State) lacksParameters() error {
	if s.Config.QUIC == nil {
		return nil
	}
	if _, ok := s.Config.QUIC.Parameters(); !ok {
		return errWait
	}
	return nil
}

func readQUICParameters(_ *Offer, r *wire.Reader) { r.Rest("quic_transport_parameters") }

func acceptQUICParameters(s *State, r *wire.Reader) error {
	s.Config.QUIC.TakeParameters(r.Rest("quic_transport_parameters"))
	return nil
}

// checkQUIC is what a server demands of a ClientHello by whether QUIC carries it. The hello
// that follows a retry has the same parameters. RFC 9001 §8.2, §8.4.
func (s *State) checkQUIC() error {
	body, found := s.hello.Extensions.Find(wire.ExtQUICParameters)
	switch {
	case s.Config.QUIC == nil && found:
		return fault(wire.AlertUnsupportedExtension, "the client sent quic_transport_parameters, and this is not QUIC", "RFC 9001 §8.2", nil)
	case s.Config.QUIC == nil:
		return nil
	case !found:
		return fault(wire.AlertMissingExtension, "the client sent no quic_transport_parameters", "RFC 9001 §8.2", nil)
	case len(s.hello.SessionID) > 0:
		return fault(wire.AlertIllegalParameter, "the client has a legacy_session_id, which QUIC has no use for", "RFC 9001 §8.4", nil)
	}
	s.Config.QUIC.TakeParameters(body)
	return nil
}

// demandQUIC is what a client demands of EncryptedExtensions where QUIC carries them:
// transport parameters, and an application protocol. RFC 9001 §8.1, §8.2.
func (s *State) demandQUIC(x wire.Extensions) error {
	switch {
	case s.Config.QUIC == nil:
		return nil
	case !x.Has(wire.ExtQUICParameters):
		return fault(wire.AlertMissingExtension, "the server sent no quic_transport_parameters", "RFC 9001 §8.2", nil)
	}
	return s.demandALPN(nil)
}

// demandALPN: over QUIC there is no connection without an application protocol. theirs are
// those that a client offers. RFC 9001 §8.1.
func (s *State) demandALPN(theirs [][]byte) error {
	if s.Config.QUIC == nil || s.Result.ALPN != "" {
		return nil
	}
	return disagree(wire.AlertNoApplicationProtocol, "application protocol", "RFC 9001 §8.1", s.Config.ALPN, theirs,
		"over QUIC both sides need NextProtos")
}

// Born is when the session that was resumed was made, and how long it lasts from then on.
// Tickets of the connection inherit that.
type Born struct {
	At  time.Time
	For time.Duration
}

// Born is nil where nothing was resumed.
func (s *State) Born() *Born {
	if s.resumed == nil {
		return nil
	}
	return &Born{s.resumed.CreatedAt, s.resumed.Lifetime}
}
