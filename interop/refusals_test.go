package interop

import (
	"context"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// refusal is a connection that must fail, and with which alert. Both sides have
// their version's base cell, with what both, own and theirs change of it.
type refusal struct {
	name              string
	version           wire.Version
	both, own, theirs func(*cell)
	config            func(*tls.Config) // what a cell does not say of us
	alert             wire.AlertCode
	// Peers that get the alert from us, and peers that send it to us: servers where we are the
	// client, and clients where we are the server.
	toServers, toClients, fromServers, fromClients []*peer
}

// Groups of peers that behave alike.
var (
	all       = []*peer{openssl, gnutls, nss, node, gotls}
	butGnuTLS = []*peer{openssl, nss, node, gotls}
	butGo     = []*peer{openssl, gnutls, nss, node}
	withPSK   = []*peer{openssl, gnutls, node}
)

// The cells' changes.
var (
	oldVersion  = func(c *cell) { c.Version = wire.TLS10 }
	newVersion  = func(c *cell) { *c = bases[wire.TLS13] }
	anyCBC      = setSuite(wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA)
	otherSuite  = setSuite(wire.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384)
	otherSuite3 = setSuite(wire.TLS_CHACHA20_POLY1305_SHA256)
	otherGroup  = func(c *cell) { c.Group = wire.GroupP521 }
	ownDH       = func(c *cell) { c.Suite, c.DH = dheRSA, 2048 }
	smallDH     = func(c *cell) { c.Suite, c.DH = dheRSA, 1024 }
	smallRSA    = func(c *cell) { c.Key = keyRSA1024 }
	plainPSK    = setSuite(0x008c) // TLS_PSK_WITH_AES_128_CBC_SHA
	shows       = func(c *cell) { c.Auth, c.ClientKey = "require", keyRSA }
	withALPN    = func(c *cell) { c.ALPN = true }
)

func setSuite(s wire.CipherSuite) func(*cell) { return func(c *cell) { c.Suite = s } }

var refusals = []refusal{
	{name: "version too old", version: wire.TLS12, both: anyCBC, theirs: oldVersion, alert: wire.AlertProtocolVersion,
		toServers: all, toClients: all},
	{name: "version too new", version: wire.TLS12, theirs: newVersion, alert: wire.AlertProtocolVersion,
		toClients: all, fromServers: butGnuTLS},
	{name: "no suite", version: wire.SSL30, own: setSuite(wire.TLS_RSA_WITH_AES_256_CBC_SHA), alert: wire.AlertHandshakeFailure,
		toClients: []*peer{nss}, fromServers: []*peer{nss}},
	{name: "no suite", version: wire.TLS12, own: otherSuite, alert: wire.AlertHandshakeFailure, toClients: all, fromServers: all},
	{name: "no suite", version: wire.TLS13, own: otherSuite3, alert: wire.AlertHandshakeFailure, toClients: butGo, fromServers: butGo},
	{name: "no group", version: wire.TLS13, own: otherGroup, alert: wire.AlertHandshakeFailure, toClients: all, fromServers: all},
	{name: "no protocol", version: wire.TLS13, both: withALPN, config: otherProtocol, alert: wire.AlertNoApplicationProtocol,
		toClients: []*peer{openssl, gnutls, node, gotls}, fromServers: []*peer{gotls}},

	{name: "no client certificate", version: wire.TLS12, own: shows, alert: wire.AlertHandshakeFailure, toClients: all},
	{name: "no client certificate", version: wire.TLS13, own: shows, alert: wire.AlertCertificateRequired, toClients: all},
	{name: "no client certificate", version: wire.TLS12, theirs: shows, alert: wire.AlertHandshakeFailure, fromServers: []*peer{openssl, node, gotls}},
	{name: "no client certificate", version: wire.TLS12, theirs: shows, alert: wire.AlertBadCertificate, fromServers: []*peer{nss}},
	{name: "no client certificate", version: wire.TLS13, theirs: shows, alert: wire.AlertCertificateRequired, fromServers: all},
	{name: "unknown authority", version: wire.TLS12, config: noAuthority, alert: wire.AlertUnknownCA, toServers: all},
	{name: "unknown authority", version: wire.TLS13, config: noAuthority, alert: wire.AlertUnknownCA, toServers: all},
	{name: "unknown authority", version: wire.TLS13, both: shows, config: noAuthority, alert: wire.AlertUnknownCA, toClients: all},
	{name: "small key", version: wire.TLS12, theirs: smallRSA, alert: wire.AlertUnsupportedCertificate, toServers: butGo},

	{name: "small Diffie-Hellman group", version: wire.TLS10, own: ownDH, theirs: smallDH, alert: wire.AlertInsufficientSecurity,
		toServers: withPSK},
	{name: "small Diffie-Hellman group", version: wire.TLS12, own: ownDH, theirs: smallDH, alert: wire.AlertInsufficientSecurity,
		toServers: withPSK},
	{name: "small Diffie-Hellman group of ours", version: wire.TLS12, own: smallDH, theirs: ownDH, alert: wire.AlertInsufficientSecurity,
		fromClients: []*peer{gnutls}},

	{name: "wrong pre-shared key", version: wire.TLS12, both: plainPSK, config: wrongKey, alert: wire.AlertBadRecordMAC,
		toClients: withPSK, fromServers: withPSK},
	{name: "unknown identity", version: wire.TLS12, both: plainPSK, config: wrongIdentity, alert: wire.AlertBadRecordMAC,
		toClients: withPSK, fromServers: []*peer{gnutls}},
	{name: "unknown identity", version: wire.TLS12, both: plainPSK, config: wrongIdentity, alert: wire.AlertUnknownPSKIdentity,
		fromServers: []*peer{node}},
}

func otherProtocol(c *tls.Config) { c.NextProtos = []string{"interop"} }

func noAuthority(c *tls.Config) { c.RootCAs, c.ClientCAs = x509.NewCertPool(), x509.NewCertPool() }

func wrongKey(c *tls.Config) {
	key := []byte("not what they have")
	c.PSK.Client = func(string) (string, []byte, error) { return pskIdentity, key, nil }
	c.PSK.Server = func(string) ([]byte, error) { return key, nil }
}

func wrongIdentity(c *tls.Config) {
	client := c.PSK.Client
	c.PSK.Client = func(hint string) (string, []byte, error) {
		_, key, err := client(hint)
		return "somebody else", key, err
	}
	c.PSK.Server = func(string) ([]byte, error) { return nil, nil }
}

// saw is what a peer prints of an alert that it got.
func saw(p *peer, ours wire.Role, a wire.AlertCode) *regexp.Regexp {
	text := stdtls.AlertError(a).Error()
	switch {
	case p == openssl || p == node:
		text = fmt.Sprintf(`SSL alert number %d\b`, a)
	case p == gnutls && ours == wire.Server:
		text = fmt.Sprintf(`Received alert \[%d\]`, a)
	case p == gnutls: // gnutls-serv does not say which
		text = `A TLS fatal alert has been received`
	case p == nss:
		text = nssAlerts[a]
	}
	return regexp.MustCompile(text)
}

// nssAlerts are selfserv's and tstclnt's words for an alert. Of one that comes
// after its request in TLS 1.3, tstclnt tells by ending only.
var nssAlerts = map[wire.AlertCode]string{
	wire.AlertHandshakeFailure:       `SSL_ERROR_(HANDSHAKE_FAILURE_ALERT|NO_CYPHER_OVERLAP)`,
	wire.AlertProtocolVersion:        `PROTOCOL_VERSION_ALERT|returned error -12190`,
	wire.AlertUnknownCA:              `UNKNOWN_CA_ALERT|returned error -12195|Read from server -1 bytes`,
	wire.AlertCertificateRequired:    `Read from server -1 bytes`,
	wire.AlertUnsupportedCertificate: `returned error -122\d\d`,
}

// TestRefusals makes connections that must fail: the right alert is sent, of
// which the peer tells, or received.
func TestRefusals(t *testing.T) {
	programs.SkipIfOff(t)
	material, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range refusals {
		prove := func(ours wire.Role, received bool, peers []*peer) {
			for _, p := range peers {
				t.Run(fmt.Sprintf("%s/%s/%s,%s,%s", ours, p.Name, versionNames[f.version], f.name, f.alert), func(t *testing.T) {
					t.Parallel()
					need(t, p.missing(), p.Package)
					if err := f.prove(t, material, ours, received, p); err != nil {
						t.Error(err)
					}
				})
			}
		}
		prove(wire.Client, false, f.toServers)
		prove(wire.Client, true, f.fromServers)
		prove(wire.Server, false, f.toClients)
		prove(wire.Server, true, f.fromClients)
	}
}

// cells are the peer's cell and ours.
func (f *refusal) cells() (theirs, own cell) {
	base := bases[f.version]
	apply := func(c *cell, changes ...func(*cell)) {
		for _, change := range changes {
			if change != nil {
				change(c)
			}
		}
		c.fit()
	}
	theirs, own = base, base
	apply(&theirs, f.both, f.theirs)
	apply(&own, f.both, f.own)
	return theirs, own
}

func (f *refusal) prove(t *testing.T, material *pki, ours wire.Role, received bool, p *peer) error {
	ctx, cancel := context.WithTimeout(t.Context(), cellTimeout)
	defer cancel()
	theirs, own := f.cells()
	r := &run{cell: theirs, ctx: ctx, cancel: cancel, peer: p, pki: material, dir: t.TempDir(), payload: newPayload(fullLines)}
	u := &us{cell: own, pki: material, only: true, change: f.config}
	do := refusedDial
	if ours == wire.Server {
		do = refusedServe
	}
	err, told := do(r, u)
	err = f.check(r, ours, received, err, told)
	cancel()
	if err != nil {
		return fmt.Errorf("%w\n%s\n%s", err, u.account(), r.printed())
	}
	return nil
}

// check judges our error, and where the alert is ours what the peer told of it.
func (f *refusal) check(r *run, ours wire.Role, received bool, err, told error) error {
	var refused *tls.HandshakeError
	if !errors.As(err, &refused) || refused.Alert != f.alert || refused.Received != received {
		return fmt.Errorf("our error is %v; want alert %s, received: %v", err, f.alert, received)
	}
	if received {
		return nil
	}
	want := saw(r.peer, ours, f.alert)
	if len(r.procs) > 0 {
		_, err := r.procs[0].await(r.ctx, want)
		return err
	}
	if told == nil || !want.MatchString(told.Error()) {
		return fmt.Errorf("the peer's error is %v, want %q", told, want)
	}
	return nil
}

// refusedDial returns our client's error, and what a server in this process
// tells. In TLS 1.3 the former may come with the first data.
func refusedDial(r *run, u *us) (err, told error) {
	srv, err := r.peer.Serve(r)
	if err != nil {
		return fmt.Errorf("start the peer: %w", err), nil
	}
	c, err := u.dial(r.ctx, fmt.Sprintf("127.0.0.1:%d", srv.port))
	if err == nil {
		_, err = io.ReadAll(c)
		c.Close()
	}
	if len(r.procs) == 0 {
		_, told = srv.facts()
	}
	return err, told
}

// refusedServe returns our server's error, and what the client tells.
func refusedServe(r *run, u *us) (err, told error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err, nil
	}
	defer ln.Close()
	served := make(chan error, 1)
	go func() {
		raw, err := ln.Accept()
		if err == nil {
			_, err = u.accept(r.ctx, patient{raw.(*net.TCPConn)}, u.serverConfig())
		}
		served <- err
	}()
	_, told = r.peer.Connect(r, ln.Addr().(*net.TCPAddr).Port)
	ln.Close()
	return <-served, told
}

// patient reads on when it is closed until the peer closes: data that comes in
// unread makes the kernel reset the connection, and the alert is lost.
type patient struct{ *net.TCPConn }

func (p patient) Close() error {
	p.CloseWrite()
	io.Copy(io.Discard, p.TCPConn)
	return p.TCPConn.Close()
}
