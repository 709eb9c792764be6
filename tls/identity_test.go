package tls

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// A side keeps in mind who its peer is, where a suite or a further handshake could make it forget that.

// A server that requires client certificates takes no suite that has no place for
// one, though it may list them for others.
func TestRequiredCertificateRulesOutSuites(t *testing.T) {
	for _, s := range suite.All() {
		if s.KeyExchange.Certificate() && !s.KeyExchange.PSK() || s.KeyExchange == wire.KeyExchangeNone || !s.Allows(wire.TLS12) {
			continue
		}
		for _, auth := range []ClientAuthType{RequireAnyClientCert, RequireAndVerifyClientCert} {
			client, server := forSuite(s, wire.TLS12)
			server.Certificates = testPKI().server("rsa2048").Certificates
			server.ClientAuth, server.ClientCAs = auth, testPKI().roots
			client.Certificates = []Certificate{testPKI().certs["ecdsa-p256"]}
			_, _, clientErr, serverErr := connectInMemory(client, server)
			if clientErr == nil || serverErr == nil || !strings.Contains(serverErr.Error(), "a client certificate is required") {
				t.Errorf("%s: client: %v; server: %v", s.Name, clientErr, serverErr)
			}
		}
	}
}

// pump lets a connection make progress while nobody wants its data.
func pump(conns ...*Conn) {
	for _, c := range conns {
		go io.Copy(io.Discard, c)
	}
}

func soon(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// A certificate that was shown in the middle of a connection is asked for again
// in the next renegotiation, no matter which side starts it, and may not go away.
func TestRenegotiationKeepsTheCertificate(t *testing.T) {
	p := testPKI()
	for _, change := range []bool{false, true} {
		client, server := p.client(), p.server("rsa2048")
		at(VersionTLS12, client, server)
		client.Renegotiation, client.Renegotiate.MinInterval = RenegotiateFreelyAsClient, -1
		server.Renegotiate, server.ClientCAs = Renegotiate{FromClient: true, MinInterval: -1}, p.roots
		shown := []Certificate{p.certs["ecdsa-p256"], p.certs["ecdsa-p256"], {}}
		client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) {
			next := shown[0]
			shown = shown[1:]
			return &next, nil
		}
		server.Renegotiate.AllowPeerChange = change
		c, s := mustConnect(t, client, server)
		pump(c, s)
		if err := s.RequestClientCertificate(soon(t)); err != nil || len(s.State().PeerCertificates) != 1 {
			t.Fatal(err, s.State().PeerCertificates)
		}
		if err := s.Renegotiate(soon(t)); err != nil || len(s.State().PeerCertificates) != 1 {
			t.Fatalf("the same again: %v, %v", err, s.State().PeerCertificates)
		}
		err := s.Renegotiate(soon(t))
		if change && (err != nil || len(s.State().PeerCertificates) != 0) {
			t.Errorf("none, allowed: %v, %v", err, s.State().PeerCertificates)
		}
		if !change && (err == nil || !strings.Contains(err.Error(), "shows another certificate")) {
			t.Errorf("none, not allowed: %v", err)
		}
	}
}

// So it is with post-handshake authentication.
func TestAuthenticationKeepsTheCertificate(t *testing.T) {
	p := testPKI()
	for _, change := range []bool{false, true} {
		client, server := p.client(), p.server("rsa2048")
		at(VersionTLS13, client, server)
		client.PostHandshakeAuth, server.Renegotiate.AllowPeerChange, server.ClientCAs = true, change, p.roots
		shown := []Certificate{p.certs["ecdsa-p256"], p.certs["rsa2048"]}
		client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) {
			next := shown[0]
			shown = shown[1:]
			return &next, nil
		}
		c, s := mustConnect(t, client, server)
		pump(c)
		if err := s.RequestClientCertificate(soon(t)); err != nil || len(s.State().PeerCertificates) != 1 {
			t.Fatal(err, s.State().PeerCertificates)
		}
		err := s.RequestClientCertificate(soon(t))
		if change && err != nil || !change && (err == nil || !strings.Contains(err.Error(), "shows another certificate")) {
			t.Errorf("another certificate, allowed %v: %v", change, err)
		}
	}
}

