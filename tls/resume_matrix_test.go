package tls

import (
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// everyKind are the ways to resume in every version that has them.
func everyKind() (out []struct {
	name string
	v    wire.Version
}) {
	for _, v := range allVersions {
		for _, name := range []string{"id", "ticket", "psk"} {
			if (name == "psk") == (v == wire.TLS13) && (name != "ticket" || v != wire.SSL30) {
				out = append(out, struct {
					name string
					v    wire.Version
				}{name, v})
			}
		}
	}
	return out
}

// bindings are the items that a session is bound to, one a row: how both sides are
// before, and what changes. The client may lie about its session, so that it is the
// server that has to see it.
var bindings = []struct {
	name   string
	from   wire.Version // the first version that has it; 0 for all
	until  wire.Version // the last; 0 for all
	before func(client, server *Config)
	after  func(client, server *Config, lie func(func(*session.Session)))
	abort  bool // a full handshake would not do: the connection is refused
	free   bool // sessions are not bound to it: it is agreed on anew
}{
	{name: "virtual host", from: wire.TLS10, after: func(client, _ *Config, lie func(func(*session.Session))) {
		client.ServerName = "other.test"
		lie(func(s *session.Session) { s.ServerName = "other.test" })
	}},
	{name: "virtual host, none", from: wire.TLS10, after: func(client, _ *Config, lie func(func(*session.Session))) {
		client.ServerName = ""
		lie(func(s *session.Session) { s.ServerName = "" })
	}},
	{name: "policy for clients, stricter", after: func(_, server *Config, _ func(func(*session.Session))) { server.ClientAuth = VerifyClientCertIfGiven }},
	{name: "policy for clients, looser",
		before: func(_, server *Config) { server.ClientAuth = RequireAndVerifyClientCert },
		after:  func(_, server *Config, _ func(func(*session.Session))) { server.ClientAuth = RequireAnyClientCert }},
	{name: "policy for clients, none",
		before: func(_, server *Config) { server.ClientAuth = RequireAndVerifyClientCert },
		after:  func(_, server *Config, _ func(func(*session.Session))) { server.ClientAuth = NoClientCert }},
	{name: "client CAs, others",
		before: func(_, server *Config) { server.ClientAuth = RequestClientCert },
		after:  func(_, server *Config, _ func(func(*session.Session))) { server.ClientCAs = strangerCA().roots }},
	{name: "client CAs, one more",
		before: func(_, server *Config) { server.ClientAuth = RequireAnyClientCert },
		after: func(_, server *Config, _ func(func(*session.Session))) {
			server.ClientCAs = server.ClientCAs.Clone()
			server.ClientCAs.AddCert(strangerCA().ca)
		}},
	{name: "client CAs, fewer",
		before: func(_, server *Config) { server.ClientAuth, server.ClientCAs = RequireAnyClientCert, twoCAs() },
		after:  func(_, server *Config, _ func(func(*session.Session))) { server.ClientCAs = testPKI().roots }},
	{name: "version, newer", until: wire.TLS12, after: func(client, server *Config, _ func(func(*session.Session))) {
		at(client.MaxVersion+1, client, server)
	}},
	{name: "version, older", from: wire.TLS10, after: func(client, server *Config, _ func(func(*session.Session))) {
		at(client.MaxVersion-1, client, server)
	}},
	{name: "version, the server's choice", from: wire.TLS10, after: func(client, server *Config, _ func(func(*session.Session))) {
		client.MinVersion = server.MinVersion - 1
		at(server.MinVersion-1, server)
	}},
	{name: "suite, not the server's", after: func(client, server *Config, _ func(func(*session.Session))) {
		server.CipherSuites = otherSuites(client)
	}},
	{name: "suite, not the client's", after: func(client, _ *Config, _ func(func(*session.Session))) {
		client.CipherSuites = otherSuites(client)
	}},
	{name: "application protocol, the server's", from: wire.TLS10, free: true, after: func(_, server *Config, _ func(func(*session.Session))) {
		server.NextProtos = []string{"b"}
	}},
	{name: "application protocol, the client's", from: wire.TLS10, free: true, after: func(client, _ *Config, _ func(func(*session.Session))) {
		client.NextProtos = []string{"b"}
	}},
	{name: "application protocol, none", from: wire.TLS10, free: true, after: func(client, _ *Config, _ func(func(*session.Session))) {
		client.NextProtos = nil
	}},
	{name: "extended master secret, the server's", from: wire.TLS10, until: wire.TLS12, after: func(_, server *Config, _ func(func(*session.Session))) {
		server.Legacy.NoExtendedMasterSecret = true
	}},
	{name: "extended master secret, the client's", from: wire.TLS10, until: wire.TLS12, abort: true, after: func(client, _ *Config, lie func(func(*session.Session))) {
		client.Legacy.NoExtendedMasterSecret = true
		lie(func(s *session.Session) { s.ExtendedMasterSecret = false })
	}},
	{name: "extended master secret, where there was none", from: wire.TLS10, until: wire.TLS12,
		before: func(_, server *Config) { server.Legacy.NoExtendedMasterSecret = true },
		after: func(_, server *Config, _ func(func(*session.Session))) {
			server.Legacy.NoExtendedMasterSecret = false
		}},
	{name: "compression", until: wire.TLS12, after: func(client, server *Config, _ func(func(*session.Session))) {
		client.Legacy.Compression, server.Legacy.Compression = true, true
	}},
	{name: "compression, no longer", until: wire.TLS12,
		before: func(client, server *Config) { client.Legacy.Compression, server.Legacy.Compression = true, true },
		after: func(client, server *Config, _ func(func(*session.Session))) {
			client.Legacy.Compression, server.Legacy.Compression = false, false
		}},
	{name: "max_fragment_length", from: wire.TLS10, after: func(client, _ *Config, _ func(func(*session.Session))) { client.Record.MaxFragmentLength = 1024 }},
	{name: "max_fragment_length, another", from: wire.TLS10,
		before: func(client, _ *Config) { client.Record.MaxFragmentLength = 512 },
		after:  func(client, _ *Config, _ func(func(*session.Session))) { client.Record.MaxFragmentLength = 1024 }},
	{name: "max_fragment_length, no longer", from: wire.TLS10,
		before: func(client, _ *Config) { client.Record.MaxFragmentLength = 512 },
		after:  func(client, _ *Config, _ func(func(*session.Session))) { client.Record.MaxFragmentLength = 0 }},
	{name: "record_size_limit, the client's", from: wire.TLS10, free: true, after: func(client, _ *Config, _ func(func(*session.Session))) { client.Record.SizeLimit = 1024 }},
	{name: "record_size_limit, the server's", from: wire.TLS10, free: true,
		before: func(client, _ *Config) { client.Record.SizeLimit = 512 },
		after:  func(_, server *Config, _ func(func(*session.Session))) { server.Record.SizeLimit = 1024 }},
	{name: "record_size_limit, no longer", from: wire.TLS10, free: true,
		before: func(client, server *Config) { client.Record.SizeLimit, server.Record.SizeLimit = 512, 512 },
		after: func(client, server *Config, _ func(func(*session.Session))) {
			client.Record.SizeLimit, server.Record.SizeLimit = 0, 0
		}},
	{name: "record_size_limit in place of max_fragment_length", from: wire.TLS10,
		before: func(client, _ *Config) { client.Record.MaxFragmentLength = 512 },
		after:  func(client, _ *Config, _ func(func(*session.Session))) { client.Record.SizeLimit = 512 }},
	{name: "ticket keys", from: wire.TLS10, after: func(_, server *Config, _ func(func(*session.Session))) {
		server.SetSessionTicketKeys([][32]byte{{9}})
		server.Resumption.Store = session.NewMemory(1 << 20)
	}},
}

func twoCAs() *x509.CertPool {
	pool := testPKI().roots.Clone()
	pool.AddCert(strangerCA().ca)
	return pool
}

// firstSuites and otherSuites have nothing in common, for any version; those of TLS
// 1.3 differ in their hash.
var firstSuites = []uint16{TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_RSA_WITH_AES_128_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}

func otherSuites(*Config) []uint16 {
	return []uint16{TLS_AES_256_GCM_SHA384, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, TLS_RSA_WITH_AES_256_CBC_SHA, TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA}
}

// Change one thing that a session is bound to, and the answer is a full handshake, or
// in one case a refusal; what is free stays so. Change nothing, and it is resumed. Change it back, and a
// session of before is good again, which shows that nothing else was in the way.
func TestSessionsAreBound(t *testing.T) {
	p := testPKI()
	both := p.named("rsa2048", "both", "example.test", "other.test")
	for _, kind := range everyKind() {
		for _, b := range bindings {
			if kind.v < b.from || b.until != 0 && kind.v > b.until {
				continue
			}
			t.Run(fmt.Sprintf("%v/%s/%s", kind.v, kind.name, b.name), func(t *testing.T) {
				t.Parallel()
				client, server := resumable(uint16(kind.v), func(c *Config) { c.SessionTicketsDisabled = kind.name == "id" })
				cache := new(oneSession)
				client.ClientSessionCache, client.InsecureSkipVerify = cache, true
				server.Certificates, client.Certificates = []Certificate{both}, []Certificate{p.certs["ecdsa-p256"]}
				if kind.v < wire.TLS12 {
					client.Certificates = []Certificate{p.certs["rsa2048"]}
				}
				server.ClientCAs = p.roots
				server.SetSessionTicketKeys([][32]byte{{1}})
				for _, c := range []*Config{client, server} {
					c.Legacy.RSAKeyExchange, c.Legacy.SSL30 = true, true
					c.NextProtos = []string{"a", "b"}
				}
				client.CipherSuites = append(firstSuites, otherSuites(client)...)
				server.CipherSuites = client.CipherSuites
				if b.before != nil {
					b.before(client, server)
				}
				again, resumed := kind.name, kind.name
				if b.name == "compression, no longer" {
					again = "none" // no such session is kept
				}
				for i, want := range []string{"none", again, again} {
					if got := resumption(t, client, server); got != want {
						t.Fatalf("connection %d, nothing changed: resumed by %s, want %s", i+1, got, want)
					}
				}
				if client.CipherSuites[0] != uint16(wire.TLS_AES_128_GCM_SHA256) {
					t.Fatal("the lists of suites have changed")
				}
				was := *cache
				if was.ClientSessionState != nil {
					one := *was.ClientSessionState
					state := *one.state
					inner := *state.session
					state.session = &inner
					one.state = &state
					cache.ClientSessionState = &one
				}
				oldClient, oldServer := client, server
				client, server = client.Clone(), server.Clone()
				server.SetSessionTicketKeys([][32]byte{{1}})
				b.after(client, server, cache.change)
				if b.abort {
					_, _, clientErr, serverErr := connectInMemory(client, server)
					var fault *HandshakeError
					if !errors.As(serverErr, &fault) || fault.Received || fault.Alert != wire.AlertHandshakeFailure || clientErr == nil {
						t.Errorf("client: %v; server: %v", clientErr, serverErr)
					}
				} else if got := resumption(t, client, server); (got != "none") != b.free {
					t.Errorf("changed: resumed by %s", got)
				}
				if again == "none" {
					return
				}
				*cache = was
				if got := resumption(t, oldClient, oldServer); got != resumed {
					t.Errorf("changed back: resumed by %s", got)
				}
			})
		}
	}
}
