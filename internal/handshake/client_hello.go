package handshake

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// sendClientHello makes the client's offer. RFC 8446 §4.1.2.
func sendClientHello(s *State, ctx context.Context) (wire.Message, error) {
	if err := s.startECH(); err != nil {
		return nil, err
	}
	s.Result.ServerName = s.Config.ServerName // which the application is asked about, for a session too
	if err := s.lacksParameters(); err != nil {
		return nil, err
	}
	if s.Config.Sessions && s.previous == nil && s.offered == nil {
		s.offered = s.Config.LoadSession(ctx, s)
	}
	if s.Config.QUIC != nil && s.Config.QUIC.Waits() {
		return nil, errWait
	}
	random := [37]byte{}
	if err := s.random(random[:]); err != nil {
		return nil, err
	}
	copy(s.Result.Secrets.ClientRandom[:], random[:32])
	copy(s.greaseSeed[:], random[32:])
	if err := s.shuffle(); err != nil {
		return nil, err
	}
	s.noteOwnHello()
	if err := s.pickSessionID(); err != nil {
		return nil, err
	}
	if err := s.makeShares(); err != nil {
		return nil, err
	}
	return s.offerInRoom(), nil
}

// offerInRoom leaves out a session whose ticket leaves no room for the rest. A second
// hello may be without a PSK, but not without a session_ticket that the first one has.
func (s *State) offerInRoom() *wire.ClientHello {
	m := s.buildClientHello()
	if c := s.offered; c == nil || len(c.Ticket) == 0 || s.Result.HelloRetry && !c.isPSK() || s.fitsOffer(m) == nil {
		return m
	}
	s.offered = nil
	return s.buildClientHello()
}

// pickSessionID: the ID of a session to resume; or a random one, by which the
// client sees that its ticket was taken (RFC 5077 §3.4) and which makes a
// TLS 1.3 handshake look like a resumption to middleboxes (RFC 8446 §D.4). In QUIC nothing
// is to be seen, and it stays empty (RFC 9001 §8.4).
func (s *State) pickSessionID() error {
	if s.offered != nil && len(s.offered.ID) > 0 {
		s.sessionLen = copy(s.sessionID[:], s.offered.ID)
		return nil
	}
	if (s.offers13() || s.offered != nil) && s.Config.QUIC == nil {
		s.sessionLen = 32
		return s.random(s.sessionID[:])
	}
	return nil
}

func (s *State) random(b []byte) error {
	if _, err := io.ReadFull(s.Config.Rand, b); err != nil {
		return fault(wire.AlertInternalError, "no randomness could be had", "", err)
	}
	return nil
}

