package handshake

import (
	"context"
	"crypto/sha256"
	stdtls "crypto/tls"
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// Which sessions may be resumed. Whatever does not fit costs a full handshake,
// never the connection, but for a wrong binder and the EMS rule. The application
// protocol and record_size_limit are the connection's, and agreed on anew. RFC 7301
// §3.1, RFC 8449 §4.

// refusal says why the server does not resume a session; empty if it does.
func (s *State) refusal(c *session.Session) string {
	own := suite.ByID(c.Suite)
	switch {
	case c.Version != s.Result.Version:
		return "it is of " + c.Version.String()
	case own == nil:
		return "its cipher suite is no longer implemented"
	case s.Result.Suite == nil && !slices.Contains(s.Config.Suites, own), !slices.Contains(s.Offer.Suites, c.Suite):
		return "its cipher suite is no longer on offer" // TLS 1.2 takes the suite over
	case s.Result.Suite != nil && s.Result.Suite.Hash != own.Hash:
		return "its hash is not that of the cipher suite" // TLS 1.3 picks anew, RFC 8446 §4.2.11
	case !s.Config.Time().Before(c.Expiry()) || s.Config.Time().Before(c.CreatedAt.Add(-clockSkew)):
		return "it has expired"
	case c.ServerName != s.Result.ServerName:
		return "it is of another server name"
	case c.Binding != *s.Binding():
		return "the rules it was made under have changed"
	case s.requiresCertificate() && len(c.PeerChain)+len(c.PeerKey) == 0:
		return "it has no client certificate, and one is required now"
	case s.Config.ClientAuth == stdtls.NoClientCert && len(c.PeerChain)+len(c.PeerKey) > 0:
		return "it has a client certificate, and none is asked for now"
	}
	return s.gone(c)
}

// bound is a binding and what it was made of.
type bound struct {
	config      *Config
	serverName  string
	compression wire.CompressionMethod
	fragments   wire.MaxFragmentLength
	digest      [32]byte
}

// Binding is that of the Host, which is asked again only where what it digests
// has changed. It is shared: do not write to it.
func (s *State) Binding() *[32]byte {
	b := bound{s.Config, s.Result.ServerName, s.Result.Compression, s.FragmentLength(), s.bound.digest}
	if b != s.bound {
		b.digest = s.Config.Binding(s)
		s.bound = b
	}
	return &s.bound.digest
}

// clockSkew is what clocks of a fleet may differ by. In nanoseconds.
const clockSkew = 60e9

// takePeer takes the peer over from a session, its chain verified again.
func (s *State) takePeer(ctx context.Context, c *session.Session) error {
	p := s.Result.Peer
	p.OCSP, p.IssuerOCSP, p.SCTs = c.OCSP, c.IssuerOCSP, c.SCTs
	switch {
	case len(c.PeerKey) > 0:
		if err := s.notTaken(wire.CertificateTypeRawPublicKey); err != nil {
			return err
		}
		key, err := ParseRawKey(c.PeerKey)
		if err != nil {
			return err
		}
		p.RawKey = key
		return s.Config.VerifyKey(ctx, s, key)
	case len(c.PeerChain) == 0:
		return nil
	}
	if err := s.notTaken(wire.CertificateTypeX509); err != nil {
		return err
	}
	chain, err := certcheck.Parse(c.PeerChain)
	if err != nil {
		return err
	}
	p.Certificates = chain
	if p.Chains, err = s.Config.VerifyPeer(ctx, s, chain); err != nil || len(c.Delegated) == 0 {
		return err
	}
	return s.verifyDelegated(c.Delegated)
}

// resume12 is the server's answer to a ticket or session ID. A ticket goes
// before an ID. RFC 5077 §3.4, RFC 5246 §7.4.1.2.
func (s *State) resume12(ctx context.Context) (taken bool, err error) {
	if s.previous != nil {
		return false, nil // a renegotiation is for new keys, or a new identity
	}
	var c *session.Session
	kind := ResumedNone
	if s.wantTicket && len(s.Offer.Ticket) > 0 {
		if c = s.Config.OpenTicket(s, s.Offer.Ticket); c != nil {
			kind = ResumedByTicket
		}
	} else if s.Config.Store && len(s.hello.SessionID) > 0 {
		if c = s.Config.GetSession(ctx, s.hello.SessionID); c != nil {
			kind = ResumedByID
		}
	}
	if c == nil {
		return false, nil
	}
	why := s.refusal(c)
	if why == "" && c.ExtendedMasterSecret && !s.asked(wire.ExtExtendedMasterSecret) {
		return false, fault(wire.AlertHandshakeFailure, "the client resumes a session with extended master secret, but no longer offers it", "RFC 7627 §5.3", nil)
	}
	if why == "" && c.ExtendedMasterSecret != s.Result.ExtendedMasterSecret {
		why = "extended master secret was then used and is not now, or the other way round"
	}
	if why == "" && s.takePeer(ctx, c) != nil {
		why = "its client certificate is no longer accepted"
		s.forgetPeer()
	}
	s.choseResumption(kind, why)
	if why != "" {
		return false, nil
	}
	s.resumed, s.Result.Resumption, s.Result.Suite = c, kind, suite.ByID(c.Suite)
	s.began(c.PSK)
	s.Result.EncryptThenMAC = !s.Config.NoEncryptThenMAC && isCBC(s.Result.Suite) && s.asked(wire.ExtEncryptThenMAC)
	s.wantTicket = kind == ResumedByTicket && s.Config.RenewTicket(s.Offer.Ticket)
	s.sessionLen = copy(s.sessionID[:], s.hello.SessionID)
	s.transcript.use(s.hash())
	copy(s.master[:], c.Secret)
	return true, nil
}

// newSessionID gives a full TLS 1.2 handshake an ID, if there is a store and no
// ticket. Put follows at the end. RFC 5246 §7.4.1.3.
func (s *State) newSessionID() error {
	if !s.keepable() {
		s.wantTicket = false
		return nil
	}
	if !s.Config.Store || s.wantTicket {
		return nil
	}
	s.sessionLen = 32
	s.newID = s.sessionID[:]
	return s.random(s.sessionID[:])
}

// resumeAsClient12 takes up the session that the server has accepted.
func (s *State) resumeAsClient12(ctx context.Context) error {
	c := s.offered
	if c.Suite != s.Result.Suite.ID {
		return fault(wire.AlertIllegalParameter, "the server resumes a session with another cipher suite", "RFC 5246 §7.4.1.3", nil)
	}
	if c.ExtendedMasterSecret != s.Result.ExtendedMasterSecret {
		return fault(wire.AlertHandshakeFailure, "the server resumes a session but changes extended master secret", "RFC 7627 §5.3", nil)
	}
	if s.Result.Compression != wire.CompressionNull { // see keepable
		return fault(wire.AlertIllegalParameter, "the server resumes a session with another compression", "RFC 5246 §7.4.1.3", nil)
	}
	s.resumed, s.Result.Shown = c.Session, c.Binding
	s.began(c.PSK)
	s.Result.Resumption = ResumedByTicket
	if len(c.ID) > 0 {
		s.Result.Resumption = ResumedByID
	}
	copy(s.master[:], c.Secret)
	s.choseResumption(s.Result.Resumption, "")
	return s.takePeerAsClient(ctx, c.Session)
}

func (s *State) takePeerAsClient(ctx context.Context, c *session.Session) error {
	if err := s.takePeer(ctx, c); err != nil {
		return s.refuse(err)
	}
	return nil
}

// pickPSK is the server's choice among the PSKs: the first that it has and that fits. Only
// the binder of that one is looked at. RFC 8446 §4.2.11.
func (s *State) pickPSK(ctx context.Context) error {
	dhe := slices.Contains(s.Offer.PSKModes, wire.PSKModeDHE)
	alone := s.Config.PSKAlone && !s.Config.Beside && slices.Contains(s.Offer.PSKModes, wire.PSKModePlain)
	beside := s.asked(wire.ExtCertWithExternPSK)
	external := s.Config.AsksExternal && (dhe || alone) && s.admitsKey()
	offered := s.Offer.PSKs.Identities
	for i, id := range offered[:min(len(offered), maxIdentities)] {
		var taken bool
		var err error
		if dhe && s.Config.Tickets && !beside && !s.Config.Beside {
			taken, err = s.resume13(ctx, i, id.Identity)
		}
		if err == nil && !taken && external {
			taken, err = s.takeExternal(i, id.Identity)
		}
		if err != nil || taken {
			return err
		}
	}
	if !s.Config.NeedsPSK && (s.Config.Certified || !s.Config.AsksExternal) {
		return nil
	}
	if len(offered) > 0 && (dhe || alone) {
		return s.refuseUnknown()
	}
	return fault(wire.AlertHandshakeFailure, "the client offers no pre-shared key that could be used, and one is needed", "RFC 8446 §4.2.9, §4.2.11", nil)
}

// admitsKey: an external PSK stands in for no certificate that a client must show. TLS 1.3
// asks for none beside it, but by RFC 9973. RFC 8446 §4.3.2.
func (s *State) admitsKey() bool { return s.Config.Beside || !s.requiresCertificate() }

// resume13 has the server resume the session of a ticket, which is the PSK at index.
func (s *State) resume13(ctx context.Context, index int, ticket []byte) (taken bool, err error) {
	c := s.Config.OpenTicket(s, ticket)
	if c == nil {
		return false, nil
	}
	why := s.refusal(c)
	if why == "" {
		// Whether the client has the secret comes first: a ticket is seen on
		// the wire, and the application must not be asked about a thief's.
		s.key = pskOffer{hash: s.Result.Suite.Hash, secret: c.Secret, kind: &ofSession}
		if err := s.checkBinder(index, &s.key); err != nil {
			return false, err
		}
		if c.PSK != nil && s.isOwnHello() {
			return false, sentByUs()
		}
		if s.takePeer(ctx, c) != nil {
			why = "its client certificate is no longer accepted"
			s.forgetPeer()
			s.key = pskOffer{}
		}
	}
	s.choseResumption(ResumedByPSK, why)
	if why != "" {
		return false, nil
	}
	s.resumed, s.pskIndex, s.Result.Resumption = c, index, ResumedByPSK
	s.pskTicket = sha256.Sum256(ticket)
	s.began(c.PSK)
	if s.Config.QUIC != nil {
		s.Config.QUIC.Resumes(c)
	}
	return true, nil
}

// maxIdentities is how many PSKs the server tries, to bound its work.
const maxIdentities = 8

// takePSK checks after a retry that the client still offers the PSK taken. Its ticket is not
// opened again: one for a single use opens once.
func (s *State) takePSK() error {
	if !s.hello.Extensions.Has(wire.ExtPreSharedKey) {
		return fault(wire.AlertMissingExtension, "the client's second ClientHello lacks pre_shared_key, which its first had", "RFC 8446 §4.1.2", nil)
	}
	for i, id := range s.Offer.PSKs.Identities[:min(len(s.Offer.PSKs.Identities), maxIdentities)] {
		if sha256.Sum256(id.Identity) == s.pskTicket {
			s.pskIndex = i
			return s.checkBinder(i, &s.key)
		}
	}
	return fault(wire.AlertIllegalParameter, "the client's second ClientHello lacks the PSK of its first", "RFC 8446 §4.1.2", nil)
}

// resumeAsClient13 sees whether the server took a PSK of ours. RFC 8446 §4.2.11.
func (s *State) resumeAsClient13(m *wire.ServerHello) error {
	var index uint16
	found, err := m.Extensions.Read(wire.ExtPreSharedKey, func(r *wire.Reader) { index = wire.U16[uint16](r, "selected_identity") })
	if err != nil || !found {
		s.offered = nil
		if s.Config.NeedsPSK && err == nil && !s.ECHRejected() {
			return fault(wire.AlertMissingExtension, "the server takes none of our pre-shared keys, and the Config has it that one is needed", "RFC 8446 §4.2.11", nil)
		}
		return syntax(err)
	}
	if len(s.psks) == 0 {
		return fault(wire.AlertUnsupportedExtension, "the server picked a PSK, and we offered none", "RFC 8446 §4.2.11", nil)
	}
	if int(index) >= len(s.psks) {
		return fault(wire.AlertIllegalParameter, "the server picked a PSK that we did not offer", "RFC 8446 §4.2.11", nil)
	}
	s.key, s.pskIndex = s.psks[index], int(index)
	s.key.nth = 0
	if s.key.hash != s.Result.Suite.Hash {
		return fault(wire.AlertIllegalParameter, "the server picked a cipher suite with another hash than the PSK's", "RFC 8446 §4.2.11", nil)
	}
	if s.offered = s.key.session; s.offered == nil {
		s.began(s.key.external.PSK())
		s.choseExternal()
		return nil
	}
	s.resumed, s.Result.Resumption, s.Result.Shown = s.offered.Session, ResumedByPSK, s.offered.Binding
	s.began(s.resumed.PSK)
	s.choseResumption(ResumedByPSK, "")
	return nil
}

// fill makes c what the two sides keep of this handshake. A resumed session
// keeps its age, so that resuming does not stretch it. Its date has no monotonic
// reading, or the time for which a machine is suspended would not count.
func (s *State) fill(c *session.Session, secret []byte) *session.Session {
	r := s.Result
	*c = session.Session{
		Version: r.Version, Suite: r.Suite.ID, Secret: secret,
		ExtendedMasterSecret: r.ExtendedMasterSecret, EncryptThenMAC: r.EncryptThenMAC,
		ALPN: r.ALPN, ServerName: r.ServerName, Group: r.Group, SignatureScheme: r.ServerScheme,
		CreatedAt: s.Config.Time().Round(0), Lifetime: sessionLifetime, PSK: r.PSK,
	}
	r.Peer.into(c)
	if s.resumed != nil {
		c.CreatedAt, c.Lifetime = s.resumed.CreatedAt, s.resumed.Lifetime
	}
	c.Binding = r.Shown
	if s.isServer() {
		c.Binding = *s.Binding()
	}
	return c
}

// sessionLifetime is how long a server lets a session be resumed. RFC 8446
// §4.6.1 allows seven days; the secrets of a day are at stake at most.
const sessionLifetime = 24 * 60 * 60 * 1e9
