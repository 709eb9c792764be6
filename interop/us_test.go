package interop

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// This file is the only one that knows our package: it turns a cell into a
// Config and a connection into facts.

// us is our side of a cell.
type us struct {
	cell
	pki    *pki
	keyLog io.Writer
	// only limits our versions and suites to the cell's. Otherwise they are all
	// enabled, so that the choice among them is tested too; the peer is limited.
	only     bool
	sessions tls.ClientSessionCache
	// KeyUpdate messages of the present connection.
	updatesSent, updatesReceived atomic.Int32

	mu   sync.Mutex
	said []string // our choices and alerts, for a failure
}

// conn is what the tests use of our connection.
type conn struct {
	*tls.Conn
	us *us
}

// count is the trace hook that counts KeyUpdate messages.
func (u *us) count(m trace.Message) {
	switch {
	case wire.HandshakeType(m.Raw[0]) != wire.TypeKeyUpdate:
	case m.Dir == trace.Sent:
		u.updatesSent.Add(1)
	default:
		u.updatesReceived.Add(1)
	}
}

// say keeps a line for a failure.
func (u *us) say(format string, args ...any) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.said = append(u.said, fmt.Sprintf(format, args...))
}

// account is what we chose and which alerts passed.
func (u *us) account() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return "--- vitrine:\n" + strings.Join(u.said, "\n")
}

func (u *us) hooks() *trace.Hooks {
	return &trace.Hooks{
		Message: u.count,
		Choice:  func(c trace.Choice) { u.say("%s chose %s: %q, as %s (%s)", c.By, c.What, c.Picked, c.Why, c.Ref) },
		Alert:   func(a trace.Alert) { u.say("alert %s: %s %s %v", a.Dir, a.Level, a.Code, a.Err) },
	}
}

func (u *us) base() *tls.Config {
	cfg := &tls.Config{
		Trace:   u.hooks(),
		RootCAs: u.pki.pool, ClientCAs: u.pki.pool, KeyLogWriter: u.keyLog,
		CipherSuites: u.suites(),
		Legacy:       tls.Legacy{RSAKeyExchange: true, NoEncryptThenMAC: u.NoEtM, NoExtendedMasterSecret: u.NoEMS},
	}
	if u.only {
		cfg.MinVersion, cfg.MaxVersion = uint16(u.Version), uint16(u.Version)
	}
	if u.ALPN {
		cfg.NextProtos = []string{alpn}
	}
	if u.Padding {
		cfg.Record.Padding = func(n int) int { return n % 257 }
	}
	return cfg
}

func (u *us) suites() (ids []uint16) {
	if u.only {
		return []uint16{uint16(u.Suite)}
	}
	for _, s := range append(suites12, suites13...) {
		ids = append(ids, uint16(s))
	}
	return ids
}

func curves(groups []wire.NamedGroup) (ids []tls.CurveID) {
	for _, g := range groups {
		ids = append(ids, tls.CurveID(g))
	}
	return ids
}

// serverConfig is made once for a cell, so that its connections share sessions.
func (u *us) serverConfig() *tls.Config {
	cfg := u.base()
	cfg.CurvePreferences = curves(u.groups())
	cfg.Certificates = []tls.Certificate{u.pki.certs[u.Key.base()]}
	cfg.ClientAuth = map[string]tls.ClientAuthType{
		"": tls.NoClientCert, "request": tls.VerifyClientCertIfGiven, "require": tls.RequireAndVerifyClientCert}[u.Auth]
	cfg.HelloRetryCookie = u.Cookie
	if u.Resume == "id" {
		cfg.SessionTicketsDisabled = true
		cfg.Resumption.Store = session.NewMemory(1 << 20)
	}
	return cfg
}

func (u *us) clientConfig() *tls.Config {
	cfg := u.base()
	cfg.ServerName = serverName
	cfg.CurvePreferences = curves(u.clientGroups())
	cfg.GREASE = u.GREASE
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
	u.updatesSent.Store(0)
	u.updatesReceived.Store(0)
	deadline, _ := ctx.Deadline()
	tc.SetDeadline(deadline)
	if err := tc.HandshakeContext(ctx); err != nil {
		tc.Close()
		return nil, fmt.Errorf("our handshake: %w", err)
	}
	return &conn{Conn: tc, us: u}, nil
}

// facts is our view of the connection.
func (c *conn) facts() facts {
	s, std := c.State(), c.ConnectionState()
	f := facts{
		"version": s.Version.String(), "suite": s.CipherSuite.String(), "sni": s.ServerName,
		"reused": yes(std.DidResume), "resumption": s.Resumption, "retry": yes(s.HelloRetry), "alpn": s.ALPN,
		"client certificate": yes(len(s.PeerCertificates) > 0),
		"group":              s.Group.String(), "signature": family(s.ServerSignature),
	}
	if s.Version == wire.TLS12 {
		f["ems"], f["etm"] = yes(s.ExtendedMasterSecret), yes(s.EncryptThenMAC)
	}
	return f
}

// family is a scheme's name without its hash, as in keyType.signature.
func family(s wire.SignatureScheme) string {
	name := s.String()
	for _, prefix := range []string{"rsa_pkcs1", "rsa_pss_rsae", "ecdsa"} {
		if strings.HasPrefix(name, prefix+"_") {
			return prefix
		}
	}
	return name
}

// keyUpdate changes our sending keys and asks the peer to change its own.
func (c *conn) keyUpdate() error { return c.KeyUpdate(true) }

// keyUpdates counts the KeyUpdate messages so far.
func (c *conn) keyUpdates() (sent, received int) {
	return int(c.us.updatesSent.Load()), int(c.us.updatesReceived.Load())
}
