package tls

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// externalKey is a key to share; each number gives another one.
func externalKey(n byte, h crypto.Hash) ExternalPSK {
	key := make([]byte, 32)
	for i := range key {
		key[i] = byte(i)*7 + n
	}
	return ExternalPSK{Identity: fmt.Appendf(nil, "client %d", n), Key: key, Hash: h}
}

func imported(p ExternalPSK, context string) ExternalPSK {
	p.Import, p.Context = true, []byte(context)
	return p
}

// external is a Config for each side: the client offers some keys, and the server, which
// has no certificate, knows others.
func external(offered, known []ExternalPSK) (client, server *Config) {
	return &Config{PSK: PSK{External: offered, Required: true}}, &Config{PSK: PSK{ExternalServer: keysOf(known...)}}
}

func keysOf(known ...ExternalPSK) func([]byte) (*ExternalPSK, error) {
	return func(identity []byte) (*ExternalPSK, error) {
		for i := range known {
			if bytes.Equal(known[i].Identity, identity) {
				return &known[i], nil
			}
		}
		return nil, nil
	}
}

const aes256 = TLS_AES_256_GCM_SHA384

func TestExternalPSKs(t *testing.T) {
	sha256, sha384 := externalKey(1, crypto.SHA256), externalKey(2, crypto.SHA384)
	suites := map[string][]uint16{"": nil, "AES-128": {TLS_AES_128_GCM_SHA256}, "AES-256": {aes256}}
	for name, test := range map[string]struct {
		offered, known []ExternalPSK
		suites         string
		picked         string // the identity; empty where the handshake fails
	}{
		"one":                       {[]ExternalPSK{sha256}, []ExternalPSK{sha256}, "", "client 1"},
		"SHA-384 decides the suite": {[]ExternalPSK{sha384}, []ExternalPSK{sha384}, "", "client 2"},
		"no suite of its hash":      {[]ExternalPSK{sha256}, []ExternalPSK{sha256}, "AES-256", ""},
		"the second":                {[]ExternalPSK{sha256, sha384}, []ExternalPSK{sha384}, "", "client 2"},
		"the first of two":          {[]ExternalPSK{sha384, sha256}, []ExternalPSK{sha256, sha384}, "", "client 2"},
		"the one that fits":         {[]ExternalPSK{sha384, sha256}, []ExternalPSK{sha256, sha384}, "AES-128", "client 1"},
		"imported":                  {[]ExternalPSK{imported(sha256, "")}, []ExternalPSK{imported(sha256, "")}, "", "client 1"},
		"imported for another hash": {[]ExternalPSK{imported(sha256, "lab")}, []ExternalPSK{imported(sha256, "lab")}, "AES-256", "client 1"},
		"imported of SHA-384":       {[]ExternalPSK{imported(sha384, "lab")}, []ExternalPSK{imported(sha384, "lab")}, "AES-128", "client 2"},
		"another context":           {[]ExternalPSK{imported(sha256, "a")}, []ExternalPSK{imported(sha256, "b")}, "", ""},
		"imported by one alone":     {[]ExternalPSK{imported(sha256, "")}, []ExternalPSK{sha256}, "", ""},
		"imported by the server":    {[]ExternalPSK{sha256}, []ExternalPSK{imported(sha256, "")}, "", ""},
		"none in common":            {[]ExternalPSK{sha256}, []ExternalPSK{sha384}, "", ""},
	} {
		for _, retry := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, retry %v", name, retry), func(t *testing.T) {
				client, server := external(test.offered, test.known)
				server.CipherSuites = suites[test.suites]
				if retry {
					client.KeyShares = []CurveID{}
				}
				c, s, clientErr, serverErr := connect(t, client, server)
				if test.picked == "" {
					var fault *HandshakeError
					if clientErr == nil || !errors.As(serverErr, &fault) || fault.Alert != wire.AlertDecryptError {
						t.Fatalf("%v, %v", clientErr, serverErr)
					}
					return
				}
				if clientErr != nil || serverErr != nil {
					t.Fatal(clientErr, serverErr)
				}
				for _, state := range []State{c.State(), s.State()} {
					if state.PSKIdentity != test.picked || state.KeyExchange != "ECDHE" || state.HelloRetry != retry || len(state.PeerCertificates) > 0 || state.Resumption != "none" {
						t.Errorf("%+v", state)
					}
				}
				exchange(t, c, s)
			})
		}
	}
}

