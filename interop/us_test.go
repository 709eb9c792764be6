package interop

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vitrine-tls/vitrine/internal/suite"
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
	change   func(*tls.Config) // what the cell does not say; nil: nothing
	// KeyUpdate messages of the present connection.
	updatesSent, updatesReceived atomic.Int32
	// The longest records of application data, as Record.SizeLimit counts.
	longestSent, longestReceived atomic.Int32

	pskHint string // that the server has sent

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

// measure is the trace hook that keeps the longest records.
func (u *us) measure(r trace.Record) {
	longest := &u.longestReceived
	if r.Dir == trace.Sent {
		longest = &u.longestSent
	}
	if n := int32(len(r.Plain) + r.Padding); r.Type == wire.ContentApplicationData && n > longest.Load() {
		longest.Store(n)
	}
}

func (u *us) hooks() *trace.Hooks {
	return &trace.Hooks{
		Message: u.count,
		Record:  u.measure,
		Choice:  func(c trace.Choice) { u.say("%s chose %s: %q, as %s (%s)", c.By, c.What, c.Picked, c.Why, c.Ref) },
		Alert:   func(a trace.Alert) { u.say("alert %s: %s %s %v", a.Dir, a.Level, a.Code, a.Err) },
	}
}

func (u *us) base() *tls.Config {
	cfg := &tls.Config{
		Trace:   u.hooks(),
		RootCAs: u.pki.pool, ClientCAs: u.pki.pool, KeyLogWriter: u.keyLog,
		MinVersion: uint16(min(u.Version, wire.TLS12)),
		PSK:        tls.PSK{Client: u.pskClient, Server: pskServer},
	}
	if u.only {
		cfg.MinVersion, cfg.MaxVersion = uint16(u.Version), uint16(u.Version)
	}
	cfg.Legacy = tls.Legacy{
		SSL30: u.Version == wire.SSL30, SmallDH: u.DH != 0 && u.DH < 2048, SmallRSA: u.Key == keyRSA1024 || u.ClientKey == keyRSA1024,
		DSSSigning: true, SHA1Signatures: u.Key == keyDSA || u.ClientKey == keyDSA,
		UnsafeRenegotiation: u.Unsafe, Compression: u.Compress, NoEncryptThenMAC: u.NoEtM, NoExtendedMasterSecret: u.NoEMS,
	}
	for _, s := range u.suites() {
		cfg.CipherSuites = append(cfg.CipherSuites, uint16(s.ID))
		for _, name := range s.Switches {
			reflect.ValueOf(&cfg.Legacy).Elem().FieldByName(name).SetBool(true)
		}
	}
	if u.Key.other() || u.ClientKey.other() {
		cfg.SignatureSchemes = namedSchemes
	}
	if u.ALPN {
		cfg.NextProtos = []string{alpn}
	}
	if u.Padding {
		cfg.Record.Padding = func(n int) int { return n % 257 }
	}
	cfg.Record.SizeLimit = u.SizeLimit
	return cfg
}

// namedSchemes are the default ones and those that have to be named.
var namedSchemes = []tls.SignatureScheme{
	tls.ECDSAWithP256AndSHA256, tls.ECDSAWithP384AndSHA384, tls.ECDSAWithP521AndSHA512, tls.Ed25519,
	tls.PSSWithSHA256, tls.PSSWithSHA384, tls.PSSWithSHA512, tls.PKCS1WithSHA256, tls.PKCS1WithSHA384, tls.PKCS1WithSHA512,
	tls.PSSKeyWithSHA256, tls.PSSKeyWithSHA384, tls.PSSKeyWithSHA512, tls.Ed448,
}

// suites are what we enable: the cell's, or all.
func (u *us) suites() []*suite.Suite {
	if u.only {
		return []*suite.Suite{suite.ByID(u.Suite)}
	}
	return suite.All()
}

func (u *us) pskClient(hint string) (identity string, key []byte, err error) {
	u.pskHint = hint
	key, err = hex.DecodeString(pskKey)
	return pskIdentity, key, err
}