func (s *State) buildClientHello() *wire.ClientHello {
	m := &s.hello
	s.arena = s.arena[:0]
	s.listPSKs()
	m.LegacyVersion = min(s.Config.newest(), wire.TLS12)
	m.Random = s.Result.Secrets.ClientRandom[:]
	m.SessionID = s.sessionID[:s.sessionLen]
	m.CipherSuites = m.CipherSuites[:0]
	if s.Config.GREASE {
		m.CipherSuites = append(m.CipherSuites, wire.CipherSuite(s.grease(greaseSuite)))
	}
	for _, c := range s.Config.Suites {
		if s.Config.Uses(c) {
			m.CipherSuites = append(m.CipherSuites, c.ID)
		}
	}
	if s.Config.Fallback {
		m.CipherSuites = append(m.CipherSuites, wire.TLS_FALLBACK_SCSV)
	}
	m.CompressionMethods = m.CompressionMethods[:0]
	if s.Config.Compression && !s.offers13() {
		m.CompressionMethods = append(m.CompressionMethods, wire.CompressionDeflate)
	}
	m.CompressionMethods = append(m.CompressionMethods, wire.CompressionNull)
	m.Extensions = m.Extensions[:0]
	switch {
	case !s.bareHello():
		m.Extensions = s.offerExtensions(m.Extensions)
	case s.previous != nil:
		m.Extensions = s.body(m.Extensions, wire.ExtRenegotiationInfo, offerRenegotiation)
	default:
		m.CipherSuites = append(m.CipherSuites, wire.TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
	}
	m.NoExtensions = len(m.Extensions) == 0
	return m
}

// recvSSL2Hello reads the offer of a client that starts as SSL 2.0 did. From
// then on it is as if it had sent the same in a ClientHello. RFC 5246 §E.2.
func recvSSL2Hello(s *State, ctx context.Context, msg wire.Message) error {
	s.hello = *msg.(*wire.SSL2ClientHello).Hello()
	return recvClientHello(s, ctx, &s.hello)
}

// recvClientHello reads the offer and decides, by the version's rules, what the
// connection will be.
func recvClientHello(s *State, ctx context.Context, _ wire.Message) error {
	if err := s.openHello(ctx); err != nil {
		return err
	}
	if err := s.readOffer(); err != nil {
		return err
	}
	copy(s.Result.Secrets.ClientRandom[:], s.hello.Random)
	s.Offer.Hello = &s.hello
	if err := checkServerName(s.Offer.ServerName); err != nil {
		return err
	}
	s.Result.ServerName = s.Offer.ServerName
	var listed []wire.Version
	if s.hello.Extensions.Has(wire.ExtSupportedVersions) {
		listed = s.Offer.Versions
		if err := checkLegacyVersion(wire.Client, s.hello.LegacyVersion); err != nil {
			return err
		}
	}
	s.Offer.Versions = offeredVersions(s.hello.LegacyVersion, listed, s.Offer.Versions[:0])
	if s.previous == nil { // a renegotiation keeps the Config
		c, err := s.Config.ForClient(ctx, s)
		if err != nil {
			return refusedBy("GetConfigForClient", err)
		}
		if c != nil {
			s.Config = c
		}
	}
	v := pickVersion(s.Config.Versions, s.Offer.Versions)
	if v == 0 {
		s.choseVersion()
		return disagree(wire.AlertProtocolVersion, "version", "RFC 8446 §4.2.1", names(s.Config.Versions), s.Offer.versionNames(), moreVersions)
	}
	s.setProfile(v)
	s.choseVersion()
	if err := s.checkClientHello(); err != nil {
		return err
	}
	return s.profile.accept(s, ctx)
}

// checkClientHello holds what every version demands.
func (s *State) checkClientHello() error {
	m := &s.hello
	if slices.Contains(m.CipherSuites, wire.TLS_FALLBACK_SCSV) && s.Result.Version < s.Config.newest() {
		return fault(wire.AlertInappropriateFallback, "the client fell back to "+s.Result.Version.String()+", but we could do better: someone in between has broken its first try", "RFC 7507 §3", nil)
	}
	if !slices.Contains(m.CompressionMethods, wire.CompressionNull) {
		return fault(wire.AlertIllegalParameter, "the client does not offer to leave out compression", "RFC 5246 §7.4.1.2", nil)
	}
	if len(m.CompressionMethods) != 1 && s.profile.noCompression {
		return fault(wire.AlertIllegalParameter, "the client offers compression with TLS 1.3", "RFC 8446 §4.1.2", nil)
	}
	if s.asked(wire.ExtECPointFormats) && s.hasPoints() && !slices.Contains(s.Offer.Points, wire.PointFormatUncompressed) {
		return fault(wire.AlertIllegalParameter, "the client does not speak uncompressed points", "RFC 8422 §5.1.2", nil)
	}
	if err := s.checkLimits(); err != nil {
		return err
	}
	if err := s.checkQUIC(); err != nil {
		return err
	}
	return s.checkRenegotiation()
}

// sendSecondHello is the client's answer to a HelloRetryRequest: the same
// offer with the share and cookie asked for. RFC 8446 §4.1.2.
func sendSecondHello(s *State, _ context.Context) (wire.Message, error) {
	if s.retryGroup != 0 {
		if err := s.makeShares(); err != nil {
			return nil, err
		}
	}
	return s.offerInRoom(), nil
}

// recvSecondHello: the client must repeat itself, and have the share we asked for.
func recvSecondHello(s *State, _ context.Context, _ wire.Message) error {
	if err := s.reopenHello(); err != nil {
		return err
	}
	var first wire.ClientHello
	wire.Decode(&first, s.firstHello[wire.HeaderLen:], wire.Context{}, nil) // it was decoded before
	if !sameOffer(&first, &s.hello) {
		return fault(wire.AlertIllegalParameter, "the client's second ClientHello differs from its first in more than we asked for", "RFC 8446 §4.1.2", nil)
	}
	s.Offer.again()
	if err := s.readOffer(); err != nil {
		return err
	}
	if !bytes.Equal(s.Offer.Cookie, s.cookie) {
		return fault(wire.AlertIllegalParameter, "the client did not return our cookie", "RFC 8446 §4.2.2", nil)
	}
	if s.hello.Extensions.Has(wire.ExtEarlyData) {
		return fault(wire.AlertIllegalParameter, "the client's second ClientHello announces early data", "RFC 8446 §4.1.2", nil)
	}
	if err := s.demand13(); err != nil {
		return err
	}
	if s.withoutDH {
		return nil
	}
	if len(s.Offer.Shares) != 1 || s.Offer.Shares[0].Group != s.retryGroup {
		return fault(wire.AlertIllegalParameter, "the client's second ClientHello does not have the one key share that we asked for", "RFC 8446 §4.2.8", nil)
	}
	if s.psk() {
		if err := s.takePSK(); err != nil {
			return err
		}
	}
	return s.respond13(s.Offer.Shares[0].Share)
}

// mayChange are the extensions in which a second ClientHello may differ.
var mayChange = []wire.ExtensionType{wire.ExtKeyShare, wire.ExtCookie, wire.ExtPreSharedKey, wire.ExtEarlyData, wire.ExtPadding}

// sameOffer compares what two ClientHellos offer. The order of extensions means nothing,
// but that pre_shared_key is last, which demandPSK sees to; there are clients that
// change it. RFC 8446 §4.1.2, §4.2.
func sameOffer(a, b *wire.ClientHello) bool {
	return a.LegacyVersion == b.LegacyVersion && bytes.Equal(a.Random, b.Random) && bytes.Equal(a.SessionID, b.SessionID) &&
		slices.Equal(a.CipherSuites, b.CipherSuites) && slices.Equal(a.CompressionMethods, b.CompressionMethods) &&
		slices.EqualFunc(fixed(a.Extensions), fixed(b.Extensions), func(x, y wire.Extension) bool {
			return x.Type == y.Type && bytes.Equal(x.Data, y.Data)
		})
}

// fixed are the extensions that must stay the same, in the order of their numbers.
func fixed(x wire.Extensions) wire.Extensions {
	x = slices.DeleteFunc(slices.Clone(x), func(e wire.Extension) bool { return slices.Contains(mayChange, e.Type) })
	slices.SortFunc(x, func(a, b wire.Extension) int { return cmp.Compare(a.Type, b.Type) })
	return x
}
