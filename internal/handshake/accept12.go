package handshake

import (
	"context"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// accept12 decides what a TLS 1.2 connection will be. RFC 5246 §7.4.1.
func accept12(s *State, ctx context.Context) error {
	if err := s.random(s.Result.Secrets.ServerRandom[:]); err != nil {
		return err
	}
	sentinel(s.Config.newest(), s.Result.Version, s.Result.Secrets.ServerRandom[:])
	if err := s.agreeALPN(); err != nil {
		return err
	}
	s.Result.ExtendedMasterSecret = !s.Config.NoExtendedMasterSecret && s.asked(wire.ExtExtendedMasterSecret)
	s.wantTicket = s.Config.Tickets && s.asked(wire.ExtSessionTicket)
	taken, err := s.resume12(ctx)
	if err != nil || taken {
		return err
	}
	if err := s.pickCertificate(ctx); err != nil {
		return err
	}
	pub, err := publicKey(s.certificate)
	if err != nil {
		return err
	}
	group := pickECDHE(s.Config.Groups, s.Offer.Groups)
	schemes := s.Offer.Schemes
	if !s.asked(wire.ExtSignatureAlgorithms) {
		schemes = []wire.SignatureScheme{wire.RSAPKCS1SHA1, wire.ECDSASHA1} // RFC 5246 §7.4.1.4.1
	}
	schemes = slices.DeleteFunc(slices.Clone(schemes), func(x wire.SignatureScheme) bool { return !slices.Contains(s.Config.Schemes, x) })
	scheme := pickScheme(pub, schemes, s.certificate.SupportedSignatureAlgorithms, false)
	fits := func(c *suite.Suite) bool {
		return c.Auth == authOf(pub) && (c.KeyExchange != wire.KeyExchangeECDHE || group != 0 && scheme != 0) &&
			(c.KeyExchange != wire.KeyExchangeRSA || canDecrypt(s.certificate))
	}
	picked := pickSuite(s.ownSuites(), s.Offer.Suites, s.Result.Version, fits)
	s.choseSuite(picked, "the certificate's key is "+keyName(pub))
	if picked == nil {
		return s.noSuite12(pub, group, scheme)
	}
	s.Result.Suite = picked
	s.transcript.keep = s.Config.ClientAuth != 0
	s.transcript.use(picked.Hash)
	s.Result.EncryptThenMAC = !s.Config.NoEncryptThenMAC && isCBC(picked) && s.asked(wire.ExtEncryptThenMAC)
	s.Result.ClientAuth = s.Config.ClientAuth != 0
	if picked.KeyExchange == wire.KeyExchangeECDHE {
		s.Result.Group, s.scheme, s.Result.ServerScheme = group, scheme, scheme
		s.choseGroup(wire.Server, "our best one that the client lists and TLS 1.2 knows")
		s.choseScheme(wire.Server, schemes)
	}
	return s.newSessionID()
}

// ownSuites is our order for this client.
func (s *State) ownSuites() []*suite.Suite {
	if !s.Config.AdaptSuites {
		return s.Config.Suites
	}
	return forClient(s.Config.Suites, s.Offer.Suites)
}

// noSuite12 explains which part of the suites did not fit.
func (s *State) noSuite12(pub any, group wire.NamedGroup, scheme wire.SignatureScheme) error {
	hint := "our certificate has a key for " + keyName(pub) + " suites"
	switch {
	case group == 0:
		hint = "no group is in common either: we accept " + list(names(s.Config.Groups)) + ", the client lists " + list(names(s.Offer.Groups))
	case scheme == 0:
		hint = "no signature scheme for our " + keyName(pub) + " key is in common either: the client verifies " + list(names(s.Offer.Schemes))
	}
	return disagree(wire.AlertHandshakeFailure, "cipher suite", "RFC 5246 §7.4.1.3", s.usableSuites(), s.Offer.Suites, hint)
}

// usableSuites are ours of the version agreed on.
func (s *State) usableSuites() []*suite.Suite {
	return slices.DeleteFunc(slices.Clone(s.Config.Suites), func(c *suite.Suite) bool { return !usable(c, s.Result.Version) })
}

// agreeALPN is strict: a client that asks and gets nothing is turned away.
func (s *State) agreeALPN() error {
	picked, none := pickALPN(s.Config.ALPN, s.Offer.ALPN)
	s.Result.ALPN = picked
	if picked != "" || none {
		s.choseALPN(wire.Server, s.Config.ALPN, s.Offer.ALPN)
	}
	if none {
		return disagree(wire.AlertNoApplicationProtocol, "application protocol", "RFC 7301 §3.2", s.Config.ALPN, s.Offer.ALPN,
			"add the client's protocol to NextProtos, or have the client ask for ours")
	}
	return nil
}