func pskServer(identity string) ([]byte, error) {
	if identity != pskIdentity {
		return nil, nil
	}
	return hex.DecodeString(pskKey)
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
	if u.Key != "" {
		cfg.Certificates = []tls.Certificate{u.pki.certs[u.Key.base()]}
	}
	cfg.ClientAuth = map[string]tls.ClientAuthType{
		"request": tls.VerifyClientCertIfGiven, "require": tls.RequireAndVerifyClientCert}[u.Auth]
	cfg.HelloRetryCookie = u.Cookie
	cfg.Renegotiate = tls.Renegotiate{FromClient: u.Renegotiate != "", MinInterval: -1}
	if u.Hint {
		cfg.PSK.Hint, u.pskHint = pskHint, pskHint
	}
	if u.DH != 0 {
		cfg.DHE.Parameters = &tls.DHParameters{P: ownPrimes[u.DH].prime().Bytes(), G: []byte{2}}
	}
	if u.Resume == "id" {
		cfg.SessionTicketsDisabled = true
		cfg.Resumption.Store = session.NewMemory(1 << 20)
	}
	return u.changed(cfg)
}

func (u *us) clientConfig() *tls.Config {
	cfg := u.base()
	cfg.ServerName = serverName
	cfg.CurvePreferences = curves(u.clientGroups())
	cfg.GREASE = u.GREASE
	cfg.Record.MaxFragmentLength = u.MaxFragment
	cfg.DHE.MinBits = u.DH
	cfg.PostHandshakeAuth = u.Auth == "later"
	if u.Renegotiate == "theirs" || u.Auth == "later" {
		cfg.Renegotiation = tls.RenegotiateOnceAsClient
	}
	if u.ClientKey != "" {
		cfg.Certificates = []tls.Certificate{u.pki.certs[u.ClientKey.base()]}
	}
	if u.Resume != "" {
		if u.sessions == nil {
			u.sessions = tls.NewLRUClientSessionCache(0)
		}
		cfg.ClientSessionCache = u.sessions
	}
	return u.changed(cfg)
}

func (u *us) changed(cfg *tls.Config) *tls.Config {
	if u.change != nil {
		u.change(cfg)
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
	for _, n := range []*atomic.Int32{&u.updatesSent, &u.updatesReceived, &u.longestSent, &u.longestReceived} {
		n.Store(0)
	}
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
		"group":              s.Group.String(), "dh bits": strconv.Itoa(s.DHBits),
		"signature": family(s.ServerSignature), "psk identity": s.PSKIdentity, "psk hint": c.us.pskHint,
		"renegotiations": strconv.Itoa(s.Renegotiations),
	}
	if s.Version != wire.TLS13 {
		f["ems"], f["etm"] = yes(s.ExtendedMasterSecret), yes(s.EncryptThenMAC)
	}
	return f
}

// family is a scheme's name without its hash, as in keyType.signature.
func family(s wire.SignatureScheme) string {
	name := s.String()
	for _, prefix := range []string{"rsa_pkcs1", "rsa_pss_rsae", "rsa_pss_pss", "ecdsa", "dsa"} {
		if strings.HasPrefix(name, prefix+"_") {
			return prefix
		}
	}
	return name
}

// acts reports that the cell has us do something midway when we are ours.
func (u *us) acts(ours wire.Role) bool {
	return u.KeyUpdate == "ours" || u.Renegotiate == "ours" || u.Auth == "later" && ours == wire.Server
}

// act does it.
func (c *conn) act(ctx context.Context) error {
	switch {
	case c.us.KeyUpdate == "ours":
		return c.KeyUpdate(true)
	case c.us.Renegotiate == "ours":
		return c.Renegotiate(ctx)
	}
	return c.RequestClientCertificate(ctx)
}

// again reports that there was a handshake after the first: a renegotiation, or a
// signature of a client that was asked later.
func (c *conn) again() bool {
	s := c.State()
	return s.Renegotiations > 0 || c.us.Auth == "later" && s.ClientSignature != 0
}

// renegotiated waits until the peer has handshaken again, while somebody reads.
func (c *conn) renegotiated(ctx context.Context) error {
	for !c.again() {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the peer did not handshake again: %w", ctx.Err())
		case <-time.After(time.Millisecond):
		}
	}
	return nil
}

// keyUpdates counts the KeyUpdate messages so far.
func (c *conn) keyUpdates() (sent, received int) {
	return int(c.us.updatesSent.Load()), int(c.us.updatesReceived.Load())
}

// longest is the length of the longest records of application data so far.
func (c *conn) longest() (sent, received int) {
	return int(c.us.longestSent.Load()), int(c.us.longestReceived.Load())
}
