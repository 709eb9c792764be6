package tls

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// resumption connects, has a byte bring what tickets there are, and returns how
// the connection continued a session; both ends must agree on it.
func resumption(t testing.TB, client, server *Config) string {
	t.Helper()
	c, s := mustConnect(t, client, server)
	bringTickets(t, c, s)
	if a, b := c.State().Resumption, s.State().Resumption; a != b {
		t.Fatalf("the client says %s, the server %s", a, b)
	}
	if c.ConnectionState().DidResume != (c.State().Resumption != "none") {
		t.Error("DidResume and State differ")
	}
	return c.State().Resumption
}

func bringTickets(t testing.TB, c, s io.ReadWriter) {
	t.Helper()
	if _, err := s.Write([]byte{1}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

// kinds are the ways to resume, and the settings that lead to each.
var kinds = []struct {
	name    string
	version uint16
	server  func(*Config)
}{
	{"id", VersionTLS12, func(c *Config) { c.SessionTicketsDisabled = true }},
	{"ticket", VersionTLS12, func(*Config) {}},
	{"psk", VersionTLS13, func(*Config) {}},
}

// resumable returns a pair of configs that resumes in one way.
func resumable(version uint16, set func(*Config)) (client, server *Config) {
	client, server = testPKI().client(), testPKI().server("ecdsa-p256")
	at(version, client, server)
	client.ClientSessionCache = NewLRUClientSessionCache(0)
	server.Resumption.Store = session.NewMemory(1 << 20)
	set(server)
	return client, server
}

func TestResumption(t *testing.T) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			client, server := resumable(kind.version, kind.server)
			if got := resumption(t, client, server); got != "none" {
				t.Fatalf("the first connection resumed by %s", got)
			}
			for i := range 3 {
				if got := resumption(t, client, server); got != kind.name {
					t.Fatalf("connection %d resumed by %s", i+2, got)
				}
			}
			c, s := mustConnect(t, client, server)
			if len(c.ConnectionState().PeerCertificates) != 1 || len(c.ConnectionState().VerifiedChains) != 1 {
				t.Error("the client does not know its peer any more")
			}
			exchange(t, c, s)
		})
	}
}

// A client that has a ticket goes by it, though there are session IDs too.
func TestTicketGoesBeforeID(t *testing.T) {
	client, server := resumable(VersionTLS12, func(*Config) {})
	store := &countingStore{Store: server.Resumption.Store}
	server.Resumption.Store = store
	resumption(t, client, server)
	if got := resumption(t, client, server); got != "ticket" {
		t.Errorf("resumed by %s", got)
	}
	if store.puts+store.gets != 0 {
		t.Errorf("the store was asked %d times and given %d sessions", store.gets, store.puts)
	}
}

type countingStore struct {
	session.Store
	puts, gets int
}

func (s *countingStore) Put(ctx context.Context, key string, blob []byte, expiry time.Time) error {
	s.puts++
	return s.Store.Put(ctx, key, blob, expiry)
}

func (s *countingStore) Get(ctx context.Context, key string) ([]byte, error) {
	s.gets++
	return s.Store.Get(ctx, key)
}

// brokenStore fails, at once or when it is told to give up.
type brokenStore struct{ slow bool }

func (s brokenStore) fail(ctx context.Context) error {
	if s.slow {
		<-ctx.Done()
	}
	return errors.New("the store is down")
}
func (s brokenStore) Put(ctx context.Context, _ string, _ []byte, _ time.Time) error {
	return s.fail(ctx)
}
func (s brokenStore) Get(ctx context.Context, _ string) ([]byte, error)  { return nil, s.fail(ctx) }
func (s brokenStore) Take(ctx context.Context, _ string) ([]byte, error) { return nil, s.fail(ctx) }
func (s brokenStore) Delete(ctx context.Context, _ string) error         { return s.fail(ctx) }

// garbageStore answers everything with bytes that are no session.
type garbageStore struct{ brokenStore }

