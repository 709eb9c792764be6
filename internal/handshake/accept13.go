package handshake

import (
	"bytes"
	"context"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/wire"
)

// accept13 decides what a TLS 1.3 connection will be. RFC 8446 §4.1.1.
func accept13(s *State, ctx context.Context) error {
	if err := s.random(s.Result.Secrets.ServerRandom[:]); err != nil {
		return err
	}
	s.sessionLen = copy(s.sessionID[:], s.hello.SessionID)
	if err := s.demand13(); err != nil {
		return err
	}
	if err := s.agreeALPN(); err != nil {
		return err
	}
	if err := s.demandALPN(s.Offer.ALPN); err != nil {
		return err
	}
	s.agreeLimits()
	s.Result.PostHandshakeAuth = s.asked(wire.ExtPostHandshakeAuth)
	picked := pickSuite(s.ownSuites(), s.Offer.Suites, s.Result.Version, nil)
	s.choseSuite(picked, "")
	if picked == nil {
		return disagree(wire.AlertHandshakeFailure, "cipher suite", "RFC 8446 §4.1.1", s.usableSuites(), s.Offer.Suites, moreSuites)
	}
	s.Result.Suite = picked
	group, share, ok := pickGroup(s.Config.Groups, s.Offer.Groups, s.Offer.Shares)
	if err := s.pickPSK(ctx); err != nil {
		return err
	}
	s.transcript.use(s.Result.Suite.Hash)
	if err := s.agreeBeside(); err != nil {
		return err
	}
	if err := s.agreeExchange(group, ok); err != nil {
		return err
	}
	if s.Result.ClientAuth = s.Config.ClientAuth != 0 && shows(s) != No; shows(s) != No {
		if err := s.certify13(ctx); err != nil {
			return err
		}
	}
	if err := s.agreeClientType(); err != nil {
		return err
	}
	s.retry = share == nil && !s.withoutDH
	if !s.putOffEarly() {
		if err := s.decideEarly(ctx); err != nil {
			return err
		}
	}
	if s.withoutDH {
		return nil
	}
	if s.retry {
		s.choseGroup(wire.Server, "our best one that the client lists; it sent no key share for it, so we ask for one")
		s.retryGroup, s.Result.HelloRetry = group, true
		s.firstHello = append(s.firstHello[:0], s.Offer.Raw...)
		return nil
	}
	s.choseGroup(wire.Server, "our best one for which the client sent a key share")
	return s.respond13(share)
}

// demand13 checks what a TLS 1.3 ClientHello must have. RFC 8446 §9.2.
func (s *State) demand13() error {
	x := s.hello.Extensions
	alone := x.Has(wire.ExtPreSharedKey) && slices.Contains(s.Offer.PSKModes, wire.PSKModePlain) &&
		!x.Has(wire.ExtSupportedGroups) && !x.Has(wire.ExtKeyShare) // psk_ke needs neither
	for _, t := range []wire.ExtensionType{wire.ExtSupportedGroups, wire.ExtKeyShare} {
		if !x.Has(t) && !alone {
			return lacks(t)
		}
	}
	if !x.Has(wire.ExtSignatureAlgorithms) && !x.Has(wire.ExtPreSharedKey) {
		return fault(wire.AlertMissingExtension, "the client's offer of TLS 1.3 lacks signature_algorithms", "RFC 8446 §9.2", nil)
	}
	if err := s.demandPSK(); err != nil {
		return err
	}
	if err := s.demandBeside(); err != nil {
		return err
	}
	return s.Offer.checkShares(s.Config.Groups)
}

func lacks(t wire.ExtensionType) error {
	return fault(wire.AlertMissingExtension, "the client's offer of TLS 1.3 lacks "+t.String(), "RFC 8446 §9.2", nil)
}

// agreeBeside: a certificate stands beside an external PSK where both sides want it, and a
// server that wants it does not do without. RFC 9973 §5.1.
func (s *State) agreeBeside() error {
	s.beside = s.Config.Beside && s.psk() && s.asked(wire.ExtCertWithExternPSK)
	if s.Config.Beside && !s.beside {
		return fault(wire.AlertHandshakeFailure, "the client wants no certificate beside its pre-shared key, and the Config demands both", "RFC 9973 §5.1", nil)
	}
	if s.keyAlone() {
		s.Result.PostHandshakeAuth = false
	}
	return nil
}

// keyAlone: an external PSK is what both sides are known by, and no certificate is asked for
// later. RFC 8446 §4.6.2, erratum 6205.
func (s *State) keyAlone() bool { return s.psk() && s.resumed == nil && !s.beside }

// agreeExchange: there is one in the group that was picked, if ok, or the PSK alone.
func (s *State) agreeExchange(group wire.NamedGroup, ok bool) error {
	s.withoutDH = s.goesWithoutDH(ok)
	switch {
	case s.withoutDH:
	case !s.asked(wire.ExtKeyShare):
		return lacks(wire.ExtKeyShare)
	case !ok:
		return disagree(wire.AlertHandshakeFailure, "group", "RFC 8446 §4.1.1", s.Config.Groups, s.Offer.Groups, moreGroups)
	default:
		s.Result.Group = group
	}
	return nil
}

