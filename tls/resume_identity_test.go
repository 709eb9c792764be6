package tls

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

type tenant struct{}

// byTenant shows the certificate of the tenant whom the context names, none for nobody.
func byTenant(info *CertificateRequestInfo) (*Certificate, error) {
	name, _ := info.Context().Value(tenant{}).(string)
	cert := testPKI().certs[name]
	return &cert, nil
}

// visit connects for a tenant and returns how the connection was resumed, and whom the
// server sees.
func visit(t *testing.T, client, server *Config, name string) (resumed, seen string) {
	t.Helper()
	a, b := memoryPipe()
	c, s := Client(a, client), Server(b, server)
	failed := make(chan error, 1)
	go func() { failed <- s.Handshake() }()
	if err := c.HandshakeContext(context.WithValue(soon(t), tenant{}, name)); err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	bringTickets(t, c, s)
	return s.State().Resumption, shownBy(s)
}

// A server that resumes a session does not ask who we are: it is offered only by those
// for whom it was made, also where one Config serves many.
func TestSessionsOfAnotherIdentityAreNotOffered(t *testing.T) {
	const alice, bob, nobody = "ecdsa-p384", "ed25519", ""
	for _, kind := range kinds {
		for _, first := range []string{alice, nobody} {
			t.Run(kind.name+"/"+first, func(t *testing.T) {
				client, server := resumable(kind.version, kind.server)
				server.ClientAuth, server.ClientCAs = VerifyClientCertIfGiven, testPKI().roots
				client.GetClientCertificate = byTenant
				for i, step := range []struct{ name, want string }{
					{first, "none"}, {first, kind.name}, {first, kind.name}, {bob, "none"}, {bob, kind.name}, {first, "none"},
				} {
					resumed, seen := visit(t, client, server, step.name)
					if resumed != step.want || seen != step.name {
						t.Errorf("connection %d of %q: resumed by %s, the server sees %q", i, step.name, resumed, seen)
					}
				}
				client.GetClientCertificate = func(*CertificateRequestInfo) (*Certificate, error) { return nil, errors.New("not now") }
				cached := new(oneSession)
				cached.ClientSessionState, _ = client.ClientSessionCache.Get((&Conn{config: client}).sessionKey())
				client.ClientSessionCache = cached
				if _, _, err, _ := connectInMemory(client, server); err == nil {
					t.Error("a client that cannot say who it is has resumed")
				}
			})
		}
	}
}

// What was shown is told by the session also as bytes, and where a cache has lost all else.
func TestIdentitySurvivesAsBytes(t *testing.T) {
	const alice, bob = "ecdsa-p384", "ed25519"
	for _, kind := range kinds[1:] { // a session ID cannot be told from a ticket by NewResumptionState
		for _, name := range []string{alice, bob, ""} {
			client, server := resumable(kind.version, kind.server)
			server.ClientAuth, server.ClientCAs = VerifyClientCertIfGiven, testPKI().roots
			cache := new(oneSession)
			client.ClientSessionCache, client.GetClientCertificate = cache, byTenant
			visit(t, client, server, alice)
			ticket, state, _ := cache.ResumptionState()
			parsed := must(ParseSessionState(must(state.Bytes())))
			static := client.Clone()
			static.GetClientCertificate = nil
			if name != "" {
				static.Certificates = []Certificate{testPKI().certs[name]}
			}
			for how, config := range map[string]*Config{"asked": client, "listed": static} {
				cache.ClientSessionState = must(NewResumptionState(ticket, parsed))
				want := "none"
				if name == alice {
					want = kind.name
				}
				if resumed, seen := visit(t, config, server, name); resumed != want || seen != name {
					t.Errorf("%s, %q, %s: resumed by %s, the server sees %q", kind.name, name, how, resumed, seen)
				}
			}
		}
	}
}