// A wrong key and an identity that nobody has look the same to a client, where the server
// has no certificate. RFC 8446 §E.6.
func TestExternalIdentitiesAreNotToldApart(t *testing.T) {
	own := externalKey(1, crypto.SHA256)
	wrong := own
	wrong.Key = externalKey(9, crypto.SHA256).Key
	for name, offered := range map[string]ExternalPSK{
		"wrong key": wrong, "unknown": externalKey(2, crypto.SHA256), "unknown, imported": imported(externalKey(3, crypto.SHA256), "x"),
		"wrong key, imported": imported(wrong, ""), "hash that no suite has": externalKey(4, crypto.SHA384),
	} {
		client, server := external([]ExternalPSK{offered}, []ExternalPSK{own, imported(externalKey(5, crypto.SHA256), ""), externalKey(4, crypto.SHA384)})
		server.CipherSuites = []uint16{TLS_AES_128_GCM_SHA256}
		var alerts []wire.AlertCode
		server.Trace = &trace.Hooks{Alert: func(a trace.Alert) { alerts = append(alerts, a.Code) }}
		_, _, _, err := connect(t, client, server)
		if got := fmt.Sprint(alerts, err); got != "[decrypt_error] tls: the client's PSK binder is wrong (RFC 8446 §4.2.11.2)" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// A server with a certificate shows it to clients whose keys it does not have; a wrong key
// fails all the same.
func TestExternalPSKOrCertificate(t *testing.T) {
	p, own := testPKI(), externalKey(1, crypto.SHA256)
	wrong := own
	wrong.Key = externalKey(9, crypto.SHA256).Key
	for name, test := range map[string]struct {
		offered  ExternalPSK
		required bool
		want     string // "psk", "certificate" or an alert
	}{
		"its key":               {own, false, "psk"},
		"another":               {externalKey(2, crypto.SHA256), false, "certificate"},
		"a wrong key":           {wrong, false, "decrypt_error"},
		"another, one required": {externalKey(2, crypto.SHA256), true, "missing_extension"},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := p.client(), p.server("ecdsa-p256")
			client.PSK = PSK{External: []ExternalPSK{test.offered}, Required: test.required}
			server.PSK.ExternalServer = keysOf(own)
			server.ClientAuth = RequestClientCert // not of a client with a key, RFC 8446 §4.3.2
			client.PostHandshakeAuth = true
			c, s, clientErr, serverErr := connect(t, client, server)
			got := "certificate"
			var fault *HandshakeError
			switch {
			case errors.As(clientErr, &fault):
				got = fault.Alert.String()
			case serverErr != nil:
				t.Fatal(serverErr)
			case len(c.State().PeerCertificates) == 0:
				got = "psk"
			}
			if got != test.want {
				t.Fatalf("%s: %v, %v", got, clientErr, serverErr)
			}
			if got == "psk" && (c.State().ClientAuthRequested || s.State().PostHandshakeAuth || c.State().PostHandshakeAuth) {
				t.Error("a client with a key was asked for a certificate, or could be")
			}
		})
	}
}

// A key stands in for no certificate that clients must show. RFC 8446 §4.3.2.
func TestExternalPSKIsNoClientCertificate(t *testing.T) {
	p, own := testPKI(), externalKey(1, crypto.SHA256)
	for _, demanded := range []ClientAuthType{RequireAnyClientCert, RequireAndVerifyClientCert} {
		for _, shows := range []bool{false, true} {
			client, server := p.client(), p.server("ecdsa-p256")
			client.PSK.External = []ExternalPSK{own}
			if shows {
				client.Certificates = []Certificate{p.certs["ecdsa-p256"]}
			}
			server.PSK.ExternalServer = keysOf(own)
			server.ClientAuth, server.ClientCAs = demanded, p.roots
			c, s, clientErr, serverErr := connect(t, client, server)
			var fault *HandshakeError
			switch {
			case !shows:
				if !errors.As(serverErr, &fault) || fault.Alert != wire.AlertCertificateRequired {
					t.Errorf("%v: a key came in without a certificate: %v, %v", demanded, clientErr, serverErr)
				}
			case clientErr != nil || serverErr != nil:
				t.Errorf("%v: a client that has both: %v, %v", demanded, clientErr, serverErr)
			case s.State().PSKIdentity != "" || len(s.State().PeerCertificates) == 0:
				t.Errorf("%v: %+v", demanded, s.State())
			default:
				exchange(t, c, s)
			}
			for name, set := range map[string]func(*Config){
				"required": func(c *Config) { c.PSK.Required = true }, "no certificate": func(c *Config) { c.Certificates = nil },
			} {
				nobody := server.Clone()
				set(nobody)
				if _, _, _, err := connect(t, client, nobody); err == nil || !strings.Contains(err.Error(), "set PSK.WithCertificate") {
					t.Errorf("%v, %s: %v", demanded, name, err)
				}
			}
		}
	}
}

