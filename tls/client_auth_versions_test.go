package tls

import (
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"crypto/x509/pkix"

	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// dsaClient is a certificate of the test authority with a DSA key.
var dsaClient = sync.OnceValue(func() Certificate {
	p := testPKI()
	key := must(devca.NewDSAKey())
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "dsa"}, SerialNumber: big.NewInt(77), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der := must(devca.Certify(template, p.ca, key, p.key))
	return Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: must(x509.ParseCertificate(der))}
})

// identities are what a client may have, and the first version that can use it.
var identities = []struct {
	name        string
	from, until wire.Version
	cert        func() Certificate
	typ         wire.ClientCertificateType
}{
	{"rsa2048", wire.SSL30, wire.TLS13, func() Certificate { return testPKI().certs["rsa2048"] }, wire.CertTypeRSASign},
	{"ecdsa-p256", wire.TLS10, wire.TLS13, func() Certificate { return testPKI().certs["ecdsa-p256"] }, wire.CertTypeECDSASign},
	{"ed25519", wire.TLS12, wire.TLS13, func() Certificate { return testPKI().certs["ed25519"] }, wire.CertTypeECDSASign},
	{"dsa", wire.SSL30, wire.TLS12, dsaClient, wire.CertTypeDSSSign},
}

// withClients are configs with which clients of all kinds can be authenticated.
func withClients(v wire.Version) (client, server *Config) {
	client, server = testPKI().client(), testPKI().server("rsa2048")
	at(uint16(v), client, server)
	for _, c := range []*Config{client, server} {
		c.Legacy.SSL30, c.Legacy.DSSSigning, c.Legacy.SHA1Signatures = true, true, true
		c.CipherSuites = suitesNamed("TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", "TLS_DHE_DSS_WITH_AES_128_CBC_SHA")
	}
	server.ClientCAs = testPKI().roots
	return client, server
}

// Every kind of key, in every version that it exists in: the client finds it among
// others that do not fit, and the server accepts it.
func TestClientIdentities(t *testing.T) {
	strange := strangerCA().certificate("rsa2048", &x509.Certificate{})
	for _, v := range allVersions {
		for _, id := range identities {
			t.Run(fmt.Sprintf("%v/%s", v, id.name), func(t *testing.T) {
				client, server := withClients(v)
				server.ClientAuth = RequireAndVerifyClientCert
				requests := 0
				client.Trace = traceMessages(func(m wire.Message) {
					if r, ok := m.(*wire.CertificateRequest); ok {
						requests++
						checkRequest(t, v, r)
					}
				})
				client.Certificates = []Certificate{strange, id.cert()}
				c, s, clientErr, serverErr := connectInMemory(client, server)
				if requests != 1 {
					t.Fatalf("%d requests; %v; %v", requests, clientErr, serverErr)
				}
				if v < id.from || v > id.until { // the client has nothing that it can show
					if serverErr == nil {
						t.Errorf("the client has shown %s", shownBy(s))
					}
					return
				}
				if clientErr != nil || serverErr != nil {
					t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
				}
				if shownBy(s) != id.name || len(s.State().VerifiedChains) == 0 || s.State().ClientSignature == 0 || s.State().ClientSignature != c.State().ClientSignature {
					t.Errorf("the client is %s; signed with %v and %v", shownBy(s), s.State().ClientSignature, c.State().ClientSignature)
				}
				exchange(t, c, s)
			})
		}
	}
}

// checkRequest: the types and the names of the authorities are those that the server
// takes, in the form of the version.
func checkRequest(t *testing.T, v wire.Version, r *wire.CertificateRequest) {
	t.Helper()
	authorities, schemes := r.Authorities, r.SignatureSchemes
	if v == wire.TLS13 {
		r.Extensions.Read(wire.ExtCertificateAuthorities, func(r *wire.Reader) { authorities = wire.ReadAuthorities(r, 3, nil) })
		r.Extensions.Read(wire.ExtSignatureAlgorithms, func(r *wire.Reader) { schemes = wire.ReadSignatureAlgorithms(r, nil) })
	}
	if len(authorities) != 1 || string(authorities[0]) != string(testPKI().ca.RawSubject) {
		t.Errorf("the authorities are %q", authorities)
	}
	if (len(schemes) > 0) != (v >= wire.TLS12) {
		t.Errorf("the schemes are %v", schemes)
	}
	for _, id := range identities {
		if has := slices.Contains(r.CertificateTypes, id.typ); v != wire.TLS13 && has != (v >= id.from) && id.name != "ed25519" {
			t.Errorf("the types are %v; %s exists from %v", r.CertificateTypes, id.name, id.from)
		}
	}
}