func (garbageStore) Get(context.Context, string) ([]byte, error) { return []byte("garbage"), nil }

// A store that does not work costs a full handshake, never the connection.
func TestStoreIsDown(t *testing.T) {
	for name, store := range map[string]session.Store{
		"broken": brokenStore{}, "slow": brokenStore{slow: true}, "garbage": garbageStore{},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := resumable(VersionTLS12, func(c *Config) { c.SessionTicketsDisabled = true })
			resumption(t, client, server) // the client has a session now
			server.Resumption.Store = store
			begin := time.Now()
			if got := resumption(t, client, server); got != "none" {
				t.Errorf("resumed by %s", got)
			}
			if took := time.Since(begin); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// Servers that are given the same keys resume each other's sessions, for as
// long as the key is in the list.
func TestSharedTicketKeys(t *testing.T) {
	for _, kind := range kinds[1:] {
		t.Run(kind.name, func(t *testing.T) {
			client, one := resumable(kind.version, kind.server)
			two := one.Clone()
			one.SetSessionTicketKeys([][32]byte{{1}})
			for _, step := range []struct {
				keys [][32]byte
				want string
			}{
				{[][32]byte{{1}}, kind.name},
				{[][32]byte{{2}, {1}}, kind.name}, // rotated; the old one still opens
				{[][32]byte{{3}}, "none"},
			} {
				client.ClientSessionCache = NewLRUClientSessionCache(0)
				resumption(t, client, one)
				two.SetSessionTicketKeys(step.keys)
				if got := resumption(t, client, two); got != step.want {
					t.Errorf("keys %v: resumed by %s, want %s", step.keys, got, step.want)
				}
			}
		})
	}
}

func TestSessionTicketKey(t *testing.T) {
	client, one := resumable(VersionTLS13, func(c *Config) { c.SessionTicketKey = [32]byte{7} })
	two := testPKI().server("ecdsa-p256")
	two.SessionTicketKey = [32]byte{7}
	resumption(t, client, one)
	if got := resumption(t, client, two); got != "psk" {
		t.Errorf("resumed by %s", got)
	}
}

// With SingleUse a ticket of TLS 1.3 is offered once: used again, it would link connections.
func TestTicketsAreUsedOnce(t *testing.T) {
	offered := map[string]int{}
	client, server := resumable(VersionTLS13, func(c *Config) { c.Resumption.Tickets = 1 })
	client.Resumption.SingleUse = true
	client.Trace = traceMessages(func(m wire.Message) {
		hello, ok := m.(*wire.ClientHello)
		if !ok {
			return
		}
		var psks wire.OfferedPSKs
		hello.Extensions.Read(wire.ExtPreSharedKey, psks.Read)
		for _, id := range psks.Identities {
			offered[string(id.Identity)]++
		}
	})
	resumption(t, client, server)
	for range 3 {
		resumption(t, client, server)
		c, _ := mustConnect(t, client, server) // takes a ticket and reads no new one
		c.Close()
		if got := resumption(t, client, server); got != "none" {
			t.Errorf("without a ticket: resumed by %s", got)
		}
	}
	for _, n := range offered {
		if n != 1 {
			t.Errorf("a ticket was offered %d times", n)
		}
	}
	if len(offered) != 6 {
		t.Errorf("%d tickets were offered", len(offered))
	}
}

// A ticket is opened once, also where the server asks for another key share first: one
// for a single use would not open again.
func TestATicketIsOpenedOnceThroughARetry(t *testing.T) {
	opened := map[string]int{}
	client, server := resumable(VersionTLS13, func(c *Config) { c.Resumption.Tickets = 1 })
	client.CurvePreferences, client.KeyShares = []CurveID{X25519, CurveP384}, []CurveID{X25519}
	server.CurvePreferences = []CurveID{CurveP384}
	server.WrapSession = server.EncryptTicket
	server.UnwrapSession = func(identity []byte, cs ConnectionState) (*SessionState, error) {
		if opened[string(identity)]++; opened[string(identity)] > 1 {
			return nil, nil
		}
		return server.DecryptTicket(identity, cs)
	}
	resumption(t, client, server)
	if got := resumption(t, client, server); got != "psk" || len(opened) != 1 {
		t.Errorf("resumed by %s, and %d tickets were opened", got, len(opened))
	}
}

// In TLS 1.2 a ticket serves until its key seals no more: one that replaced it
// would be valid no longer, and was as visible.
func TestTicketIsRenewedWithItsKey(t *testing.T) {
	client, server := resumable(VersionTLS12, func(c *Config) { c.SetSessionTicketKeys([][32]byte{{1}}) })
	issued := 0
	server.Trace = traceMessages(func(m wire.Message) {
		if _, ok := m.(*wire.NewSessionTicket); ok {
			issued++
		}
	})
	for i, step := range []struct {
		keys   [][32]byte
		want   string
		issued int
	}{
		{[][32]byte{{1}}, "none", 1},
		{[][32]byte{{1}}, "ticket", 1},
		{[][32]byte{{2}, {1}}, "ticket", 2},
		{[][32]byte{{2}, {1}}, "ticket", 2},
		{[][32]byte{{2}}, "ticket", 2}, // the client has the one under the new key
		{[][32]byte{{3}}, "none", 3},
	} {
		server.SetSessionTicketKeys(step.keys)
		if got := resumption(t, client, server); got != step.want || issued != step.issued {
			t.Errorf("connection %d: resumed by %s, and %d tickets so far; want %s, %d", i+1, got, issued, step.want, step.issued)
		}
	}
}

// At resumption the chain is verified again, as in a full handshake: a
// certificate that has expired or is distrusted since is refused.
func TestChainIsVerifiedAgain(t *testing.T) {
	p := testPKI()
	soon := p.certificate("ecdsa-p256", &x509.Certificate{NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)})
	for _, kind := range kinds {
		for what, change := range map[string]func(*Config){
			"expired": func(c *Config) { c.Time = func() time.Time { return time.Now().Add(2 * time.Hour) } },
			"unknown": func(c *Config) { c.RootCAs = x509.NewCertPool() },
			"refused": func(c *Config) {
				c.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { return errors.New("not today") }
			},
		} {
			t.Run(kind.name+"/"+what, func(t *testing.T) {
				client, server := resumable(kind.version, kind.server)
				client.ClientSessionCache = new(oneSession) // whatever the Config says
				server.Certificates = []Certificate{soon}
				resumption(t, client, server)
				change(client)
				_, _, clientErr, serverErr := connectInMemory(client, server)
				if clientErr == nil {
					t.Fatal("the client accepts the session")
				}
				if what != "refused" {
					var bad *CertificateVerificationError
					if !errors.As(clientErr, &bad) {
						t.Errorf("the error is %v", clientErr)
					}
				}
				_ = serverErr // in TLS 1.3 the server may be done before the client refuses
			})
		}
	}
}

// A ticket that is offered is seen on the wire, so a stranger can offer it again. A client
// without the session's secret fails before the application is asked about the identity
// that the ticket names.
func TestATicketWithoutItsSecret(t *testing.T) {
	p := testPKI()
	client, server := resumable(VersionTLS13, func(*Config) {})
	server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, p.roots
	client.Certificates = []Certificate{p.certs["ed25519"]}
	cache := new(oneSession)
	client.ClientSessionCache = cache
	resumption(t, client, server)
	asked := 0
	server.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { asked++; return nil }
	cs, _ := cache.Get("")
	stolen := *cs.state.session
	stolen.Secret = make([]byte, len(stolen.Secret))
	cache.Put("", must(NewResumptionState(cs.ticket, &SessionState{session: &stolen})))
	_, _, _, serverErr := connectInMemory(client, server)
	var fault *HandshakeError
	if !errors.As(serverErr, &fault) || fault.Alert != wire.AlertDecryptError || asked != 0 {
		t.Errorf("the server ends with %v, and asked the application %d times", serverErr, asked)
	}
}

// A constraint on a root is asked in each handshake; and a signature is verified in each where
// the Config wants it.
func TestVerifyAnew(t *testing.T) {
	p := testPKI()
	server := &Config{Certificates: []Certificate{p.certs["ecdsa-p256"]}}
	for _, anew := range []bool{false, true} {
		asked := 0
		root := must(x509.ParseCertificate(p.ca.Raw))
		roots := x509.NewCertPool()
		roots.AddCertWithConstraint(root, func([]*x509.Certificate) error { asked++; return nil })
		client := &Config{RootCAs: roots, ServerName: "example.test", VerifyAnew: anew}
		for range 3 {
			_, _, clientErr, serverErr := connectInMemory(client, server)
			if err := errors.Join(clientErr, serverErr); err != nil {
				t.Fatal(err)
			}
		}
		if asked != 3 {
			t.Errorf("VerifyAnew %v: the constraint was asked %d times in 3 handshakes", anew, asked)
		}
		root.PublicKey = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)).Public() // nothing is signed with it
		if _, _, err, _ := connectInMemory(client, server); (err != nil) != anew {
			t.Errorf("VerifyAnew %v: with another key of the root: %v", anew, err)
		}
	}
}