func TestServerThatRequiresAnExternalPSK(t *testing.T) {
	p := testPKI()
	client, server := p.client(), p.server("ecdsa-p256")
	server.PSK = PSK{ExternalServer: keysOf(externalKey(1, crypto.SHA256)), Required: true}
	var fault *HandshakeError
	if _, _, _, err := connect(t, client, server); !errors.As(err, &fault) || fault.Alert != wire.AlertHandshakeFailure {
		t.Error(err)
	}
	client.MaxVersion = VersionTLS12
	if _, _, _, err := connect(t, client, server); !errors.As(err, &fault) || fault.Alert != wire.AlertProtocolVersion {
		t.Error(err)
	}
}

// Sessions of a key are resumed while the server still has it, and show whose they are.
func TestSessionsOfExternalPSKs(t *testing.T) {
	own := externalKey(1, crypto.SHA256)
	known := []ExternalPSK{own}
	client, server := external([]ExternalPSK{own}, nil)
	server.PSK.ExternalServer = func(identity []byte) (*ExternalPSK, error) { return keysOf(known...)(identity) }
	client.ServerName, client.ClientSessionCache = "example.test", NewLRUClientSessionCache(8)
	if got := resumption(t, client, server); got != "none" {
		t.Fatal(got)
	}
	c, s, clientErr, serverErr := connect(t, client, server)
	if clientErr != nil || serverErr != nil {
		t.Fatal(clientErr, serverErr)
	}
	bringTickets(t, c, s)
	for _, state := range []State{c.State(), s.State()} {
		if state.Resumption != "psk" || state.PSKIdentity != "client 1" {
			t.Errorf("%+v", state)
		}
	}
	kept := resumption(t, client, server)
	client.PSK.External = []ExternalPSK{imported(own, "")} // another key, of the same bytes
	client.PSK.Required = false
	known[0] = imported(own, "")
	if got := resumption(t, client, server); kept != "psk" || got != "none" {
		t.Errorf("a session of another key of ours is offered: %s, %s", kept, got)
	}
	known[0] = own
	client.PSK.External = []ExternalPSK{own}
	if got := resumption(t, client, server); got != "none" {
		t.Errorf("the session of the key before: %s", got)
	}
	if got := resumption(t, client, server); got != "psk" {
		t.Errorf("its own session: %s", got)
	}
	known = nil
	if _, _, _, err := connect(t, client, server); err == nil {
		t.Error("a session outlives its key")
	}
}

// A key alone makes the secrets only where both sides allow it. RFC 8446 §4.2.9.
func TestExternalPSKWithoutDH(t *testing.T) {
	own := externalKey(1, crypto.SHA256)
	type side struct{ allows, prefers bool }
	for _, test := range []struct {
		client, server side
		want           string
	}{
		{side{}, side{}, "ECDHE"},
		{side{true, false}, side{true, false}, "ECDHE"},
		{side{true, false}, side{true, true}, "PSK"},
		{side{true, true}, side{true, false}, "PSK"},
		{side{true, true}, side{}, "handshake_failure"},
		{side{}, side{true, true}, "ECDHE"},
	} {
		client, server := external([]ExternalPSK{own}, []ExternalPSK{own})
		client.Legacy.PSKWithoutDH, client.PSK.WithoutDH = test.client.allows, test.client.prefers
		server.Legacy.PSKWithoutDH, server.PSK.WithoutDH = test.server.allows, test.server.prefers
		c, s, clientErr, serverErr := connect(t, client, server)
		var fault *HandshakeError
		switch {
		case errors.As(serverErr, &fault):
			if fault.Alert.String() != test.want {
				t.Errorf("%+v: %v, %v", test, clientErr, serverErr)
			}
		case clientErr != nil || serverErr != nil || c.State().KeyExchange != test.want || s.State().KeyExchange != test.want:
			t.Errorf("%+v: %v, %v, %s", test, clientErr, serverErr, c.State().KeyExchange)
		default:
			exchange(t, c, s)
		}
	}
	client, server := external([]ExternalPSK{own}, []ExternalPSK{own}) // no group in common
	client.Legacy.PSKWithoutDH, server.Legacy.PSKWithoutDH = true, true
	client.CurvePreferences, server.CurvePreferences = []CurveID{X25519}, []CurveID{CurveP256}
	if c, _, clientErr, serverErr := connect(t, client, server); clientErr != nil || serverErr != nil || c.State().KeyExchange != "PSK" {
		t.Error(clientErr, serverErr)
	}
}

