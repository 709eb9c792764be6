package tls

import (
	"context"
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// LoadSession returns a session for this server that this Config may resume.
func (h *host) LoadSession(ctx context.Context, s *handshake.State) *handshake.ClientSession {
	c, cache := (*Conn)(h), h.config.ClientSessionCache
	var cs *ClientSessionState
	if c.sessionKey() == "" {
		return nil
	}
	restock(cache, c.sessionKey(), func(now *ClientSessionState) *ClientSessionState {
		cs = now
		return now.offered(h.config.Resumption.SingleUse)
	})
	if cs == nil || cs.state == nil || cs.state.session == nil || !offerable(s, cs) {
		return nil
	}
	one := cs.state.session
	if one.MaxEarlyData > 0 && !cs.state.EarlyData {
		without := cs.state.value()
		one = &without
	}
	if !h.config.now().Before(one.Expiry()) || !h.stillTrusted(ctx, s, one) {
		cache.Put(c.sessionKey(), nil)
		return nil
	}
	if !h.showsAgain(ctx, s, one) || !h.hasPSK(s, one) {
		return nil
	}
	if s := c.shaking.Load(); s != nil { // in a further handshake nothing is resumed
		s.offered = cs
	}
	return &handshake.ClientSession{Session: one, Ticket: cs.ticket, ID: cs.id}
}

// offerable: what was agreed then is on offer now.
func offerable(s *handshake.State, cs *ClientSessionState) bool {
	one := cs.state.session
	own := suite.ByID(one.Suite)
	switch {
	case !slices.Contains(s.Config.Versions, one.Version), own == nil, !slices.Contains(s.Config.Suites, own),
		one.ServerName != s.Config.ServerName,
		len(one.PeerChain)+len(one.PeerKey) == 0 && certified(own) && one.PSK == nil, // there would be nothing to verify
		s.Config.Beside, one.PSK == nil && s.Config.NeedsPSK,
		len(cs.id) == 0 && !s.Config.Tickets, len(cs.ticket) > maxTicket,
		one.ExtendedMasterSecret && s.Config.NoExtendedMasterSecret: // the server would have to abort, RFC 7627 §5.3
		return false
	}
	return true
}

// once reports whether the session is better offered once.
func (cs *ClientSessionState) once() bool {
	if cs == nil || cs.state == nil || cs.state.session == nil {
		return false
	}
	p := handshake.ProfileOf(cs.state.session.Version) // nil for a version of another release
	return p != nil && p.Updates
}

// stillTrusted reports whether the server's chain would be accepted now: the server
// cannot resume with us otherwise, and would fail each time (RFC 5077 §3.2).
func (h *host) stillTrusted(ctx context.Context, s *handshake.State, one *session.Session) bool {
	switch {
	case len(one.PeerKey) > 0:
		return h.keyStillTrusted(ctx, s, one)
	case len(one.PeerChain) > 0 && !takes(s.Config, CertificateTypeX509):
		return false
	}
	if len(one.Delegated) == 0 && h.config.InsecureSkipVerify || len(one.PeerChain) == 0 {
		return true
	}
	chain, err := certcheck.Parse(one.PeerChain)
	if err == nil && !h.delegationGood(one, chain[0]) {
		return false
	}
	if err == nil {
		_, err = h.verifyChain(ctx, wire.Client, NoClientCert, chain, certcheck.Options{
			Staples: one.Staples(), MustStaple: handshake.ProfileOf(one.Version).Staples(),
		})
	}
	return err == nil
}

// showsAgain reports whether the server would be shown now what it was shown then: it
// does not ask, and takes us for whom we were. Whom it would accept is not known
// before it asks, so that GetClientCertificate is told of no authorities: where its
// answer depends on them and is another, there is a full handshake.
func (h *host) showsAgain(ctx context.Context, s *handshake.State, one *session.Session) bool {
	c := h.config
	if one.Binding == [32]byte{} {
		return true // it has not asked
	}
	if c.GetClientCertificate == nil {
		return one.Binding == handshake.Shown(nil) || c.showsKey(one.Binding) || slices.ContainsFunc(c.Certificates, func(cert Certificate) bool {
			return one.Binding == leafDigest(&cert)
		})
	}
	info := &CertificateRequestInfo{Version: uint16(one.Version)}
	for _, scheme := range s.Config.Schemes {
		info.SignatureSchemes = append(info.SignatureSchemes, SignatureScheme(scheme))
	}
	handshake.SetContext(info, ctx)
	cert, _, err := h.ClientCertificate(info)
	return err == nil && (one.Binding == leafDigest(cert) || c.showsKey(one.Binding) || cert.PrivateKey != nil && one.Binding == keyDigest(cert))
}

func leafDigest(c *Certificate) [32]byte {
	if len(c.Certificate) == 0 {
		return handshake.Shown(nil)
	}
	return handshake.Shown(c.Certificate[0])
}

// drop removes a session, nil for none, that was on offer in a handshake which has failed,
// and those that were kept beside it: offered again, it could fail for as long as it is
// valid, and they may fail as it did. RFC 5077 §3.2. What another connection has put there
// since stays.
func (c *Conn) drop(offered *ClientSessionState) {
	if offered == nil {
		return
	}
	restock(c.config.ClientSessionCache, c.sessionKey(), func(now *ClientSessionState) *ClientSessionState {
		return now.without(offered)
	})
}

// SaveSession keeps a session for the next connection to this server.
func (h *host) SaveSession(r *handshake.Result, s *handshake.ClientSession) {
	c := (*Conn)(h)
	if c.sessionKey() == "" {
		return
	}
	one := s.Session
	if one.CreatedAt.IsZero() {
		one.CreatedAt = h.config.now()
	}
	restock(h.config.ClientSessionCache, c.sessionKey(), func(now *ClientSessionState) *ClientSessionState {
		return now.with(&ClientSessionState{
			ticket: s.Ticket, id: s.ID, state: showSession(one), owner: h.config.GetClientCertificate,
		})
	})
}

// hasPSK reports whether we would show the pre-shared key again that the session began
// with. None does as well.
func (h *host) hasPSK(s *handshake.State, one *session.Session) bool {
	p := one.PSK
	switch {
	case p == nil:
		return true
	case handshake.IsPSK(one):
		return slices.ContainsFunc(s.Config.External, func(x handshake.ExternalPSK) bool { return x.PSK().Digest == p.Digest })
	case h.config.PSK.Client == nil:
		return false
	}
	identity, key, err := h.config.PSK.Client(string(p.Hint))
	return err == nil && handshake.PSKOf(identity, "", key).Digest == p.Digest
}