// A pre-shared key's identity may not change either, nor give way to a suite
// without.
func TestRenegotiationKeepsThePSKIdentity(t *testing.T) {
	psk := uint16(wire.TLS_PSK_WITH_AES_128_GCM_SHA256)
	for name, test := range map[string]struct {
		then   func(client *Config)
		allow  bool
		refuse bool
	}{
		"the same":              {func(*Config) {}, false, false},
		"another":               {func(c *Config) { c.PSK.Client = identity("mallory") }, false, true},
		"another, allowed":      {func(c *Config) { c.PSK.Client = identity("mallory") }, true, false},
		"a certificate's suite": {func(c *Config) { c.CipherSuites = []uint16{TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256} }, false, true},
	} {
		client, server := testPKI().client(), testPKI().server("rsa2048")
		at(VersionTLS12, client, server)
		server.CipherSuites = []uint16{psk, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
		client.CipherSuites, client.PSK.Client = []uint16{psk}, identity("alice")
		client.Renegotiate.AllowPeerChange = true // what is tested is the server
		server.PSK.Server = func(string) ([]byte, error) { return []byte("one key for all"), nil }
		server.Renegotiate = Renegotiate{FromClient: true, AllowPeerChange: test.allow}
		c, s := mustConnect(t, client, server)
		pump(c, s)
		test.then(client)
		err := c.Renegotiate(soon(t))
		if (err != nil) != test.refuse {
			t.Errorf("%s: %v", name, err)
		}
		if got := s.State().PSKIdentity; test.refuse && got != "alice" {
			t.Errorf("%s: the server now knows %q", name, got)
		}
	}
}

func identity(name string) func(string) (string, []byte, error) {
	return func(string) (string, []byte, error) { return name, []byte("one key for all"), nil }
}

// A peer that has nothing but a pre-shared key needs neither a name nor a certificate, and
// gets no TLS 1.3.
func TestPSKOnly(t *testing.T) {
	psk := []uint16{uint16(wire.TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256), uint16(wire.TLS_PSK_WITH_AES_128_GCM_SHA256)}
	server := &Config{CipherSuites: psk, PSK: PSK{Server: func(string) ([]byte, error) { return []byte("one key for all"), nil }}}
	for name, client := range map[string]*Config{
		"with TLS 1.3 on offer": {ServerName: "example.test", CipherSuites: psk, PSK: PSK{Client: identity("alice")}},
		"without a name":        {MaxVersion: VersionTLS12, CipherSuites: psk, PSK: PSK{Client: identity("alice")}},
	} {
		c, s, clientErr, serverErr := connectInMemory(client, server)
		if clientErr != nil || serverErr != nil {
			t.Errorf("%s: client: %v; server: %v", name, clientErr, serverErr)
			continue
		}
		if got := s.State(); got.Version != wire.TLS12 || got.PSKIdentity != "alice" || c.State().KeyExchange != "ECDHE_PSK" {
			t.Errorf("%s: %v by %s for %q", name, got.Version, got.KeyExchange, got.PSKIdentity)
		}
		exchange(t, c, s)
	}
	at(VersionTLS13, server)
	if err := Server(nil, server).Handshake(); err == nil || !strings.Contains(err.Error(), "there is no certificate") {
		t.Errorf("TLS 1.3 alone: %v", err)
	}
}

// A client that repeats its suites a thousand times costs what it did once.
func TestClientOrderWithRepetitions(t *testing.T) {
	client, server := testPKI().client(), testPKI().server("rsa2048")
	at(VersionTLS12, client, server)
	own := []uint16{TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	client.CipherSuites = slices.Repeat(own, 1000)
	server.PreferClientCipherSuites, server.CipherSuites = true, []uint16{own[1], own[0]}
	c, s := mustConnect(t, client, server)
	if got := c.State().CipherSuite; uint16(got) != own[0] {
		t.Errorf("agreed on %v", got)
	}
	exchange(t, c, s)
}