// goesWithoutDH: the PSK alone makes the secrets only where the Config allows it, and the
// client does not want more, or there is no group for it. RFC 8446 §4.2.9.
func (s *State) goesWithoutDH(group bool) bool {
	if !s.Config.PSKAlone || !s.keyAlone() || !slices.Contains(s.Offer.PSKModes, wire.PSKModePlain) {
		return false
	}
	return s.Config.PrefersPSKAlone || !group || !slices.Contains(s.Offer.PSKModes, wire.PSKModeDHE)
}

// certify13 picks the certificate and the scheme to sign with.
func (s *State) certify13(ctx context.Context) error {
	if !s.asked(wire.ExtSignatureAlgorithms) {
		return fault(wire.AlertMissingExtension, "the client sent no signature_algorithms, and its PSK is not one of ours", "RFC 8446 §9.2", nil)
	}
	if err := s.certify(ctx); err != nil {
		return err
	}
	if s.pickDelegated() {
		return nil
	}
	pub, err := publicKey(s.certificate)
	if err != nil {
		return err
	}
	s.scheme = pickScheme(pub, s.Offer.Schemes, s.certificate.SupportedSignatureAlgorithms, s.profile.curveBound)
	s.Result.ServerScheme = s.scheme
	s.choseScheme(wire.Server, s.Offer.Schemes)
	if s.scheme == 0 {
		return disagree(wire.AlertHandshakeFailure, "signature scheme", "RFC 8446 §4.4.2.2", schemesFor(pub), s.Offer.Schemes,
			"our certificate's key is "+keyName(pub)+": use one with another kind of key, or have the client accept other schemes")
	}
	return nil
}

// respond13 makes the server's key share from the client's.
func (s *State) respond13(peer []byte) error {
	share, secret, err := kex.AppendResponse(s.share[:0], s.shared[:0], s.Result.Group, peer)
	if err != nil {
		return fault(wire.AlertIllegalParameter, "the client's key share is not valid", "RFC 8446 §4.2.8", err)
	}
	s.share, s.serverShare, s.shared = share, share, secret
	return nil
}

// sendHelloRetry asks for a ClientHello with another key share. RFC 8446 §4.1.4.
func sendHelloRetry(s *State, ctx context.Context) (wire.Message, error) {
	if err := s.decideEarlyNow(ctx); err != nil {
		return nil, err
	}
	m := &s.answer
	s.arena = s.arena[:0]
	m.LegacyVersion, m.Random = wire.TLS12, wire.HelloRetryRandom[:]
	m.SessionID, m.CipherSuite = s.sessionID[:s.sessionLen], s.Result.Suite.ID
	m.Extensions = s.body(m.Extensions[:0], wire.ExtSupportedVersions, selectVersion)
	m.Extensions = s.body(m.Extensions, wire.ExtKeyShare, func(s *State, b []byte) ([]byte, bool) { return wire.AppendU16(b, s.retryGroup), true })
	if s.Config.RetryCookie {
		s.cookie = make([]byte, 32)
		if err := s.random(s.cookie); err != nil {
			return nil, err
		}
		m.Extensions = s.body(m.Extensions, wire.ExtCookie, offerCookie)
	}
	s.transcript.retry(s.digest[:])
	s.confirmRetryECH(m)
	return m, nil
}

func selectVersion(s *State, b []byte) ([]byte, bool) {
	return wire.AppendU16(b, s.Result.Version), true
}

// recvHelloRetry takes the server's wishes. One that asks for nothing new, or
// for what we did not offer, is refused. RFC 8446 §4.1.4.
func recvHelloRetry(s *State, _ context.Context, _ wire.Message) error {
	m := &s.answer
	if err := s.checkServerHello13(m); err != nil {
		return err
	}
	for _, x := range m.Extensions {
		if x.Type != wire.ExtSupportedVersions && x.Type != wire.ExtKeyShare && x.Type != wire.ExtCookie &&
			(x.Type != wire.ExtEncryptedClientHello || s.ech == nil) {
			return s.misplaced(x.Type)
		}
	}
	hasCookie, err := m.Extensions.Read(wire.ExtCookie, func(r *wire.Reader) { s.cookie = bytes.Clone(wire.ReadCookie(r)) })
	if err != nil {
		return syntax(err)
	}
	hasGroup, err := m.Extensions.Read(wire.ExtKeyShare, func(r *wire.Reader) { s.retryGroup = wire.U16[wire.NamedGroup](r, "selected_group") })
	if err != nil {
		return syntax(err)
	}
	if !hasCookie && !hasGroup {
		return fault(wire.AlertIllegalParameter, "the HelloRetryRequest asks for nothing", "RFC 8446 §4.1.4", nil)
	}
	if hasGroup {
		if !slices.Contains(s.Config.Groups, s.retryGroup) {
			return disagree(wire.AlertIllegalParameter, "group", "RFC 8446 §4.2.8", s.Config.Groups, []wire.NamedGroup{s.retryGroup}, "")
		}
		if slices.ContainsFunc(s.shares, func(o ownShare) bool { return o.group == s.retryGroup }) {
			return fault(wire.AlertIllegalParameter, "the HelloRetryRequest asks for a key share that it already has: "+s.retryGroup.String(), "RFC 8446 §4.2.8", nil)
		}
	}
	s.Result.HelloRetry = true
	s.transcript.use(s.Result.Suite.Hash)
	s.transcript.retry(s.digest[:])
	if s.early13.offered {
		s.dropEarly("the server asks for another ClientHello")
		if s.Config.QUIC == nil {
			s.records.InstallOut(Keys{})
		}
	}
	return nil
}
