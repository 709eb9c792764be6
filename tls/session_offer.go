package tls

import (
	"bytes"
	"context"
	"slices"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// LoadSession returns a session for this server that this Config may resume.
// TLS 1.3 tickets are used once, so that they do not link connections (RFC 8446
// §C.4).
func (h *host) LoadSession(ctx context.Context, s *handshake.State) *handshake.ClientSession {
	c, cache := (*Conn)(h), h.config.ClientSessionCache
	if c.sessionKey() == "" {
		return nil
	}
	cs := take(cache, c.sessionKey())
	if cs == nil || cs.state == nil || cs.state.session == nil || !offerable(s, cs) {
		return nil
	}
	one := cs.state.session
	if !h.config.now().Before(one.Expiry()) || !h.stillTrusted(one) {
		cache.Put(c.sessionKey(), nil)
		return nil
	}
	if !h.showsAgain(ctx, s, one) {
		return nil
	}
	c.offered = cs
	return &handshake.ClientSession{Session: one, Ticket: cs.ticket, ID: cs.id}
}

// offerable: what was agreed then is on offer now.
func offerable(s *handshake.State, cs *ClientSessionState) bool {
	one := cs.state.session
	own := suite.ByID(one.Suite)
	switch {
	case !slices.Contains(s.Config.Versions, one.Version), own == nil, !slices.Contains(s.Config.Suites, own),
		one.ServerName != s.Config.ServerName,
		len(one.PeerChain) == 0 && certified(own), // there would be nothing to verify
		len(cs.id) == 0 && !s.Config.Tickets,
		one.ExtendedMasterSecret && s.Config.NoExtendedMasterSecret: // the server would have to abort, RFC 7627 §5.3
		return false
	}
	return true
}

// taker is our own cache: between its Get and its Put there would be room for others.
type taker interface {
	take(key string) *ClientSessionState
}

// take returns what a cache has under a key, and removes what is to be used once.
func take(cache ClientSessionCache, key string) *ClientSessionState {
	if own, is := cache.(taker); is {
		return own.take(key)
	}
	cs, ok := cache.Get(key)
	if !ok {
		return nil
	}
	if cs.once() {
		cache.Put(key, nil)
	}
	return cs
}

// once reports whether the session is to be offered once.
func (cs *ClientSessionState) once() bool {
	if cs == nil || cs.state == nil || cs.state.session == nil {
		return false
	}
	p := handshake.ProfileOf(cs.state.session.Version) // nil for a version of another release
	return p != nil && p.Updates
}

// stillTrusted reports whether the server's chain would be accepted now: the server
// cannot resume with us otherwise, and would fail each time (RFC 5077 §3.2).
func (h *host) stillTrusted(one *session.Session) bool {
	if h.config.InsecureSkipVerify || len(one.PeerChain) == 0 {
		return true
	}
	chain, err := certcheck.Parse(one.PeerChain)
	if err == nil {
		_, err = h.verifyChain(wire.Client, NoClientCert, chain)
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
		return one.Binding == handshake.Shown(nil) || slices.ContainsFunc(c.Certificates, func(cert Certificate) bool {
			return one.Binding == leafDigest(&cert)
		})
	}
	info := &CertificateRequestInfo{Version: uint16(one.Version)}
	for _, scheme := range s.Config.Schemes {
		info.SignatureSchemes = append(info.SignatureSchemes, SignatureScheme(scheme))
	}
	handshake.SetContext(info, ctx)
	cert, _, err := h.ClientCertificate(info)
	return err == nil && one.Binding == leafDigest(cert)
}

func leafDigest(c *Certificate) [32]byte {
	if len(c.Certificate) == 0 {
		return handshake.Shown(nil)
	}
	return handshake.Shown(c.Certificate[0])
}

// drop removes a session, nil for none, that was on offer in a handshake which has failed:
// offered again, it could fail for as long as it is valid. RFC 5077 §3.2. Those that
// are used once are gone, and what another connection has put there stays.
func (c *Conn) drop(offered *ClientSessionState) {
	if offered == nil || offered.once() {
		return
	}
	now, ok := c.config.ClientSessionCache.Get(c.cacheKey)
	if ok && now != nil && bytes.Equal(now.ticket, offered.ticket) && bytes.Equal(now.id, offered.id) {
		c.config.ClientSessionCache.Put(c.cacheKey, nil)
	}
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
	h.config.ClientSessionCache.Put(c.sessionKey(), &ClientSessionState{
		ticket: s.Ticket, id: s.ID, state: &SessionState{session: one}, owner: h.config.GetClientCertificate,
	})
}
