package tls

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/wire"
)

// twiceQUIC connects two times with the same Configs, a ticket each, and returns both sides
// of the second time. adjust changes them before it.
func twiceQUIC(t *testing.T, client, server *QUICConfig, opts QUICSessionTicketOptions, adjust func(c, s *quicPlayer)) (c, s *quicPlayer, err error) {
	t.Helper()
	for again := range 2 {
		c, s = oursQUIC(t, client, false), oursQUIC(t, server, true)
		s.ticket = &opts
		c.storeAs = func(state *SessionState) {
			if err := c.quicEnd.(*QUICConn).StoreSession(state); err != nil {
				t.Error(err)
			}
		}
		if again == 1 {
			if adjust != nil {
				adjust(c, s)
			}
			return c, s, runQUIC(c, s)
		}
		if err := runQUIC(c, s); err != nil {
			t.Fatal(err)
		}
		if c.ConnectionState().DidResume {
			t.Fatal("the first connection resumes something")
		}
	}
	return c, s, nil
}

func sessionConfigs(events bool) (client, server *QUICConfig) {
	c, s := quicConfigs()
	c.ClientSessionCache = NewLRUClientSessionCache(4)
	return &QUICConfig{TLSConfig: c, EnableSessionEvents: events}, &QUICConfig{TLSConfig: s, EnableSessionEvents: events}
}

