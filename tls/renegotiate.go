package tls

import (
	"context"
	"time"

	"github.com/vitrine-tls/vitrine/internal/engine"
	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/wire"
)

// ErrNoRenegotiation says that the peer declined a renegotiation. The connection
// goes on.
var ErrNoRenegotiation = engine.ErrNoRenegotiation

// Renegotiate runs another handshake inside the connection, for new keys or, on
// a server, to see the client's certificate as Config.ClientAuth demands. It
// needs TLS 1.2 or before and a peer that knows RFC 5746; in TLS 1.3 there are
// KeyUpdate and RequestClientCertificate.
//
// Data that is under way meanwhile is not lost: what has been sent under the old
// keys arrives before what is sent under the new ones. Write waits from our first
// message on until the renegotiation is complete. If ctx or
// Config.HandshakeTimeout ends first, the connection is closed, unless a client
// has not answered at all.
//
// Somebody must read. If no Read is under way, Renegotiate does it and keeps up
// to a mebibyte of data for the next Read; where that is not enough, or the
// deadline for reading passes, it returns an error, and the handshake goes on
// with the next Read.
//
// ErrNoRenegotiation is returned where the peer declines. RFC 5246 §7.4.1.1,
// RFC 5746.
func (c *Conn) Renegotiate(ctx context.Context) error {
	return c.further(ctx, (*engine.Engine).Renegotiate)
}

// RequestClientCertificate has a server ask its client for a certificate in the
// middle of the connection: by a renegotiation up to TLS 1.2, by post-handshake
// authentication in TLS 1.3. A client of ours allows the first by Renegotiation, the
// second by PostHandshakeAuth. Config.LaterClientAuth says what is demanded.
// Afterwards ConnectionState has what the client showed; where a certificate is not
// required, that may be none. All else is as with Renegotiate. RFC 8446 §4.6.2.
func (c *Conn) RequestClientCertificate(ctx context.Context) error {
	if c.role != wire.Server {
		return &handshake.Error{Rule: "RequestClientCertificate was called on a client"}
	}
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	ask := (*engine.Engine).Renegotiate
	if handshake.ProfileOf(c.engine.Result().Version).Updates {
		ask = (*engine.Engine).Authenticate
	}
	c.flags.set(asksLater)
	return c.further(ctx, ask)
}

// further runs a handshake that start begins.
func (c *Conn) further(ctx context.Context, start func(*engine.Engine, context.Context, *handshake.Config) error) error {
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	h, err := c.resolveFurther()
	if err != nil {
		return err
	}
	for {
		if c.flags.has(closed) {
			return c.gone()
		}
		a, begun, err := c.begin(ctx, func(ctx context.Context) error { return start(c.engine, ctx, h) })
		if err != nil {
			c.answer()
			return c.explain(closedByPeer(err))
		}
		if begun {
			defer context.AfterFunc(ctx, func() { c.absorb(func() { c.giveUp(a, ctx.Err()) }) })()
			c.answerAside(nil)
			return c.await(context.Background(), a)
		}
		// The peer's, or another goroutine's, comes first.
		if err := c.await(ctx, a); err != nil && (err == ctx.Err() || c.renegotiations.current.Load() == a) {
			return err
		}
	}
}

// resolveFurther reads the Config again: that is what a further handshake needs.
func (c *Conn) resolveFurther() (*handshake.Config, error) {
	h := new(handshake.Config)
	if c.role == wire.Client {
		return h, c.config.resolveClient(h, (*host)(c))
	}
	err := c.config.resolveServer(h, (*host)(c))
	if c.flags.has(asksLater) {
		h.ClientAuth, h.ClientCAs = c.config.laterClientAuth(), c.config.clientCAs()
	}
	return h, err
}

func (c *Config) laterClientAuth() ClientAuthType {
	switch {
	case c.LaterClientAuth != NoClientCert:
		return c.LaterClientAuth
	case c.ClientAuth != NoClientCert:
		return c.ClientAuth
	}
	return VerifyClientCertIfGiven
}

// further is the Conn as its engine asks it about the peer's wishes. in is held.
type further Conn

// Config applies the policy: whether the peer may start a handshake at all, and
// how often.
func (f *further) Config() (context.Context, *handshake.Config) {
	c := (*Conn)(f)
	r := &c.renegotiations
	if !c.mayStart() {
		return nil, nil
	}
	h, err := c.resolveFurther()
	if err != nil {
		return nil, nil
	}
	r.byPeer, r.last = r.byPeer+1, c.config.now().UnixNano()
	return c.newAttempt(context.Background()).ctx, h
}

// SaveSession keeps a session of TLS 1.3, which comes after the handshake.
func (f *further) SaveSession(r *handshake.Result, s *handshake.ClientSession) {
	(*host)(f).SaveSession(r, s)
}

// The defaults of Renegotiate, and what has no setting.
const (
	maxAuthentications = 32 // of a client in TLS 1.3 on one connection, each a signature of ours
	maxRenegotiations  = 8
	leastInterval      = time.Second
)

// Spent reports that a server of TLS 1.3 has asked as often as a client answers.
func (f *further) Spent() bool {
	return handshake.ProfileOf((*Conn)(f).engine.Result().Version).Updates && f.renegotiations.byPeer >= maxAuthentications
}

func (c *Conn) mayStart() bool {
	policy, r := &c.config.Renegotiate, &c.renegotiations
	if handshake.ProfileOf(c.engine.Result().Version).Updates {
		return r.byPeer < maxAuthentications // which we have offered
	}
	allowed := policy.FromClient
	if c.role == wire.Client {
		allowed = c.config.Renegotiation == RenegotiateFreelyAsClient || c.config.Renegotiation == RenegotiateOnceAsClient && r.byPeer == 0
	}
	most, interval := policy.Max, policy.MinInterval
	if most == 0 {
		most = maxRenegotiations
	}
	if interval == 0 {
		interval = leastInterval
	}
	return allowed && int(r.byPeer) < most && (r.byPeer == 0 || c.config.now().Sub(time.Unix(0, r.last)) >= interval)
}

// Ended is told of the end, in the middle of what the In half does.
func (f *further) Ended(err error) {
	c := (*Conn)(f)
	c.forgetHello()
	c.ended(c.renegotiations.current.Load(), closedByPeer(err))
}
