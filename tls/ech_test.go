package tls

import (
	"bytes"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

const publicName = "public.test"

// echPair are configs of a client that encrypts its hello and of a server that opens it,
// which has certificates for both names.
func echPair(t testing.TB) (client, server *Config, key EncryptedClientHelloKey) {
	t.Helper()
	key = must(GenerateECHKey(publicName, ECHKeyOptions{}))
	client, server = testPKI().client(), testPKI().server("ecdsa-p256")
	server.Certificates = append(server.Certificates, publicCertificate())
	server.EncryptedClientHelloKeys = []EncryptedClientHelloKey{key}
	client.EncryptedClientHelloConfigList = must(ECHConfigList(key))
	return client, server, key
}

func publicCertificate() Certificate {
	return testPKI().certificate("ecdsa-p256", &x509.Certificate{DNSNames: []string{publicName}})
}

// hellos gathers what a client sends: the hellos on the wire, and those inside.
type hellos struct{ outer, inner []*wire.ClientHello }

func (h *hellos) hooks() *trace.Hooks {
	add := func(list *[]*wire.ClientHello, raw []byte) {
		m, err := wire.DecodeMessage(bytes.Clone(raw), wire.Context{}, nil)
		if err != nil {
			panic(err)
		}
		*list = append(*list, m.(*wire.ClientHello))
	}
	return &trace.Hooks{
		Message: func(m trace.Message) {
			if m.Raw[0] == byte(wire.TypeClientHello) {
				add(&h.outer, m.Raw)
			}
		},
		Inner: func(m trace.Inner) { add(&h.inner, m.Raw) },
	}
}

func nameIn(m *wire.ClientHello) (name string) {
	m.Extensions.Read(wire.ExtServerName, func(r *wire.Reader) { name = wire.ReadServerName(r) })
	return name
}

func TestEncryptedClientHello(t *testing.T) {
	for _, set := range []struct {
		name string
		set  func(client, server *Config)
		hrr  bool
	}{
		{"plain", func(client, server *Config) {}, false},
		{"GREASE and order", func(client, server *Config) { client.GREASE, client.ShuffleExtensions = true, true }, false},
		{"TLS 1.3 alone", func(client, server *Config) { at(VersionTLS13, client, server) }, false},
		{"retry", func(client, server *Config) {
			client.CurvePreferences, server.CurvePreferences = []CurveID{X25519, CurveP384}, []CurveID{CurveP384}
			server.HelloRetryCookie = true
		}, true},
		{"retry and order", func(client, server *Config) {
			client.CurvePreferences, server.CurvePreferences = []CurveID{X25519, CurveP384}, []CurveID{CurveP384}
			client.GREASE, client.ShuffleExtensions = true, true
		}, true},
	} {
		t.Run(set.name, func(t *testing.T) {
			client, server, _ := echPair(t)
			set.set(client, server)
			var seen, opened hellos
			client.Trace, server.Trace = seen.hooks(), opened.hooks()
			client.ClientSessionCache = NewLRUClientSessionCache(4)
			for i, resumed := range []bool{false, true} {
				c, s := mustConnect(t, client, server)
				for _, conn := range []*Conn{c, s} {
					cs := conn.ConnectionState()
					if !cs.ECHAccepted || cs.ServerName != "example.test" || cs.DidResume != resumed || cs.HelloRetryRequest != set.hrr {
						t.Errorf("connection %d, %v: accepted %v, name %q, resumed %v, retry %v", i, conn.role, cs.ECHAccepted, cs.ServerName, cs.DidResume, cs.HelloRetryRequest)
					}
				}
				exchange(t, c, s)
			}
			for i, outer := range seen.outer {
				inner := seen.inner[i]
				if nameIn(outer) != publicName || nameIn(inner) != "example.test" {
					t.Errorf("hello %d shows %q and hides %q", i, nameIn(outer), nameIn(inner))
				}
				if got := opened.inner[i]; !bytes.Equal(got.Append(nil, wire.Context{}), inner.Append(nil, wire.Context{})) {
					t.Errorf("hello %d: the server rebuilt another inner hello", i)
				}
				if bytes.Equal(outer.Random, inner.Random) {
					t.Errorf("hello %d: both hellos have one random", i)
				}
				for _, old := range []wire.ExtensionType{wire.ExtExtendedMasterSecret, wire.ExtECPointFormats, wire.ExtRenegotiationInfo, wire.ExtSessionTicket} {
					if inner.Extensions.Has(old) {
						t.Errorf("the inner hello has %v, which is of TLS 1.2", old)
					}
				}
			}
		})
	}
}

// A server with another key sends its configs, and a client that takes them is accepted.
func TestECHRejected(t *testing.T) {
	for name, set := range map[string]func(client, server *Config){
		"plain": func(client, server *Config) {},
		"retry": func(client, server *Config) {
			client.CurvePreferences, server.CurvePreferences = []CurveID{X25519, CurveP384}, []CurveID{CurveP384}
		},
		"not to be skipped": func(client, server *Config) { client.InsecureSkipVerify = true },
		"callbacks": func(client, server *Config) {
			client.VerifyConnection = func(ConnectionState) error { return errors.New("asked") }
			client.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errors.New("asked") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, server, _ := echPair(t)
			set(client, server)
			client.ClientSessionCache = NewLRUClientSessionCache(4)
			other := must(GenerateECHKey(publicName, ECHKeyOptions{}))
			client.EncryptedClientHelloConfigList = must(ECHConfigList(other))
			c, _, err, serverErr := connectInMemory(client, server)
			var rejected *ECHRejectionError
			if !errors.As(err, &rejected) {
				t.Fatalf("client: %v\nserver: %v", err, serverErr)
			}
			if serverErr != nil {
				t.Errorf("the server's handshake failed: %v", serverErr)
			}
			if cs := c.ConnectionState(); cs.HandshakeComplete || cs.ECHAccepted {
				t.Errorf("the client's state is that of a connection: %+v", cs)
			}
			if _, err := c.Write([]byte("secret")); err == nil {
				t.Error("the client writes")
			}
			client.VerifyConnection, client.VerifyPeerCertificate = nil, nil
			client.EncryptedClientHelloConfigList = rejected.RetryConfigList
			c, s := mustConnect(t, client, server)
			if !c.ConnectionState().ECHAccepted || c.ConnectionState().DidResume {
				t.Errorf("with the configs that the server sent: %+v", c.ConnectionState())
			}
			exchange(t, c, s)
		})
	}
}

