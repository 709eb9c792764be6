package interop

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"

	"github.com/vitrine-tls/vitrine/wire"
)

// This file is the only one that knows our package: it turns a cell into a
// Config and a connection into facts.

// us is our side of a cell.
type us struct {
	cell
	pki    *pki
	keyLog io.Writer
	// only limits our suites to the cell's. Otherwise they are all enabled, so
	// that the choice among them is tested too; the peer is limited.
	only     bool
	sessions tls.ClientSessionCache
}

// conn is what the tests use of our connection.
type conn struct {
	*tls.Conn
	c       cell
	updates *updates
}

type updates struct{ sent, received int }

func (u *us) base() *tls.Config {
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS12, MaxVersion: uint16(u.Version),
		RootCAs: u.pki.pool, ClientCAs: u.pki.pool, KeyLogWriter: u.keyLog,
	}
	for _, s := range suites12 {
		if !u.only || s == u.Suite {
			cfg.CipherSuites = append(cfg.CipherSuites, uint16(s))
		}
	}
	if u.ALPN {
		cfg.NextProtos = []string{alpn}
	}
	return cfg
}

func curves(groups []wire.NamedGroup) (ids []tls.CurveID) {
	for _, g := range groups {
		ids = append(ids, tls.CurveID(g))
	}
	return ids
}

// serverConfig is made once for a cell, so that its connections share tickets.
func (u *us) serverConfig() *tls.Config {
	cfg := u.base()
	cfg.CurvePreferences = curves(u.groups())
	cfg.Certificates = []tls.Certificate{u.pki.certs[u.Key.base()]}
	cfg.ClientAuth = map[string]tls.ClientAuthType{
		"": tls.NoClientCert, "request": tls.VerifyClientCertIfGiven, "require": tls.RequireAndVerifyClientCert}[u.Auth]
	return cfg
}

func (u *us) clientConfig() *tls.Config {
	cfg := u.base()
	cfg.ServerName = serverName
	cfg.CurvePreferences = curves(u.clientGroups())
	if u.ClientKey != "" {
		cfg.Certificates = []tls.Certificate{u.pki.certs[u.ClientKey.base()]}
	}
	if u.Resume != "" {
		if u.sessions == nil {
			u.sessions = tls.NewLRUClientSessionCache(0)
		}
		cfg.ClientSessionCache = u.sessions
	}
	return cfg
}

// dial connects to a peer and shakes hands.
func (u *us) dial(ctx context.Context, addr string) (*conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return u.shake(ctx, tls.Client(raw, u.clientConfig()))
}

// accept shakes hands with a peer that has connected.
func (u *us) accept(ctx context.Context, raw net.Conn, cfg *tls.Config) (*conn, error) {
	return u.shake(ctx, tls.Server(raw, cfg))
}

func (u *us) shake(ctx context.Context, tc *tls.Conn) (*conn, error) {
	deadline, _ := ctx.Deadline()
	tc.SetDeadline(deadline)
	if err := tc.HandshakeContext(ctx); err != nil {
		tc.Close()
		return nil, fmt.Errorf("our handshake: %w", err)
	}
	return &conn{Conn: tc, c: u.cell, updates: &updates{}}, nil
}

// facts is our view of the connection.
func (c *conn) facts() facts {
	s := c.ConnectionState()
	f := facts{
		"version": wire.Version(s.Version).String(), "suite": wire.CipherSuite(s.CipherSuite).String(),
		"sni": s.ServerName, "reused": yes(s.DidResume), "alpn": s.NegotiatedProtocol,
		"group": wire.NamedGroup(s.CurveID).String(),
	}
	return f
}

// keyUpdate changes our sending keys and asks the peer to change its own.
func (c *conn) keyUpdate() error { return fmt.Errorf("no KeyUpdate") }

// keyUpdates counts the KeyUpdate messages of the connection.
func (c *conn) keyUpdates() (sent, received int) { return c.updates.sent, c.updates.received }

const factsComplete = false