// With WithCertificate both sides have a key and a certificate, or no connection. RFC 9973.
func TestCertificateBesideExternalPSK(t *testing.T) {
	p, own := testPKI(), externalKey(1, crypto.SHA256)
	for _, test := range []struct {
		client, server bool
		offered        ExternalPSK
		roots          bool
		want           string
	}{
		{true, true, own, true, ""},
		{true, true, imported(own, "both"), true, "decrypt_error"},
		{true, true, own, false, "unknown_ca"},
		{true, false, own, true, "handshake_failure"},
		{false, true, own, true, "handshake_failure"},
		{true, true, externalKey(2, crypto.SHA256), true, "decrypt_error"},
	} {
		client, server := p.client(), p.server("ecdsa-p256")
		client.PSK = PSK{External: []ExternalPSK{test.offered}, WithCertificate: test.client}
		client.ClientSessionCache = NewLRUClientSessionCache(4)
		client.Certificates = []Certificate{p.certs["ecdsa-p256"]}
		server.PSK = PSK{ExternalServer: keysOf(own), WithCertificate: test.server}
		if test.server { // without, a key would not be looked at
			server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, p.roots
		}
		if !test.roots {
			client.RootCAs = x509.NewCertPool()
		}
		c, s, clientErr, serverErr := connect(t, client, server)
		var fault *HandshakeError
		if test.want != "" {
			if !errors.As(clientErr, &fault) || fault.Alert.String() != test.want {
				t.Errorf("%+v: %v, %v", test, clientErr, serverErr)
			}
			continue
		}
		if clientErr != nil || serverErr != nil {
			t.Fatalf("%+v: %v, %v", test, clientErr, serverErr)
		}
		if state := c.State(); len(state.VerifiedChains) == 0 || state.PSKIdentity != "client 1" || state.ServerSignature == 0 {
			t.Errorf("%+v", state)
		}
		if state := s.State(); len(state.VerifiedChains) == 0 {
			t.Error("the client was not asked for its certificate")
		}
		exchange(t, c, s)
		if got := resumption(t, client, server); got != "none" {
			t.Errorf("resumed by %s", got)
		}
	}
}

// An endpoint that is a client and a server with the same keys does not talk to itself,
// whatever a network makes of its hello (Selfie). RFC 9257 §5.1.
func TestSelfie(t *testing.T) {
	own := externalKey(1, crypto.SHA256)
	one := &Config{PSK: PSK{External: []ExternalPSK{own}, ExternalServer: keysOf(own)}, ServerName: "peer"}
	var fault *HandshakeError
	if _, _, _, err := connect(t, one, one); !errors.As(err, &fault) || fault.Alert != wire.AlertIllegalParameter {
		t.Errorf("by its own Config: %v", err)
	}
	_, next := external(nil, []ExternalPSK{own})
	one.GetConfigForClient = func(*ClientHelloInfo) (*Config, error) { return next, nil }
	if _, _, _, err := connect(t, one, one); !errors.As(err, &fault) || fault.Alert != wire.AlertIllegalParameter {
		t.Errorf("by a Config that stands in for its own: %v", err)
	}
	next.PSK.External = []ExternalPSK{own}
	next.ServerName = "peer"
	if _, _, _, err := connect(t, next, one); !errors.As(err, &fault) || fault.Alert != wire.AlertIllegalParameter {
		t.Errorf("by the Config that stands in: %v", err)
	}
	client, server := external([]ExternalPSK{own}, []ExternalPSK{own})
	client.PSK.Node, server.PSK.Node = "alice", "alice"
	if _, _, _, err := connect(t, client, server); !errors.As(err, &fault) || fault.Alert != wire.AlertIllegalParameter {
		t.Errorf("by the name of the node: %v", err)
	}
	server.PSK.Node = "bob"
	if _, _, clientErr, serverErr := connect(t, client, server); clientErr != nil || serverErr != nil {
		t.Errorf("two nodes: %v, %v", clientErr, serverErr)
	}
	// A ticket of such a session, at a node with the same keys for tickets.
	again := server.Clone()
	again.PSK.Node = "alice"
	server.SetSessionTicketKeys([][32]byte{{1}})
	again.SetSessionTicketKeys([][32]byte{{1}})
	client.ClientSessionCache, client.ServerName = NewLRUClientSessionCache(4), "peer"
	for _, want := range []string{"none", "psk"} {
		if got := resumption(t, client, server); got != want {
			t.Fatalf("at the other node: resumed by %s; want %s", got, want)
		}
	}
	if _, _, _, err := connect(t, client, again); !errors.As(err, &fault) || fault.Alert != wire.AlertIllegalParameter {
		t.Errorf("by a ticket: %v", err)
	}
	if n := handshake.OwnHellos(); n != 0 {
		t.Errorf("%d hellos are still noted", n)
	}
}