// A server that rejects has not seen the session, which is good for the next connection.
func TestECHRejectionKeepsTheSession(t *testing.T) {
	client, server, key := echPair(t)
	client.ClientSessionCache = NewLRUClientSessionCache(4)
	c, s := mustConnect(t, client, server)
	exchange(t, c, s)
	client.EncryptedClientHelloConfigList = must(ECHConfigList(must(GenerateECHKey(publicName, ECHKeyOptions{}))))
	for range 3 {
		var rejected *ECHRejectionError
		if _, _, err, _ := connectInMemory(client, server); !errors.As(err, &rejected) {
			t.Fatal(err)
		}
	}
	client.EncryptedClientHelloConfigList = must(ECHConfigList(key))
	if c, _ := mustConnect(t, client, server); !c.ConnectionState().DidResume {
		t.Error("the session is gone")
	}
}

// A server in between that has no certificate for the public name proves nothing.
func TestECHRejectedByNobody(t *testing.T) {
	client, server, key := echPair(t)
	server.Certificates = server.Certificates[:1] // for the inner name
	server.EncryptedClientHelloKeys = nil
	_, _, err, _ := connectInMemory(client, server)
	var rejected *ECHRejectionError
	if err == nil || errors.As(err, &rejected) || !strings.Contains(err.Error(), publicName) {
		t.Errorf("a certificate for the inner name counts for the public one: %v", err)
	}
	client.InsecureSkipVerify = true
	if _, _, err, _ := connectInMemory(client, server); err == nil || errors.As(err, &rejected) {
		t.Errorf("with InsecureSkipVerify: %v", err)
	}
	var shown ConnectionState
	client.EncryptedClientHelloRejectionVerify = func(cs ConnectionState) error { shown = cs; return nil }
	if _, _, err, _ := connectInMemory(client, server); !errors.As(err, &rejected) || len(rejected.RetryConfigList) != 0 {
		t.Errorf("with a callback that accepts: %v", err)
	}
	if shown.ServerName != publicName || len(shown.PeerCertificates) == 0 {
		t.Errorf("the callback is shown %+v", shown)
	}
	client.EncryptedClientHelloRejectionVerify = func(ConnectionState) error { return io.ErrNoProgress }
	if _, _, err, _ := connectInMemory(client, server); !errors.Is(err, io.ErrNoProgress) || errors.As(err, &rejected) {
		t.Errorf("with a callback that refuses: %v", err)
	}
	_ = key
}

