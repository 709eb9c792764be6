package handshake

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	stdtls "crypto/tls"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// accept12 decides what a connection up to TLS 1.2 will be. RFC 5246 §7.4.1.
func accept12(s *State, ctx context.Context) error {
	if err := s.random(s.Result.Secrets.ServerRandom[:]); err != nil {
		return err
	}
	sentinel(s.Config.newest(), s.Result.Version, s.Result.Secrets.ServerRandom[:])
	if err := s.agreeALPN(); err != nil {
		return err
	}
	if err := s.keepsProtocol(); err != nil {
		return err
	}
	s.Result.ExtendedMasterSecret = !s.Config.NoExtendedMasterSecret && s.asked(wire.ExtExtendedMasterSecret)
	if err := s.demandEMS(); err != nil {
		return err
	}
	s.wantTicket = s.Config.Tickets && s.asked(wire.ExtSessionTicket)
	s.agreeCompression()
	s.agreeLimits()
	taken, err := s.resume12(ctx)
	if err != nil || taken {
		return err
	}
	own, err := s.certify12(ctx)
	if err != nil {
		return err
	}
	picked := pickSuite(s.ownSuites(), s.Offer.Suites, s.Result.Version, func(c *suite.Suite) bool { return own.fits(c) && s.admits(c) })
	s.choseSuite(picked, own.why)
	if picked == nil {
		return s.noSuite12(own)
	}
	s.Result.Suite = picked
	s.Result.EncryptThenMAC = !s.Config.NoEncryptThenMAC && isCBC(picked) && s.asked(wire.ExtEncryptThenMAC)
	if err := s.keepsEncryptThenMAC(); err != nil {
		return err
	}
	s.Result.ClientAuth = (s.Config.ClientAuth != 0 || s.hadCertificate()) && mayAskForCertificate(picked)
	if err := s.keepsAuthentication(); err != nil {
		return err
	}
	if err := s.agreeClientType(); err != nil {
		return err
	}
	s.transcript.keep = s.Result.ClientAuth && s.profile.schemes == nil
	s.transcript.use(s.hash())
	if !picked.KeyExchange.Certificate() {
		s.certificate, s.Result.Secrets.OwnCertificate, s.Result.ServerCertificate = new(stdtls.Certificate), nil, 0
	}
	if picked.KeyExchange.Share() == wire.ShareEC {
		s.Result.Group = own.group
		s.choseGroup(wire.Server, "our best one that the client lists and "+s.Result.Version.String()+" knows")
	}
	if picked.KeyExchange.Signed() {
		s.scheme, s.Result.ServerScheme = own.scheme, own.scheme
		s.choseScheme(wire.Server, own.schemes)
	}
	return s.newSessionID()
}

// means is what the server has for suites to be built on.
type means struct {
	pub     crypto.PublicKey // of its certificate; nil for none
	decrypt bool             // the certificate's key can decrypt
	group   wire.NamedGroup  // the elliptic curve; 0 for none in common
	dh      bool             // there is a finite field in common
	scheme  wire.SignatureScheme
	schemes []wire.SignatureScheme // those the scheme was picked from
	why     string
}

// certify12 picks the certificate, if a suite in common needs one.
func (s *State) certify12(ctx context.Context) (own means, err error) {
	own = means{group: pickECDHE(s.Config.Groups, s.Offer.Groups), dh: s.ownDH() != nil, why: "there is no certificate"}
	needs := func(c *suite.Suite) bool { return c.KeyExchange.Certificate() }
	bare := func(c *suite.Suite) bool { return !c.KeyExchange.Certificate() }
	if !s.Config.Certified && pickSuite(s.Config.Suites, s.Offer.Suites, s.Result.Version, bare) != nil ||
		pickSuite(s.Config.Suites, s.Offer.Suites, s.Result.Version, needs) == nil {
		return own, nil
	}
	if err := s.certify(ctx); err != nil {
		return own, err
	}
	return own, own.have(s, s.certificate)
}