// The callbacks are asked in a resumption as in a full handshake, on both sides.
func TestCallbacksAtResumption(t *testing.T) {
	p := testPKI()
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			client, server := resumable(kind.version, kind.server)
			server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, p.roots
			client.Certificates = []Certificate{p.certs["ed25519"]}
			calls := map[string]int{}
			for name, c := range map[string]*Config{"client": client, "server": server} {
				c.VerifyPeerCertificate = func(raw [][]byte, chains [][]*x509.Certificate) error {
					if len(raw) == 1 && len(chains) == 1 {
						calls[name+" chain"]++
					}
					return nil
				}
				c.VerifyConnection = func(cs ConnectionState) error {
					if len(cs.PeerCertificates) == 1 {
						calls[name+" connection"]++
					}
					if cs.DidResume {
						calls[name+" resumed"]++
					}
					return nil
				}
			}
			for i, want := range []string{"none", kind.name} {
				if got := resumption(t, client, server); got != want {
					t.Fatalf("connection %d resumed by %s", i+1, got)
				}
			}
			for _, name := range []string{"client", "server"} {
				if calls[name+" chain"] != 2 || calls[name+" connection"] != 2 || calls[name+" resumed"] != 1 {
					t.Errorf("%s: %v", name, calls)
				}
			}
		})
	}
}

// A session whose client certificate has expired since costs a full handshake,
// in which the client can show a new one.
func TestClientCertificateExpiresInItsSession(t *testing.T) {
	p := testPKI()
	soon := p.certificate("ecdsa-p256", &x509.Certificate{NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)})
	for _, kind := range kinds {
		client, server := resumable(kind.version, kind.server)
		client.ClientSessionCache = new(oneSession) // whatever the Config says
		server.ClientAuth, server.ClientCAs = RequireAndVerifyClientCert, p.roots
		client.Certificates = []Certificate{soon}
		resumption(t, client, server)
		client.Certificates = []Certificate{p.certs["ed25519"], soon} // it would now show the first
		if got := resumption(t, client, server); got != kind.name {
			t.Fatalf("resumed by %s", got)
		}
		server.Time = func() time.Time { return time.Now().Add(2 * time.Hour) }
		c, s := mustConnect(t, client, server)
		if got := s.State(); got.Resumption != "none" || got.PeerCertificates[0].Subject.CommonName != "ed25519" {
			t.Errorf("%s: resumed by %s, the client is %s", kind.name, got.Resumption, got.PeerCertificates[0].Subject.CommonName)
		}
		exchange(t, c, s)
	}
}
