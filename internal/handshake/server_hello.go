package handshake

import (
	"bytes"
	"context"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// sendServerHello12 announces what accept12 has decided. RFC 5246 §7.4.1.3.
func sendServerHello12(s *State, _ context.Context) (wire.Message, error) {
	m := &s.answer
	s.arena = s.arena[:0]
	m.LegacyVersion, m.Random = s.Result.Version, s.Result.Secrets.ServerRandom[:]
	m.SessionID, m.CipherSuite = s.sessionID[:s.sessionLen], s.Result.Suite.ID
	m.CompressionMethod = s.Result.Compression
	if err := s.agreeStatus(); err != nil {
		return nil, err
	}
	m.Extensions = s.answerExtensions(m.Extensions[:0])
	m.NoExtensions = len(m.Extensions) == 0
	return m, nil
}

// recvServerHello12 takes the server's decisions and sees by the session ID
// whether it resumes. RFC 5246 §7.4.1.3, RFC 5077 §3.4.
func recvServerHello12(s *State, ctx context.Context, _ wire.Message) error {
	m := &s.answer
	copy(s.Result.Secrets.ServerRandom[:], m.Random)
	if err := s.takeSuite(m, "RFC 5246 §7.4.1.3"); err != nil {
		return err
	}
	if err := s.acceptExtensions(m.Extensions); err != nil {
		return err
	}
	if err := s.demandEMS(); err != nil {
		return err
	}
	if err := s.checkAnswer12(); err != nil {
		return err
	}
	echoed := s.sessionLen > 0 && bytes.Equal(m.SessionID, s.sessionID[:s.sessionLen])
	s.newID = bytes.Clone(m.SessionID)
	if !echoed {
		s.offered = nil
		return nil
	}
	if s.offered == nil || s.offered.Version != s.Result.Version {
		return fault(wire.AlertIllegalParameter, "the server resumes a session that we did not offer", "RFC 5246 §7.4.1.3", nil)
	}
	return s.resumeAsClient12(ctx)
}

// checkAnswer12: a renegotiation is tied to the handshake before it, and keeps
// what that had. RFC 5746 §3.5, RFC 7627 §5.3.
func (s *State) checkAnswer12() error {
	switch {
	case s.previous == nil:
		return s.demandRFC5746()
	case s.previous.SecureRenegotiation && !s.Result.SecureRenegotiation:
		return fault(wire.AlertHandshakeFailure, "the server's renegotiation is not tied to the handshake before it", "RFC 5746 §3.5", nil)
	case s.previous.ExtendedMasterSecret && !s.Result.ExtendedMasterSecret:
		return fault(wire.AlertHandshakeFailure, "the server's renegotiation gives up extended master secret", "RFC 7627 §5.3", nil)
	case s.previous.ExtendedMasterSecret != s.Result.ExtendedMasterSecret:
		return fault(wire.AlertHandshakeFailure, "the server knows extended master secret in its renegotiation, and did not before", "RFC 7627 §5.3", nil)
	}
	s.Result.ALPN = s.previous.ALPN
	return s.keepsEncryptThenMAC()
}

// takeSuite fixes the suite that the server picked.
func (s *State) takeSuite(m *wire.ServerHello, ref string) error {
	c := suite.ByID(m.CipherSuite)
	if c == nil || !slices.Contains(s.Config.Suites, c) || !usable(c, s.Result.Version) {
		return disagree(wire.AlertIllegalParameter, "cipher suite", ref, s.Config.Suites, []wire.CipherSuite{m.CipherSuite},
			"the server picked what was not offered for "+s.Result.Version.String())
	}
	if !slices.Contains(s.hello.CompressionMethods, m.CompressionMethod) {
		return fault(wire.AlertIllegalParameter, "the server picked a compression that we did not offer", ref, nil)
	}
	if s.Result.Suite != nil && s.Result.Suite != c {
		return fault(wire.AlertIllegalParameter, "the server's ServerHello and HelloRetryRequest differ in the cipher suite", "RFC 8446 §4.1.4", nil)
	}
	s.Result.Compression = m.CompressionMethod
	if s.Result.Suite == nil {
		s.Result.Suite = c
		s.choseSuiteByPeer()
	}
	// Until a CertificateRequest has not come, TLS 1.2 may still have to sign.
	s.transcript.keep = !s.profile.signsContext && s.profile.schemes == nil
	s.transcript.use(s.hash())
	return s.keepsAuthentication()
}

// sendServerHello13 carries the key share; all else is encrypted. RFC 8446 §4.1.3.
func sendServerHello13(s *State, ctx context.Context) (wire.Message, error) {
	if err := s.decideEarlyNow(ctx); err != nil {
		return nil, err
	}
	m := &s.answer
	s.arena = s.arena[:0]
	m.LegacyVersion, m.Random = wire.TLS12, s.Result.Secrets.ServerRandom[:]
	m.SessionID, m.CipherSuite = s.sessionID[:s.sessionLen], s.Result.Suite.ID
	m.Extensions = s.body(m.Extensions[:0], wire.ExtSupportedVersions, selectVersion)
	m.Extensions = s.body(m.Extensions, wire.ExtKeyShare, func(s *State, b []byte) ([]byte, bool) {
		return wire.AppendKeyShare(b, wire.KeyShareEntry{Group: s.Result.Group, Share: s.serverShare}), !s.withoutDH
	})
	if s.beside {
		m.Extensions = append(m.Extensions, wire.Extension{Type: wire.ExtCertWithExternPSK})
	}
	if s.psk() {
		m.Extensions = s.body(m.Extensions, wire.ExtPreSharedKey, func(s *State, b []byte) ([]byte, bool) {
			return wire.AppendU16(b, uint16(s.pskIndex)), true
		})
	}
	s.confirmECH(m)
	return m, nil
}

// checkServerHello13 holds what ServerHello and HelloRetryRequest share.
func (s *State) checkServerHello13(m *wire.ServerHello) error {
	if !bytes.Equal(m.SessionID, s.sessionID[:s.sessionLen]) {
		return fault(wire.AlertIllegalParameter, "the server does not echo our legacy_session_id", "RFC 8446 §4.1.3", nil)
	}
	if m.CompressionMethod != wire.CompressionNull { // of which the grammar allows nothing else
		return fault(wire.AlertDecodeError, "the server's legacy_compression_method is not 0", "RFC 8446 §4.1.3", nil)
	}
	return s.takeSuite(m, "RFC 8446 §4.1.3")
}

// recvServerHello13 completes the key exchange. RFC 8446 §4.1.3.
func recvServerHello13(s *State, _ context.Context, _ wire.Message) error {
	m := &s.answer
	if s.retry && m.IsRetry() {
		return fault(wire.AlertUnexpectedMessage, "the server sent a second HelloRetryRequest", "RFC 8446 §4.1.4", nil)
	}
	if v, err := selectedVersion(m); err != nil {
		return err
	} else if v != s.Result.Version {
		return fault(wire.AlertIllegalParameter, "the server changed the version after its HelloRetryRequest", "RFC 8446 §4.1.4", nil)
	}
	copy(s.Result.Secrets.ServerRandom[:], m.Random)
	if err := s.checkServerHello13(m); err != nil {
		return err
	}
	if err := s.confirmAgain(); err != nil {
		return err
	}
	for _, x := range m.Extensions {
		if x.Type != wire.ExtSupportedVersions && x.Type != wire.ExtKeyShare && x.Type != wire.ExtPreSharedKey && (x.Type != wire.ExtCertWithExternPSK || !s.Config.Beside) {
			return s.misplaced(x.Type)
		}
	}
	if err := s.resumeAsClient13(m); err != nil {
		return err
	}
	if err := s.acceptBeside(m); err != nil {
		return err
	}
	var entry wire.KeyShareEntry
	found, err := m.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { entry = wire.ReadKeyShare(r) })
	if err != nil {
		return syntax(err)
	}
	if !found && s.keyAlone() && s.Config.PSKAlone && s.retryGroup == 0 {
		s.withoutDH = true
		return nil
	}
	if !found {
		return fault(wire.AlertMissingExtension, "the server sent no key share", "RFC 8446 §4.2.8", nil)
	}
	if s.keyAlone() && s.Config.PrefersPSKAlone {
		return fault(wire.AlertIllegalParameter, "the server does a key exchange beside the PSK, which we did not offer", "RFC 8446 §4.2.9", nil)
	}
	if s.retryGroup != 0 && entry.Group != s.retryGroup {
		return fault(wire.AlertIllegalParameter, "the server's key share is not in the group of its HelloRetryRequest", "RFC 8446 §4.2.8", nil)
	}
	if err := s.finishShare(entry); err != nil {
		return err
	}
	s.choseGroup(wire.Server, "the server's choice among our key shares")
	return nil
}

// sendEncryptedExtensions and recvEncryptedExtensions: RFC 8446 §4.3.1.
func sendEncryptedExtensions(s *State, _ context.Context) (wire.Message, error) {
	if err := s.lacksParameters(); err != nil {
		return nil, err
	}
	m := &s.msg.encrypted
	s.arena = s.arena[:0]
	m.Extensions = s.answerExtensions(m.Extensions[:0])
	return m, nil
}

// A resumed server's chain is verified again here: now the server can read why it
// is refused.
func recvEncryptedExtensions(s *State, ctx context.Context, msg wire.Message) error {
	x := msg.(*wire.EncryptedExtensions).Extensions
	if err := s.acceptExtensions(x); err != nil {
		return err
	}
	if err := s.demandQUIC(x); err != nil {
		return err
	}
	if err := s.judgeEarly(); err != nil {
		return err
	}
	if s.resumed != nil {
		return s.takePeerAsClient(ctx, s.resumed)
	}
	return nil
}