// A client that has nothing to show says so: by an empty Certificate, in SSL 3.0 by an alert.
// Where a certificate is required that is the end, with the alert of the version, and
// neither side keeps a session.
func TestClientWithoutIdentity(t *testing.T) {
	for _, kind := range everyKind() {
		for _, auth := range []ClientAuthType{RequestClientCert, RequireAnyClientCert, RequireAndVerifyClientCert} {
			t.Run(fmt.Sprintf("%v/%s/%v", kind.v, kind.name, auth), func(t *testing.T) {
				client, server := withClients(kind.v)
				server.SessionTicketsDisabled = kind.name == "id"
				server.ClientAuth = auth
				store := &countingStore{Store: session.NewMemory(1 << 20)}
				server.Resumption.Store = store
				cache := &countingCache{ClientSessionCache: NewLRUClientSessionCache(0)}
				client.ClientSessionCache = cache
				wrapped := new(atomic.Int32)
				server.WrapSession = func(cs ConnectionState, s *SessionState) ([]byte, error) {
					wrapped.Add(1)
					return server.EncryptTicket(cs, s)
				}
				server.UnwrapSession = server.DecryptTicket
				empty, alerts := new(atomic.Int32), new(atomic.Int32)
				client.Trace = &trace.Hooks{
					Message: func(m trace.Message) {
						if m.Dir == trace.Sent && m.Raw[0] == byte(wire.TypeCertificate) {
							empty.Add(1)
						}
					},
					Alert: func(a trace.Alert) {
						if a.Dir == trace.Sent && a.Code == wire.AlertNoCertificate && a.Level == wire.LevelWarning {
							alerts.Add(1)
						}
					},
				}
				c, s, clientErr, serverErr := connectInMemory(client, server)
				if bare := kind.v == wire.SSL30; (empty.Load() == 1) == bare || (alerts.Load() == 1) != bare {
					t.Errorf("%d Certificates and %d alerts", empty.Load(), alerts.Load())
				}
				if auth == RequestClientCert {
					if clientErr != nil || serverErr != nil {
						t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
					}
					exchange(t, c, s)
					if store.puts+int(wrapped.Load()) == 0 || cache.puts.Load() == 0 {
						t.Error("no session was made: this test proves nothing")
					}
					return
				}
				want := wire.AlertHandshakeFailure
				if kind.v == wire.TLS13 {
					want = wire.AlertCertificateRequired
				}
				refusedBoth(t, c, clientErr, serverErr, want)
				if store.puts != 0 || cache.puts.Load() != 0 || kind.v == wire.TLS13 && wrapped.Load() != 0 {
					t.Errorf("%d sessions in the store, %d in the cache, %d in tickets", store.puts, cache.puts.Load(), wrapped.Load())
				}
			})
		}
	}
}

type countingCache struct {
	ClientSessionCache
	puts atomic.Int32
}

func (c *countingCache) Put(key string, s *ClientSessionState) {
	if s != nil {
		c.puts.Add(1)
	}
	c.ClientSessionCache.Put(key, s)
}

