package tls

import (
	"crypto/x509"
	"errors"
	"testing"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// change lets a test alter what is inside the one session of a cache.
func (o *oneSession) change(f func(*session.Session)) { f(o.state.session) }

// What TestWhatASessionIsBoundTo cannot show with a change of one setting.
func TestWhatElseASessionIsBoundTo(t *testing.T) {
	p := testPKI()
	other := x509.NewCertPool()
	other.AddCert(p.issue(&x509.Certificate{IsCA: true, BasicConstraintsValid: true}, newKey("ecdsa-p256")))
	for _, test := range []struct {
		name    string
		version uint16 // 0 for all
		before  func(client, server *Config)
		after   func(client, server *Config, c *oneSession)
		want    bool
	}{
		{name: "nothing has changed", want: true},
		{name: "another server name", after: func(client, _ *Config, c *oneSession) {
			client.ServerName = "other.example.test"
			c.change(func(s *session.Session) { s.ServerName = "other.example.test" }) // a client that lies to itself
		}},
		{name: "the client knows the name is another", after: func(client, _ *Config, _ *oneSession) { client.ServerName = "other.example.test" }},
		{name: "a server name where there was none", before: func(client, _ *Config) { client.ServerName = "127.0.0.1" },
			after: func(client, _ *Config, c *oneSession) {
				client.ServerName = "example.test"
				c.change(func(s *session.Session) { s.ServerName = "example.test" })
			}},
		{name: "other client CAs", before: func(_, server *Config) { server.ClientAuth, server.ClientCAs = VerifyClientCertIfGiven, p.roots },
			after: func(_, server *Config, _ *oneSession) { server.ClientCAs = other }},
		{name: "a stricter policy for clients", before: func(_, server *Config) { server.ClientAuth, server.ClientCAs = VerifyClientCertIfGiven, p.roots },
			after: func(client, server *Config, _ *oneSession) {
				server.ClientAuth = RequireAndVerifyClientCert
				client.Certificates = []Certificate{p.certs["ecdsa-p256"]}
			}},
		{name: "the server no longer has the suite", version: VersionTLS12,
			before: func(_, server *Config) { server.CipherSuites = []uint16{TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256} },
			after: func(_, server *Config, _ *oneSession) {
				server.CipherSuites = []uint16{TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
			}},
		{name: "the client no longer has the suite", version: VersionTLS12,
			before: func(_, server *Config) { server.CipherSuites = []uint16{TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256} },
			after: func(client, server *Config, _ *oneSession) {
				client.CipherSuites = []uint16{TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}
				server.CipherSuites = nil
			}},
		{name: "both have moved to TLS 1.3", version: VersionTLS12,
			after: func(client, server *Config, _ *oneSession) { at(VersionTLS13, client, server) }},
		{name: "the server has moved to TLS 1.3 and the client offers both", version: VersionTLS12,
			after: func(client, server *Config, _ *oneSession) { at(VersionTLS13, server); client.MaxVersion = 0 }},
		{name: "both have fallen back to TLS 1.2", version: VersionTLS13,
			after: func(client, server *Config, _ *oneSession) { at(VersionTLS12, client, server) }},
		{name: "the client cannot do TLS 1.3 any more", version: VersionTLS13,
			after: func(client, server *Config, _ *oneSession) { at(VersionTLS12, client); server.MinVersion = 0 }},
		{name: "the client takes no sessions", after: func(client, _ *Config, _ *oneSession) { client.ClientSessionCache = nil }},
		{name: "the ticket is damaged", after: func(_, _ *Config, c *oneSession) {
			if len(c.ticket) > 0 {
				c.ticket[len(c.ticket)-1] ^= 1
			} else {
				c.id[0] ^= 1
			}
		}},
	} {
		for _, kind := range kinds {
			if test.version != 0 && test.version != kind.version {
				continue
			}
			t.Run(kind.name+"/"+test.name, func(t *testing.T) {
				client, server := resumable(kind.version, kind.server)
				cache := new(oneSession)
				client.ClientSessionCache, client.InsecureSkipVerify = cache, true
				server.SetSessionTicketKeys([][32]byte{{1}})
				if test.before != nil {
					test.before(client, server)
				}
				if got := resumption(t, client, server); got != "none" {
					t.Fatalf("the first connection resumed by %s", got)
				}
				client, server = client.Clone(), server.Clone()
				server.SetSessionTicketKeys([][32]byte{{1}})
				if test.after != nil {
					test.after(client, server, cache)
				}
				if got := resumption(t, client, server); (got != "none") != test.want {
					t.Errorf("resumed: %s", got)
				}
			})
		}
	}
}

// A TLS 1.2 session never crosses between with and without extended master
// secret. RFC 7627 §5.3.
func TestResumptionAndExtendedMasterSecret(t *testing.T) {
	without := func(c *Config) { c.Legacy.NoExtendedMasterSecret = true }
	with := func(c *Config) { c.Legacy.NoExtendedMasterSecret = false }
	none := func(*Config) {}
	for _, kind := range kinds[:2] {
		for _, test := range []struct {
			name          string
			first, second [2]func(*Config) // client, server
			lie           bool             // the client forgets that its session has it
			want          string           // "" for an abort
		}{
			{name: "with it both times", first: [2]func(*Config){none, none}, second: [2]func(*Config){none, none}, want: kind.name},
			{name: "never with it", first: [2]func(*Config){without, without}, second: [2]func(*Config){none, none}, want: kind.name},
			{name: "a session without, a hello with it", first: [2]func(*Config){without, none}, second: [2]func(*Config){with, none}, want: "none"},
			{name: "the client has switched it off", first: [2]func(*Config){none, none}, second: [2]func(*Config){without, none}, want: "none"},
			{name: "the server has switched it off", first: [2]func(*Config){none, none}, second: [2]func(*Config){none, without}, want: "none"},
			{name: "a session with, a hello without it", first: [2]func(*Config){none, none}, second: [2]func(*Config){without, none}, lie: true},
		} {
			t.Run(kind.name+"/"+test.name, func(t *testing.T) {
				client, server := resumable(VersionTLS12, kind.server)
				cache := new(oneSession)
				client.ClientSessionCache = cache
				test.first[0](client)
				test.first[1](server)
				resumption(t, client, server)
				test.second[0](client)
				test.second[1](server)
				if test.lie {
					cache.change(func(s *session.Session) { s.ExtendedMasterSecret = false })
				}
				if test.want != "" {
					if got := resumption(t, client, server); got != test.want {
						t.Errorf("resumed by %s, want %s", got, test.want)
					}
					return
				}
				_, _, clientErr, serverErr := connectInMemory(client, server)
				var fault *HandshakeError
				if clientErr == nil || !errors.As(serverErr, &fault) || fault.Alert != wire.AlertHandshakeFailure || fault.Received {
					t.Errorf("client: %v\nserver: %v", clientErr, serverErr)
				}
			})
		}
	}
}

// A server that resumes but does not repeat extended master secret is refused
// by the client. RFC 7627 §5.3.
func TestServerDropsExtendedMasterSecret(t *testing.T) {
	client, server := resumable(VersionTLS12, func(*Config) {})
	server.WrapSession, server.UnwrapSession = server.EncryptTicket, server.DecryptTicket
	resumption(t, client, server)
	server.Legacy.NoExtendedMasterSecret = true
	server.UnwrapSession = func(ticket []byte, cs ConnectionState) (*SessionState, error) {
		state, err := server.DecryptTicket(ticket, cs)
		state.session.ExtendedMasterSecret = false
		server.Legacy.NoExtendedMasterSecret = false // or the session's binding would not fit
		return state, err
	}
	_, _, clientErr, _ := connectInMemory(client, server)
	var fault *HandshakeError
	if !errors.As(clientErr, &fault) || fault.Alert != wire.AlertHandshakeFailure || fault.Received {
		t.Errorf("client: %v", clientErr)
	}
}
