package handshake

import (
	"bytes"
	"slices"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// Renegotiate starts a further handshake on a connection that previous describes.
// It has the version of the first, resumes nothing, and fills in result; until it
// is complete, previous is what holds. RFC 5246 §7.4.1.1, RFC 5746.
func Renegotiate(role wire.Role, c *Config, hooks *trace.Hooks, records Records, result, previous *Result) *State {
	own := *c
	own.Versions = []wire.Version{previous.Version}
	s := New(role, &own, hooks, records, result)
	s.previous = previous
	return s
}

// Heard reports whether a message of the peer has been taken.
func (s *State) Heard() bool { return s.heard }

// checkRenegotiation: the client's renegotiation_info must tie this handshake to
// the one before it. RFC 5746 §3.6, §3.7.
func (s *State) checkRenegotiation() error {
	s.Result.SecureRenegotiation = s.asked(wire.ExtRenegotiationInfo)
	switch {
	case s.previous == nil && len(s.Offer.Renegotiated) > 0:
		return fault(wire.AlertHandshakeFailure, "the client's renegotiation_info speaks of an earlier handshake", "RFC 5746 §3.6", nil)
	case s.previous == nil:
		return s.demandRFC5746()
	case s.previous.SecureRenegotiation != s.hello.Extensions.Has(wire.ExtRenegotiationInfo),
		!bytes.Equal(s.Offer.Renegotiated, s.wantRenegotiated(wire.Client)):
		return fault(wire.AlertHandshakeFailure, "the client's renegotiation is not tied to the handshake before it: someone may have spliced two connections", "RFC 5746 §3.7", nil)
	case s.hasSCSV():
		return fault(wire.AlertHandshakeFailure, "the client renegotiates with the cipher suite value of a first handshake", "RFC 5746 §3.7", nil)
	}
	if s.previous.ServerName != s.Result.ServerName {
		return fault(wire.AlertIllegalParameter, "the client's renegotiation asks for another server name", "RFC 6066 §3", nil)
	}
	return s.keepsMasterSecret()
}

// demandRFC5746 refuses a peer that does not signal it, where that is wanted.
// RFC 5746 §4.1, §4.3.
func (s *State) demandRFC5746() error {
	if !s.Config.RequireRFC5746 || s.Result.SecureRenegotiation || !s.profile.Renegotiates {
		return nil
	}
	return &Error{Alert: wire.AlertHandshakeFailure, Ref: "RFC 5746 §4", Rule: "the " + s.Role.Peer().String() + " does not know RFC 5746, so it can be made to renegotiate with somebody else",
		Hint: "upgrade it, or unset Renegotiate.RequireSecure"}
}

// keepsStaples: as long as the server's certificate must stay what it was, so does
// what was stapled to it: nobody is asked a second time whether that will do.
func (s *State) keepsStaples() {
	if s.isServer() || !s.hadCertificate() || s.Config.AllowPeerChange {
		return
	}
	now, before := s.Result.Peer, s.previous.Peer
	now.OCSP, now.IssuerOCSP, now.SCTs = before.OCSP, before.IssuerOCSP, before.SCTs
}

// keepsProtocol: the server does not change the application protocol either.
func (s *State) keepsProtocol() error {
	if s.previous != nil && s.previous.ALPN != s.Result.ALPN {
		return fault(wire.AlertIllegalParameter, "the client's renegotiation changes the application protocol", "RFC 7301 §3.1", nil)
	}
	return nil
}

// wantRenegotiated is what role must repeat of the handshake before.
func (s *State) wantRenegotiated(role wire.Role) []byte {
	if s.previous == nil || !s.previous.SecureRenegotiation {
		return nil
	}
	finished := s.previous.Finished(wire.Client)
	if role == wire.Client {
		return finished
	}
	return slices.Concat(finished, s.previous.Finished(wire.Server))
}

// keepsMasterSecret: a handshake must not give up the binding that the one
// before it had. RFC 7627 §5.3 has this for sessions.
func (s *State) keepsMasterSecret() error {
	if s.previous != nil && s.previous.ExtendedMasterSecret && !s.asked(wire.ExtExtendedMasterSecret) {
		return fault(wire.AlertHandshakeFailure, "the client's renegotiation gives up extended master secret", "RFC 7627 §5.3", nil)
	}
	return nil
}

// keepsEncryptThenMAC: block ciphers do not go back to what a padding oracle could
// be made of. RFC 7366 §3.1.
func (s *State) keepsEncryptThenMAC() error {
	if s.previous != nil && s.previous.EncryptThenMAC && !s.Result.EncryptThenMAC && isCBC(s.Result.Suite) {
		return fault(wire.AlertHandshakeFailure, "the "+s.Role.Peer().String()+"'s renegotiation gives up encrypt-then-MAC", "RFC 7366 §3.1", nil)
	}
	return nil
}

// sameIdentity: the peer of a further handshake must be the one there was, or an
// attacker could stand in for either half of a connection (triple handshake).
// A peer that had no certificate before may show one now. der is the leaf or the raw public key
// that is shown now, nil for none.
func (s *State) sameIdentity(shown wire.CertificateType, der []byte) error {
	if !s.hadCertificate() || s.Config.AllowPeerChange {
		return nil
	}
	if before, same := s.previous.Peer.shown(); der != nil && before == shown && bytes.Equal(der, same) {
		return nil
	}
	return s.changed("certificate")
}

// samePSK is sameIdentity for a peer that is known by a pre-shared key; identity is empty
// where none is used now.
func (s *State) samePSK(identity string) error {
	if s.previous == nil || s.Config.AllowPeerChange || s.previous.PSKIdentity == "" || s.previous.PSKIdentity == identity {
		return nil
	}
	return s.changed("pre-shared key")
}

func (s *State) changed(what string) error {
	return &Error{Alert: wire.AlertBadCertificate, Ref: "RFC 5746 §5", Rule: "the " + s.Role.Peer().String() + " shows another " + what + " than before, or none, in a further handshake",
		Hint: "it may be another server; if that is meant, set Renegotiate.AllowPeerChange"}
}

// hadCertificate reports that the peer has shown one in an earlier handshake.
func (s *State) hadCertificate() bool {
	return s.previous != nil && s.previous.Peer.known()
}

// keepsAuthentication is sameIdentity for a handshake in which the peer will not
// even be asked who it is.
func (s *State) keepsAuthentication() error {
	kx := s.Result.Suite.KeyExchange
	if asked := s.isServer() && s.Result.ClientAuth || !s.isServer() && kx.Certificate(); !asked {
		if err := s.sameIdentity(0, nil); err != nil {
			return err
		}
	}
	if kx.PSK() {
		return nil // the identity follows
	}
	return s.samePSK("")
}