// Nor does one with a raw key, which has no name, or one without any key.
func TestECHRejectedWithoutACertificate(t *testing.T) {
	for name, set := range map[string]func(client, server *Config){
		"a raw key": func(client, server *Config) {
			client.RawPublicKeys = RawPublicKeys{Accept: []CertificateType{CertificateTypeRawPublicKey, CertificateTypeX509}, Verify: func(PeerKey) error { return nil }}
			*server = Config{RawPublicKeys: RawPublicKeys{Keys: []Certificate{bareKey("ecdsa-p256")}}}
		},
		"no key": func(client, server *Config) {
			client.CipherSuites = []uint16{TLS_AES_128_GCM_SHA256, uint16(wire.TLS_DH_anon_WITH_AES_128_GCM_SHA256)}
			client.Legacy.Anonymous, server.Legacy.Anonymous = true, true
			*server = Config{CipherSuites: client.CipherSuites[1:], Legacy: server.Legacy, MaxVersion: VersionTLS12}
		},
		"a pre-shared key of TLS 1.2": func(client, server *Config) {
			client.CipherSuites = []uint16{TLS_AES_128_GCM_SHA256, uint16(wire.TLS_ECDHE_PSK_WITH_AES_128_GCM_SHA256)}
			client.PSK.Client = func(string) (string, []byte, error) { return "me", make([]byte, 16), nil }
			*server = Config{CipherSuites: client.CipherSuites[1:], MaxVersion: VersionTLS12}
			server.PSK.Server = func(string) ([]byte, error) { return make([]byte, 16), nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, server, _ := echPair(t)
			set(client, server)
			var rejected *ECHRejectionError
			if _, _, err, _ := connectInMemory(client, server); err == nil || errors.As(err, &rejected) {
				t.Errorf("client: %v", err)
			}
			client.EncryptedClientHelloConfigList = nil
			mustConnect(t, client, server)
		})
	}
}

// A server that opens the encrypted hello may show a raw key, which the outer one does not ask for.
func TestECHWithRawPublicKeys(t *testing.T) {
	client, server, _ := echPair(t)
	raw, _ := rawPair("ecdsa-p256", VersionTLS13)
	client.RawPublicKeys, server.RawPublicKeys = raw.RawPublicKeys, raw.RawPublicKeys
	client.RawPublicKeys.Keys = nil
	client.ShuffleExtensions = true
	var seen hellos
	client.Trace = seen.hooks()
	c, s := mustConnect(t, client, server)
	if !c.ConnectionState().ECHAccepted || c.State().PeerRawPublicKey == nil {
		t.Errorf("%+v", c.State())
	}
	if seen.outer[0].Extensions.Has(wire.ExtServerCertificateType) || !seen.inner[0].Extensions.Has(wire.ExtServerCertificateType) {
		t.Error("the outer hello asks for raw keys, or the inner one does not")
	}
	exchange(t, c, s)
}

// crypto/tls as the peer, in both roles: taken, with a retry, and not taken.
func TestECHWithCryptoTLS(t *testing.T) {
	for _, retry := range []bool{false, true} {
		for _, taken := range []bool{true, false} {
			client, server, _ := echPair(t)
			if retry {
				client.CurvePreferences, server.CurvePreferences = []CurveID{X25519, CurveP384}, []CurveID{CurveP384}
			}
			if !taken {
				client.EncryptedClientHelloConfigList = must(ECHConfigList(must(GenerateECHKey(publicName, ECHKeyOptions{}))))
			}
			for _, role := range roles {
				ours, theirs := func() (*Conn, *stdtls.Conn) {
					a, b := memoryPipe()
					std := toStd(server)
					std.EncryptedClientHelloKeys = server.EncryptedClientHelloKeys
					if role.name == "client" {
						return Client(a, client), stdtls.Server(b, std)
					}
					std = toStd(client)
					std.EncryptedClientHelloConfigList = client.EncryptedClientHelloConfigList
					return Server(b, server), stdtls.Client(a, std)
				}()
				a, b := shake(ours, theirs)
				err := a
				if role.name == "server" {
					err = b
				}
				var rejected *ECHRejectionError
				switch {
				case taken && (a != nil || b != nil):
					t.Errorf("we as %s, retry %v: %v, crypto/tls: %v", role.name, retry, a, b)
				case taken && (!ours.ConnectionState().ECHAccepted || !theirs.ConnectionState().ECHAccepted || ours.ConnectionState().HelloRetryRequest != retry):
					t.Errorf("we as %s, retry %v: not accepted", role.name, retry)
				case taken:
					talk(t, ours, theirs)
				case !errors.As(err, &rejected) || !bytes.Equal(rejected.RetryConfigList, must(ECHConfigList(server.EncryptedClientHelloKeys...))):
					t.Errorf("we as %s, retry %v: not refused with the server's configs: %v, %v", role.name, retry, a, b)
				}
			}
		}
	}
}
