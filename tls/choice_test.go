package tls

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// shown connects and returns the common name of the certificate that the client
// got to see.
func shown(t *testing.T, client, server *Config) string {
	t.Helper()
	c, _ := mustConnect(t, client, server)
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func (p *pki) named(kind, common string, names ...string) Certificate {
	t := &x509.Certificate{DNSNames: names}
	t.Subject.CommonName = common
	return p.certificate(kind, t)
}

// A server picks by the name that the client asks for and by what it verifies.
func TestServerPicksItsCertificate(t *testing.T) {
	p := testPKI()
	certs := []Certificate{
		p.named("ecdsa-p256", "default", "default.test"),
		p.named("ecdsa-p256", "a ecdsa", "a.test"),
		p.named("rsa2048", "a rsa", "a.test"),
		p.named("ecdsa-p256", "wild", "*.wild.test"),
		p.named("ed25519", "ed", "ed.test"),
	}
	ecdsa, rsa := TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
	for _, version := range bothVersions {
		for _, test := range []struct {
			name   string
			suites []uint16 // of the client
			want   string
		}{
			{"a.test", nil, "a ecdsa"},
			{"A.TEST", nil, "a ecdsa"},
			{"a.test.", nil, "a ecdsa"},
			{"x.wild.test", nil, "wild"},
			{"wild.test", nil, "default"},
			{"x.y.wild.test", nil, "default"},
			{"unknown.test", nil, "default"},
			{"ed.test", nil, "ed"},
			{"127.0.0.1", nil, "default"},
			{"", nil, "default"},
			{"a.test", []uint16{rsa}, "a rsa"},
			{"a.test", []uint16{ecdsa}, "a ecdsa"},
			{"unknown.test", []uint16{rsa}, "a rsa"}, // better a wrong name than a key that it cannot verify
		} {
			if version == VersionTLS13 && test.suites != nil {
				continue // its suites name no kind of key
			}
			client, server := p.client(), &Config{Certificates: certs}
			at(version, client, server)
			client.ServerName, client.CipherSuites, client.InsecureSkipVerify = test.name, test.suites, true
			if got := shown(t, client, server); got != test.want {
				t.Errorf("%s, %q: got %q, want %q", VersionName(version), test.name, got, test.want)
			}
		}
	}
}

// A certificate must fit the key exchange too, and the schemes that the client verifies.
func TestServerPicksWhatItCanUse(t *testing.T) {
	p := testPKI()
	certs := []Certificate{p.named("ed25519", "ed"), p.named("ecdsa-p256", "ecdsa"), p.named("rsa2048", "rsa")}
	for _, test := range []struct {
		name    string
		suites  []uint16
		groups  []CurveID
		schemes []SignatureScheme
		want    string
	}{
		{"all", nil, nil, nil, "ed"},
		{"static RSA", []uint16{TLS_RSA_WITH_AES_128_GCM_SHA256}, nil, nil, "rsa"},
		{"static RSA after ECDSA without a group in common", []uint16{TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_GCM_SHA256}, []CurveID{CurveP521}, nil, "rsa"},
		{"ECDSA", nil, nil, []SignatureScheme{ECDSAWithP256AndSHA256}, "ecdsa"},
		{"RSA", nil, nil, []SignatureScheme{PSSWithSHA256}, "rsa"},
		{"RSA for suites of ECDSA first", []uint16{TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}, nil, []SignatureScheme{PSSWithSHA256}, "rsa"},
	} {
		client, server := p.client(), &Config{Certificates: certs, CurvePreferences: []CurveID{X25519, CurveP256}}
		at(VersionTLS12, client, server)
		client.Legacy, server.Legacy, client.InsecureSkipVerify = weakSuites, weakSuites, true
		server.CipherSuites = []uint16{TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_GCM_SHA256}
		client.CipherSuites, client.CurvePreferences, client.SignatureSchemes = test.suites, test.groups, test.schemes
		if got := shown(t, client, server); got != test.want {
			t.Errorf("%s: got %q", test.name, got)
		}
	}
}

func TestNameToCertificate(t *testing.T) {
	p := testPKI()
	nameless := p.certificate("ecdsa-p256", &x509.Certificate{Subject: pkix.Name{CommonName: "common.test"}, DNSNames: []string{}})
	server := &Config{Certificates: []Certificate{
		p.named("ecdsa-p256", "default", "default.test"), p.named("ecdsa-p256", "wild", "*.wild.test", "w.test"), nameless,
		{Certificate: [][]byte{{1}}}, {}, // which do not parse
	}}
	server.BuildNameToCertificate()
	if len(server.NameToCertificate) != 4 {
		t.Errorf("the names are %v", server.NameToCertificate)
	}
	server.Certificates = server.Certificates[:3]
	for name, want := range map[string]string{
		"x.wild.test": "wild", "w.test": "wild", "W.test": "wild", "common.test": "common.test", "other.test": "default",
	} {
		client := p.client()
		client.ServerName, client.InsecureSkipVerify = name, true
		if got := shown(t, client, server); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// Among several certificates one that does not parse is an error of the server's,
// and not passed over.
func TestServerCertificateThatDoesNotParse(t *testing.T) {
	p := testPKI()
	broken := Certificate{Certificate: [][]byte{{1}}, PrivateKey: p.certs["ecdsa-p256"].PrivateKey}
	_, _, clientErr, serverErr := connectInMemory(p.client(), &Config{Certificates: []Certificate{broken, p.certs["ecdsa-p256"]}})
	if serverErr == nil || !strings.Contains(serverErr.Error(), "does not parse") || clientErr == nil {
		t.Errorf("client: %v; server: %v", clientErr, serverErr)
	}
}

// GetCertificate is told all of the hello; nil leaves the choice to Certificates.
func TestGetCertificate(t *testing.T) {
	type key struct{}
	p := testPKI()
	for _, version := range bothVersions {
		client, server := p.client(), p.server("ecdsa-p256")
		at(version, client, server)
		client.NextProtos, server.NextProtos = []string{"h2"}, []string{"h2"}
		var info *ClientHelloInfo
		var answer *Certificate
		var fail error
		server.GetCertificate = func(i *ClientHelloInfo) (*Certificate, error) { info = i; return answer, fail }

		answer = ref(p.certs["ed25519"])
		a, b := memoryPipe()
		c, s := Client(a, client), Server(b, server)
		done := make(chan error, 1)
		go func() { done <- s.HandshakeContext(context.WithValue(context.Background(), key{}, "mine")) }()
		if err := c.Handshake(); err != nil || <-done != nil {
			t.Fatal(err)
		}
		if got := c.ConnectionState().PeerCertificates[0].Subject.CommonName; got != "ed25519" {
			t.Errorf("the certificate is %s", got)
		}
		if info.ServerName != "example.test" || info.SupportedProtos[0] != "h2" || info.SupportedVersions[0] != version || info.Conn != net.Conn(b) ||
			len(info.CipherSuites) == 0 || len(info.SupportedCurves) == 0 || len(info.SignatureSchemes) == 0 || len(info.Extensions) == 0 {
			t.Errorf("%+v", info)
		}
		if info.Context().Value(key{}) != "mine" {
			t.Error("the context is another")
		}
		if err := info.SupportsCertificate(answer); err != nil {
			t.Error(err)
		}

		answer = nil
		if got := shown(t, client, server); got != "ecdsa-p256" {
			t.Errorf("after nil: the certificate is %s", got)
		}
		fail = errors.New("no such host")
		_, _, clientErr, serverErr := connectInMemory(client, server)
		if !errors.Is(serverErr, fail) {
			t.Errorf("server: %v", serverErr)
		}
		var alert AlertError
		if !errors.As(clientErr, &alert) || alert != AlertError(wire.AlertInternalError) {
			t.Errorf("client: %v", clientErr)
		}
		server.Certificates, fail = nil, nil
		if _, _, _, serverErr := connectInMemory(client, server); serverErr == nil {
			t.Error("a server without a certificate")
		}
	}
}

// GetConfigForClient replaces all of the Config, its ticket keys only where the
// new one has some.
func TestGetConfigForClient(t *testing.T) {
	p := testPKI()
	for _, version := range bothVersions {
		client, server := p.client(), p.server("ecdsa-p256")
		at(version, client, server)
		var next *Config
		var fail error
		server.GetConfigForClient = func(i *ClientHelloInfo) (*Config, error) {
			if i.ServerName != "example.test" {
				t.Errorf("%+v", i)
			}
			return next, fail
		}
		if got := shown(t, client, server); got != "ecdsa-p256" {
			t.Errorf("after nil: the certificate is %s", got)
		}
		next = p.server("ed25519")
		next.NextProtos, client.NextProtos = []string{"new"}, []string{"new"}
		at(version, next)
		c, s := mustConnect(t, client, server)
		if got := c.ConnectionState(); got.PeerCertificates[0].Subject.CommonName != "ed25519" || got.NegotiatedProtocol != "new" {
			t.Errorf("the certificate is %s, the protocol %q", got.PeerCertificates[0].Subject.CommonName, got.NegotiatedProtocol)
		}
		exchange(t, c, s)

		client.ClientSessionCache = NewLRUClientSessionCache(0)
		for i, want := range []bool{false, true, true} {
			next = next.Clone() // a new one for each connection, without keys
			if got := resumption(t, client, server) != "none"; got != want {
				t.Errorf("connection %d: resumed: %v", i+1, got)
			}
		}
		next.SetSessionTicketKeys([][32]byte{{1}})
		if got := resumption(t, client, server); got != "none" {
			t.Error("resumed under keys of the other Config")
		}

		at(map[uint16]uint16{VersionTLS12: VersionTLS13, VersionTLS13: VersionTLS12}[version], next)
		if _, _, clientErr, serverErr := connectInMemory(client, server); clientErr == nil || serverErr == nil {
			t.Error("the new Config's versions do not count")
		}
		fail = errors.New("not now")
		if _, _, _, serverErr := connectInMemory(client, server); !errors.Is(serverErr, fail) {
			t.Errorf("server: %v", serverErr)
		}
		next, fail = &Config{}, nil
		if _, _, _, serverErr := connectInMemory(client, server); serverErr == nil {
			t.Error("a Config without a certificate")
		}
	}
}

// Certificates may be for IP addresses, and names may end in a dot.
func TestNamesThatAreVerified(t *testing.T) {
	p := testPKI()
	cert := p.certificate("ecdsa-p256", &x509.Certificate{
		DNSNames: []string{"example.test", "*.wild.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP("fe80::1")},
	})
	for name, want := range map[string]struct {
		ok  bool
		sni string
	}{
		"example.test":   {true, "example.test"},
		"EXAMPLE.test":   {true, "EXAMPLE.test"},
		"example.test.":  {true, "example.test"},
		"a.wild.test":    {true, "a.wild.test"},
		"a.b.wild.test":  {false, "a.b.wild.test"},
		"127.0.0.1":      {true, ""},
		"127.0.0.2":      {false, ""},
		"fe80::1":        {true, ""},
		"[fe80::1]":      {true, ""},
		"[fe80::1%eth0]": {false, ""}, // crypto/x509 knows no zones
		"example.test:1": {false, ""}, // is not a name, so a server would refuse it
		"bücher.test":    {false, ""},
	} {
		client, server := p.client(), &Config{Certificates: []Certificate{cert}}
		client.ServerName = name
		var sni string
		server.GetConfigForClient = func(i *ClientHelloInfo) (*Config, error) { sni = i.ServerName; return nil, nil }
		c, _, clientErr, _ := connectInMemory(client, server)
		if (clientErr == nil) != want.ok {
			t.Errorf("%s: %v", name, clientErr)
		}
		if sni != want.sni {
			t.Errorf("%s: server_name is %q", name, sni)
		}
		var host x509.HostnameError
		if !want.ok && !errors.As(clientErr, &host) {
			t.Errorf("%s: %v is no HostnameError", name, clientErr)
		}
		if want.ok && (c.VerifyHostname("example.test") != nil || c.VerifyHostname("other.test") == nil) {
			t.Error("VerifyHostname")
		}
	}
}