// The same for a certificate that is refused, or not the client's own.
func TestRefusedClientsLeaveNoSession(t *testing.T) {
	p := testPKI()
	thief := p.certs["rsa2048"]
	thief.PrivateKey = newKey("rsa2048")
	strange := strangerCA().certificate("rsa2048", &x509.Certificate{})
	for _, kind := range everyKind() {
		for name, test := range map[string]struct {
			cert *Certificate
			set  func(*Config)
			want wire.AlertCode
		}{
			"of nobody we know":           {&strange, nil, wire.AlertUnknownCA},
			"with another key":            {&thief, nil, wire.AlertDecryptError},
			"refused by VerifyConnection": {nil, func(c *Config) { c.VerifyConnection = func(ConnectionState) error { return errMine } }, wire.AlertBadCertificate},
			"refused by VerifyPeer": {nil, func(c *Config) {
				c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errMine }
			}, wire.AlertBadCertificate},
			"not meant for authentication": {ref(serverOnly()), nil, wire.AlertUnsupportedCertificate},
		} {
			t.Run(fmt.Sprintf("%v/%s/%s", kind.v, kind.name, name), func(t *testing.T) {
				client, server := withClients(kind.v)
				server.SessionTicketsDisabled = kind.name == "id"
				server.ClientAuth = RequireAndVerifyClientCert
				store := &countingStore{Store: session.NewMemory(1 << 20)}
				server.Resumption.Store = store
				cache := &countingCache{ClientSessionCache: NewLRUClientSessionCache(0)}
				client.ClientSessionCache = cache
				client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) {
					if test.cert != nil {
						return test.cert, nil
					}
					return ref(p.certs["rsa2048"]), nil
				}
				if test.set != nil {
					test.set(server)
				}
				c, _, clientErr, serverErr := connectInMemory(client, server)
				if clientErr == nil {
					c.SetReadDeadline(time.Now().Add(5 * time.Second))
					_, clientErr = c.Read(make([]byte, 1))
				}
				var fault *HandshakeError
				if !errors.As(serverErr, &fault) || fault.Received || !errors.As(clientErr, &fault) || !fault.Received {
					t.Fatalf("client: %v\nserver: %v", clientErr, serverErr)
				}
				if got := fault.Alert; got != test.want && (kind.v >= wire.TLS10 || got != wire.AlertHandshakeFailure && got != wire.AlertBadCertificate && got != wire.AlertIllegalParameter && got != wire.AlertUnsupportedCertificate) {
					t.Errorf("the alert is %v, want %v", got, test.want)
				}
				if store.puts != 0 || cache.puts.Load() != 0 {
					t.Errorf("%d sessions in the store, %d in the cache", store.puts, cache.puts.Load())
				}
			})
		}
	}
}

// serverOnly is a certificate that does not allow its use by a client.
func serverOnly() Certificate {
	p, key := testPKI(), newKey("rsa2048")
	leaf := p.issue(&x509.Certificate{KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, key)
	return Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
}

// Of certificates of several authorities and kinds, the client shows the first that
// the server takes.
func TestClientPicksAmongMany(t *testing.T) {
	one, named := testPKI(), authority("ecdsa-p256")
	named.ca = must(x509.ParseCertificate(must(x509.CreateCertificate(nil, &x509.Certificate{
		SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "Another CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}, &x509.Certificate{Subject: pkix.Name{CommonName: "Another CA"}}, named.key.Public(), named.key))))
	named.roots = x509.NewCertPool()
	named.roots.AddCert(named.ca)
	theirs := named.certificate("rsa2048", &x509.Certificate{Subject: pkix.Name{CommonName: "theirs"}})
	for _, v := range allVersions {
		for _, test := range []struct {
			name string
			cas  *x509.CertPool
			have []Certificate
			want string
		}{
			{"the second authority", named.roots, []Certificate{one.certs["rsa2048"], theirs}, "theirs"},
			{"the first authority", one.roots, []Certificate{theirs, one.certs["rsa2048"]}, "rsa2048"},
			{"the first of two that fit", one.roots, []Certificate{one.certs["rsa2048"], dsaClient()}, "rsa2048"},
			{"neither", one.roots, []Certificate{theirs}, ""},
		} {
			client, server := withClients(v)
			server.ClientAuth, server.ClientCAs, client.Certificates = VerifyClientCertIfGiven, test.cas, test.have
			_, s := mustConnect(t, client, server)
			if shownBy(s) != test.want {
				t.Errorf("%v, %s: the client showed %q", v, test.name, shownBy(s))
			}
		}
	}
}