func TestQUICResumes(t *testing.T) {
	client, server := sessionConfigs(false)
	c, s, err := twiceQUIC(t, client, server, QUICSessionTicketOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkQUIC(t, c, s)
	if !c.ConnectionState().DidResume || c.quicEnd.(*QUICConn).State().Resumption != "psk" {
		t.Error("the second connection does not resume")
	}
	for _, p := range []*quicPlayer{c, s} {
		if words := strings.Join(p.log, ", "); strings.Contains(words, "resume") || strings.Contains(words, "store") {
			t.Errorf("events of sessions that nobody has asked for: %s", words)
		}
	}
}

// TestQUICSessionEvents: the application sees sessions before anything follows from them, and
// what it has put into them travels along.
func TestQUICSessionEvents(t *testing.T) {
	client, server := sessionConfigs(true)
	extra := [][]byte{[]byte("of the server"), {}}
	var sentBefore int
	c, s, err := twiceQUIC(t, client, server, QUICSessionTicketOptions{Extra: extra}, func(c, s *quicPlayer) {
		s.onEvent = func(e QUICEvent) {
			if e.Kind == QUICResumeSession {
				sentBefore = len(c.given[QUICEncryptionLevelInitial])
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	checkQUIC(t, c, s)
	if !c.ConnectionState().DidResume || sentBefore != 0 {
		t.Errorf("resumed %v; the server had sent %d bytes when it was asked", c.ConnectionState().DidResume, sentBefore)
	}
	if c.log[0] != "resume" || c.log[1] != "data Initial" {
		t.Errorf("the client's events are %v", c.log)
	}
	if i := slices.Index(s.log, "resume"); i != 1 || s.log[2] != "data Initial" {
		t.Errorf("the server's events are %v", s.log)
	}
	if got := s.resumedWith; got == nil || !slices.EqualFunc(got.Extra, extra, bytes.Equal) {
		t.Errorf("the server resumes with %+v", got)
	}
	if got := c.resumedWith; got == nil || got.Extra != nil || len(got.session.PeerChain) != 1 {
		t.Errorf("the client resumes with %+v", got)
	}
	blob, err := s.resumedWith.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if state, err := ParseSessionState(blob); err != nil || !slices.EqualFunc(state.Extra, extra, bytes.Equal) {
		t.Errorf("as bytes: %v, %+v", err, state)
	}
}

// TestQUICStoresWhatIsChanged: a client's own data comes back with the session, and a session
// that is not stored is not offered.
func TestQUICStoresWhatIsChanged(t *testing.T) {
	client, server := sessionConfigs(true)
	for again := range 3 {
		c, s := oursQUIC(t, client, false), oursQUIC(t, server, true)
		s.ticket = new(QUICSessionTicketOptions)
		c.storeAs = func(state *SessionState) {
			if again == 0 {
				return
			}
			state.Extra = append(state.Extra, []byte("of the client"))
			if err := c.quicEnd.(*QUICConn).StoreSession(state); err != nil {
				t.Error(err)
			}
		}
		if err := runQUIC(c, s); err != nil {
			t.Fatal(err)
		}
		if resumed := c.ConnectionState().DidResume; resumed != (again == 2) {
			t.Errorf("connection %d: resumed %v", again, resumed)
		}
		if again == 2 && (c.resumedWith == nil || len(c.resumedWith.Extra) != 1 || string(c.resumedWith.Extra[0]) != "of the client") {
			t.Errorf("resumed with %+v", c.resumedWith)
		}
	}
}

// TestQUICWrapSession: an application that seals sessions itself gets its data too.
func TestQUICWrapSession(t *testing.T) {
	client, server := sessionConfigs(true)
	var wrapped, unwrapped [][]byte
	var name string
	config := server.TLSConfig
	config.WrapSession = func(cs ConnectionState, ss *SessionState) ([]byte, error) {
		wrapped = ss.Extra
		return config.EncryptTicket(cs, ss)
	}
	config.UnwrapSession = func(identity []byte, cs ConnectionState) (*SessionState, error) {
		state, err := config.DecryptTicket(identity, cs)
		if state != nil {
			unwrapped, name = state.Extra, cs.ServerName
		}
		return state, err
	}
	c, s, err := twiceQUIC(t, client, server, QUICSessionTicketOptions{Extra: [][]byte{[]byte("data")}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkQUIC(t, c, s)
	if !c.ConnectionState().DidResume || len(wrapped) != 1 || len(unwrapped) != 1 || string(unwrapped[0]) != "data" || name != "example.test" {
		t.Errorf("resumed %v, wrapped %q, unwrapped %q for %q", c.ConnectionState().DidResume, wrapped, unwrapped, name)
	}
}

// TestQUICSessionsStayInQUIC: a client offers a session of QUIC to nobody over TCP, and a
// server resumes none there.
func TestQUICSessionsStayInQUIC(t *testing.T) {
	client, server := sessionConfigs(false)
	c, s := oursQUIC(t, client, false), oursQUIC(t, server, true)
	s.ticket = new(QUICSessionTicketOptions)
	if err := runQUIC(c, s); err != nil {
		t.Fatal(err)
	}
	overTCP := func() (resumed bool) {
		a, b := memoryPipe()
		conn, peer := Client(a, client.TLSConfig), Server(b, server.TLSConfig)
		defer conn.Close()
		defer peer.Close()
		done := make(chan error)
		go func() { done <- peer.Handshake() }()
		if err := errors.Join(conn.Handshake(), <-done); err != nil {
			t.Fatal(err)
		}
		return conn.ConnectionState().DidResume
	}
	if overTCP() {
		t.Error("a session of QUIC was resumed over TCP")
	}
	// A client that mixes them up meets a server that does not.
	cache := client.TLSConfig.ClientSessionCache.(*lruCache)
	mixed := &anyKey{cache: cache, key: "QUIC " + (&Conn{config: client.TLSConfig}).sessionKey()}
	client.TLSConfig.ClientSessionCache = mixed
	if overTCP() {
		t.Error("a server resumes a session of QUIC over TCP")
	}
	if !mixed.found {
		t.Error("no session was offered")
	}
}

// anyKey is a cache that has the same session under every key.
type anyKey struct {
	cache *lruCache
	key   string
	found bool
}

func (a *anyKey) Get(string) (*ClientSessionState, bool) {
	cs, ok := a.cache.Get(a.key)
	a.found = a.found || ok
	return cs, ok
}
func (a *anyKey) Put(string, *ClientSessionState) {}

// TestQUICTicketsOfOthers resumes with crypto/tls's server, and its client with ours.
func TestQUICTicketsOfOthers(t *testing.T) {
	for _, std := range []bool{false, true} { // the server
		clientConfig, serverConfig := quicConfigs()
		clientConfig.ClientSessionCache = NewLRUClientSessionCache(4)
		ours := &QUICConfig{TLSConfig: serverConfig}
		if std {
			ours = &QUICConfig{TLSConfig: clientConfig}
		}
		theirs := sharedTheirs(map[bool]*Config{true: serverConfig, false: clientConfig}[std])
		for again := range 2 {
			var c, s *quicPlayer
			if std {
				c, s = oursQUIC(t, ours, false), theirs(t, true)
			} else {
				c, s = theirs(t, false), oursQUIC(t, ours, true)
			}
			s.ticket = new(QUICSessionTicketOptions)
			if err := runQUIC(c, s); err != nil {
				t.Fatalf("their server %v: %v", std, err)
			}
			checkQUIC(t, c, s)
			if c.ConnectionState().DidResume != (again == 1) {
				t.Errorf("their server %v, connection %d: resumed %v", std, again+1, c.ConnectionState().DidResume)
			}
		}
	}
}

// TestQUICDropsFailedSessions: a session whose handshake fails is not offered again.
func TestQUICDropsFailedSessions(t *testing.T) {
	client, server := sessionConfigs(false)
	c, _, err := twiceQUIC(t, client, server, QUICSessionTicketOptions{}, func(c, s *quicPlayer) {
		s.onEvent = func(e QUICEvent) {
			if e.Kind == QUICWriteData && e.Level == QUICEncryptionLevelHandshake {
				c.HandleData(QUICEncryptionLevelHandshake, []byte{20, 0, 0, 0})
			}
		}
	})
	if err == nil {
		t.Fatal("the handshake did not fail")
	}
	key := c.quicEnd.(*QUICConn).conn.sessionKey()
	if cs, ok := client.TLSConfig.ClientSessionCache.Get(key); ok && cs != nil {
		t.Errorf("under %q there is still a session", key)
	}
}

// A connection that was closed after its handshake takes nothing more, and sends no ticket.
func TestQUICClosedAfterTheHandshake(t *testing.T) {
	client, server := sessionConfigs(false)
	c, s := oursQUIC(t, client, false), oursQUIC(t, server, true)
	if err := runQUIC(c, s); err != nil {
		t.Fatal(err)
	}
	server.TLSConfig.WrapSession = func(ConnectionState, *SessionState) ([]byte, error) {
		t.Error("a ticket is made after Close")
		return nil, nil
	}
	for _, q := range []*QUICConn{c.quicEnd.(*QUICConn), s.quicEnd.(*QUICConn)} {
		if err := q.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		did := func() error { return q.HandleData(QUICEncryptionLevelApplication, nil) }
		if q.conn.role == wire.Server {
			did = func() error { return q.SendSessionTicket(QUICSessionTicketOptions{}) }
		}
		if err := did(); !errors.Is(err, AlertError(wire.AlertCloseNotify)) || strings.Contains(err.Error(), "during") {
			t.Errorf("after Close: %v", err)
		}
		if e := q.NextEvent(); e.Kind == QUICWriteData {
			t.Error("something is sent after Close")
		}
		if !q.ConnectionState().HandshakeComplete {
			t.Error("the state is forgotten")
		}
	}
}

// The session that a server's application is shown keeps all that it has: what it was read from is
// used again by the next handshake.
func TestQUICShowsASessionOfItsOwn(t *testing.T) {
	q := QUICServer(&QUICConfig{TLSConfig: testPKI().server("ecdsa-p256"), EnableSessionEvents: true})
	defer q.Close()
	room := []byte("secret identity hint extra")
	q.host.Resumes(&session.Session{Version: wire.TLS13, Secret: room[:6], Extra: [][]byte{room[21:]},
		PSK: &session.PSK{Identity: room[7:15], Hint: room[16:20]}})
	clear(room)
	own := q.host.shown.session
	if got := fmt.Sprintf("%s %s %s %s", own.Secret, own.PSK.Identity, own.PSK.Hint, own.Extra[0]); got != "secret identity hint extra" {
		t.Errorf("%q", got)
	}
}

// A server that has not taken the encrypted hello is no one to resume with, whatever ticket it sends.
func TestQUICECHRejectionLeavesNoSession(t *testing.T) {
	for _, events := range []bool{false, true} {
		client, server := sessionConfigs(events)
		other := must(GenerateECHKey(publicName, ECHKeyOptions{}))
		client.TLSConfig.EncryptedClientHelloConfigList = must(ECHConfigList(other))
		server.TLSConfig.Certificates = append(server.TLSConfig.Certificates, publicCertificate())
		server.TLSConfig.EncryptedClientHelloKeys = []EncryptedClientHelloKey{must(GenerateECHKey(publicName, ECHKeyOptions{}))}
		var stored []*SessionState
		kept := &countingCache{ClientSessionCache: NewLRUClientSessionCache(1)}
		client.TLSConfig.ClientSessionCache = kept
		c, s := oursQUIC(t, client, false), oursQUIC(t, server, true)
		s.ticket = &QUICSessionTicketOptions{}
		c.storeAs = func(state *SessionState) { stored = append(stored, state) }
		err := runQUIC(c, s)
		if rejected, is := errors.AsType[*ECHRejectionError](err); !is || len(rejected.RetryConfigList) == 0 {
			t.Fatalf("events %v: %v", events, err)
		}
		if len(stored) > 0 || kept.puts.Load() > 0 || c.complete {
			t.Errorf("events %v: %d sessions were shown, %d kept; complete: %v", events, len(stored), kept.puts.Load(), c.complete)
		}
	}
}