func TestExternalPSKsOfNoUse(t *testing.T) {
	p := testPKI()
	good := externalKey(1, crypto.SHA256)
	set := func(f func(*ExternalPSK)) ExternalPSK { bad := good; f(&bad); return bad }
	for want, bad := range map[string]ExternalPSK{
		"an identity of 0 bytes":   set(func(x *ExternalPSK) { x.Identity = nil }),
		"an identity of 70000":     set(func(x *ExternalPSK) { x.Identity = make([]byte, 70000) }),
		"a key of 0 bytes":         set(func(x *ExternalPSK) { x.Key = nil }),
		"a key of 15 bytes":        set(func(x *ExternalPSK) { x.Key = x.Key[:15] }),
		"one byte again and again": set(func(x *ExternalPSK) { x.Key = make([]byte, 32) }),
		"no hash":                  set(func(x *ExternalPSK) { x.Hash = 0 }),
		"no hash that TLS 1.3":     set(func(x *ExternalPSK) { x.Hash = crypto.SHA512 }),
		"nothing without Import":   set(func(x *ExternalPSK) { x.Context = []byte("x") }),
		"a Context of 70000 bytes": set(func(x *ExternalPSK) { x.Import, x.Context = true, make([]byte, 70000) }),
	} {
		client, server := external([]ExternalPSK{bad}, []ExternalPSK{good})
		if _, _, err, _ := connect(t, client, server); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: a client's error: %v", want, err)
		}
		client, server = external([]ExternalPSK{good}, nil)
		server.PSK.ExternalServer = func([]byte) (*ExternalPSK, error) { return &bad, nil }
		if _, _, _, err := connect(t, client, server); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: a server's error: %v", want, err)
		}
	}
	for want, set := range map[string]func(client, server *Config){
		"has 9 keys":           func(c, _ *Config) { c.PSK.External = make([]ExternalPSK, 9) },
		`"client 1" twice`:     func(c, _ *Config) { c.PSK.External = []ExternalPSK{good, imported(good, "")} },
		"set PSK.External":     func(c, _ *Config) { c.PSK.External = nil },
		"set PSK.Client":       func(c, _ *Config) { c.MaxVersion, c.PSK.Required, c.InsecureSkipVerify = VersionTLS12, false, true },
		"which MaxVersion":     func(c, _ *Config) { c.MaxVersion = VersionTLS12 },
		"Legacy.PSKWithoutDH":  func(c, _ *Config) { c.PSK.WithoutDH = true },
		"needs a key exchange": func(c, _ *Config) { c.PSK.WithCertificate, c.PSK.WithoutDH, c.Legacy.PSKWithoutDH = true, true, true },
		"at most 16384 can be": func(c, _ *Config) { c.PSK.External[0].Identity = make([]byte, 20000) },
		"needs a certificate":  func(_, s *Config) { s.PSK.WithCertificate = true },
		"set PSK.ExternalServer": func(_, s *Config) {
			s.PSK.ExternalServer, s.PSK.Required, s.Certificates = nil, true, p.server("ecdsa-p256").Certificates
		},
		"set PSK.Server": func(_, s *Config) { s.MaxVersion = VersionTLS12 },
		"and returned the key": func(_, s *Config) {
			s.PSK.ExternalServer = func([]byte) (*ExternalPSK, error) { x := externalKey(7, crypto.SHA256); return &x, nil }
		},
		"ExternalServer failed": func(_, s *Config) {
			s.PSK.ExternalServer = func([]byte) (*ExternalPSK, error) { return nil, errors.New("x") }
		},
	} {
		client, server := external([]ExternalPSK{good}, []ExternalPSK{good})
		set(client, server)
		_, _, clientErr, serverErr := connect(t, client, server)
		if got := fmt.Sprint(clientErr, serverErr); !strings.Contains(got, want) || clientErr == nil || serverErr == nil {
			t.Errorf("%q: %s", want, got)
		}
	}
}

func TestExternalPSKsDoNotTellTheirKeys(t *testing.T) {
	x := imported(externalKey(1, crypto.SHA256), "")
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "psk", x)
	for _, got := range []string{fmt.Sprintf("%v", x), fmt.Sprintf("%+v", &x), fmt.Sprintf("%x", x), fmt.Sprintf("%#v", x), log.String()} {
		if !strings.Contains(got, `psk(imported`) || strings.Contains(got, "07") {
			t.Error(got)
		}
	}
}