// have adds what the certificate is good for.
func (m *means) have(s *State, c *stdtls.Certificate) (err error) {
	if m.pub, err = publicKey(c); err != nil {
		return err
	}
	m.decrypt = canDecrypt(c, m.pub)
	m.why = "the certificate's key is " + keyName(m.pub)
	m.schemes = s.clientSchemes()
	m.scheme = pickScheme(m.pub, m.schemes, s.restriction(c), false)
	return nil
}

// foreign reports whether an ECDSA key is on a curve that the client does not
// list. Up to TLS 1.2 its list is for certificates too (RFC 8422 §5.1), so another
// certificate is better; but some list what they exchange keys with only, so it is
// used where there is no other.
func foreign(pub crypto.PublicKey, groups []wire.NamedGroup) bool {
	key, ok := pub.(*ecdsa.PublicKey)
	return ok && len(groups) > 0 && !slices.Contains(groups, certificateCurves[key.Curve])
}

var certificateCurves = map[elliptic.Curve]wire.NamedGroup{elliptic.P256(): wire.GroupP256, elliptic.P384(): wire.GroupP384, elliptic.P521(): wire.GroupP521}

// clientSchemes are what the client verifies and we sign with.
func (s *State) clientSchemes() []wire.SignatureScheme {
	if s.profile.schemes != nil {
		return s.profile.schemes
	}
	schemes := s.Offer.Schemes
	if !s.asked(wire.ExtSignatureAlgorithms) {
		schemes = []wire.SignatureScheme{wire.RSAPKCS1SHA1, wire.ECDSASHA1, wire.DSASHA1} // RFC 5246 §7.4.1.4.1
	}
	return s.signable(schemes)
}

// signable are those of the peer's schemes that we sign with: what is off is not
// used because somebody asks for it, nor a number that has a meaning only here.
func (s *State) signable(theirs []wire.SignatureScheme) []wire.SignatureScheme {
	ours := s.Config.Signs
	if ours == nil {
		ours = s.Config.Schemes
	}
	return slices.DeleteFunc(slices.Clone(theirs), func(x wire.SignatureScheme) bool { return !slices.Contains(ours, x) })
}

// fits reports whether there is all that the suite's key exchange needs.
func (m *means) fits(c *suite.Suite) bool {
	kx := c.KeyExchange
	switch {
	case kx.Certificate() && (m.pub == nil || c.Auth != authOf(m.pub)),
		kx.Signed() && m.scheme == 0,
		kx.Encrypted() && !m.decrypt,
		kx.Share() == wire.ShareEC && m.group == 0,
		kx.Share() == wire.ShareDH && !m.dh:
		return false
	}
	return true
}

// admits: where a client must show a certificate, a suite must have a place for it.
func (s *State) admits(c *suite.Suite) bool {
	return !s.requiresCertificate() || mayAskForCertificate(c)
}

// mayAskForCertificate: an anonymous server must not ask for a certificate, and
// with a pre-shared key nobody needs one. RFC 5246 §7.4.4, RFC 4279 §2.
func mayAskForCertificate(c *suite.Suite) bool {
	return c.KeyExchange.Certificate() && !c.KeyExchange.PSK()
}

// agreeCompression takes the client's DEFLATE where it is switched on. RFC 3749.
func (s *State) agreeCompression() {
	if s.Config.Compression && slices.Contains(s.hello.CompressionMethods, wire.CompressionDeflate) {
		s.Result.Compression = wire.CompressionDeflate
	}
}

// ownSuites is our order for this client.
func (s *State) ownSuites() []*suite.Suite {
	switch {
	case s.Config.ClientOrder:
		return inOrderOf(s.Offer.Suites, s.Config.Suites)
	case s.Config.AdaptSuites:
		return forClient(s.Config.Suites, s.Offer.Suites)
	}
	return s.Config.Suites
}

// usableSuites are ours of the version agreed on.
func (s *State) usableSuites() []*suite.Suite {
	return slices.DeleteFunc(slices.Clone(s.Config.Suites), func(c *suite.Suite) bool { return !usable(c, s.Result.Version) })
}

// agreeALPN is strict: a client that asks and gets nothing is turned away.
func (s *State) agreeALPN() error {
	if !s.asked(wire.ExtALPN) {
		if s.previous != nil {
			s.Result.ALPN = s.previous.ALPN
		}
		return nil
	}
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