// Addresses name functions and pools in one process only.
func TestKeysWithAddressesAreOfOneProcess(t *testing.T) {
	defer func(salt [16]byte) { processSalt = salt }(processSalt)
	for name, c := range map[string]*Config{
		"roots": {RootCAs: x509.NewCertPool()}, "callback": {GetClientCertificate: byTenant}, "": {MinVersion: VersionTLS13},
	} {
		before := c.sessionKey()
		processSalt[0]++
		if same := c.sessionKey() == before; same != (name == "") {
			t.Errorf("%q: the same key in another process: %v", name, same)
		}
	}
}

// A session whose resumption fails, for whatever reason, is not offered again.
func TestASessionThatFailsIsDropped(t *testing.T) {
	for _, kind := range kinds {
		for _, own := range []bool{true, false} {
			client, server := resumable(kind.version, kind.server)
			if !own {
				client.ClientSessionCache = new(oneSession)
			}
			resumption(t, client, server)
			refuse := func(cs ConnectionState) error {
				if cs.DidResume {
					return errors.New("not again")
				}
				return nil
			}
			client.VerifyConnection = refuse
			if _, _, err, _ := connectInMemory(client, server); err == nil {
				t.Errorf("%s: resumed", kind.name)
			}
			if got := resumption(t, client, server); got != "none" {
				t.Errorf("%s: then resumed by %s", kind.name, got)
			}
			client.VerifyConnection = nil
			if got := resumption(t, client, server); got != kind.name {
				t.Errorf("%s: the next session is resumed by %s", kind.name, got)
			}
		}
	}
}

// What another connection has put into the cache is not dropped with what has failed.
func TestANewerSessionIsNotDropped(t *testing.T) {
	cache := new(oneSession)
	state := &SessionState{session: &session.Session{Version: VersionTLS12}}
	c := &Conn{config: &Config{ClientSessionCache: cache}, scratch: &scratch{cacheKey: "x", hasKey: true}}
	for ticket, stays := range map[byte]bool{1: false, 2: true} {
		cache.ClientSessionState = &ClientSessionState{ticket: []byte{ticket}, state: state}
		c.drop(&ClientSessionState{ticket: []byte{1}, state: state})
		if got := cache.ClientSessionState != nil; got != stays {
			t.Errorf("ticket %d stays: %v", ticket, got)
		}
	}
}

// A server that has renewed its certificate stays in reach of those who have sessions
// with the old one.
func TestAChainThatIsGoodNoLongerIsNotOffered(t *testing.T) {
	p := testPKI()
	for _, kind := range kinds {
		client, server := resumable(kind.version, kind.server)
		now := time.Now()
		client.Time = func() time.Time { return now }
		server.Time = client.Time
		renewed := server.Certificates
		server.Certificates = []Certificate{p.certificate("ecdsa-p256", &x509.Certificate{DNSNames: []string{"example.test"}, NotAfter: now.Add(10 * time.Minute)})}
		resumption(t, client, server)
		if got := resumption(t, client, server); got != kind.name {
			t.Errorf("resumed by %s, want %s", got, kind.name)
		}
		server.Certificates = renewed
		now = now.Add(20 * time.Minute)
		if got := resumption(t, client, server); got != "none" {
			t.Errorf("%s: resumed by %s with a chain that has expired", kind.name, got)
		}
		if got := resumption(t, client, server); got != kind.name {
			t.Errorf("resumed by %s, want %s", got, kind.name)
		}
	}
}

// nowhere is a connection of no network.
type nowhere struct{ net.Conn }

func (nowhere) RemoteAddr() net.Addr { return nil }

// A server without a name or an address has no sessions, and costs no connection.
func TestSessionsOfAConnectionWithoutAddress(t *testing.T) {
	client, server := resumable(VersionTLS13, func(*Config) {})
	client.ServerName, client.InsecureSkipVerify = "", true
	for range 2 {
		a, b := memoryPipe()
		c, s := Client(nowhere{a}, client), Server(b, server)
		if clientErr, serverErr := shake(c, s); clientErr != nil || serverErr != nil {
			t.Fatal(clientErr, serverErr)
		}
		bringTickets(t, c, s)
		if c.State().Resumption != "none" {
			t.Error("resumed")
		}
	}
}
