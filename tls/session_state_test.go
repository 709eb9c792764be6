package tls

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// A client's session survives as bytes, and so in another process.
func TestSessionAsBytes(t *testing.T) {
	for _, kind := range kinds[1:] { // a session ID cannot be told from a ticket by NewResumptionState
		t.Run(kind.name, func(t *testing.T) {
			client, server := resumable(kind.version, kind.server)
			cache := new(oneSession)
			client.ClientSessionCache = cache
			resumption(t, client, server)

			ticket, state, err := cache.ResumptionState()
			if err != nil || len(ticket) == 0 {
				t.Fatal(ticket, err)
			}
			state.Extra = [][]byte{[]byte("mine"), {}}
			blob, err := state.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := ParseSessionState(blob)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := parsed.Bytes(); err != nil || !bytes.Equal(again, blob) {
				t.Errorf("parsed and written again: %v", err)
			}
			if fmt.Sprintf("%q", parsed.Extra) != `["mine" ""]` {
				t.Errorf("Extra is %q", parsed.Extra)
			}
			clear(blob)
			session, err := NewResumptionState(bytes.Clone(ticket), parsed)
			if err != nil {
				t.Fatal(err)
			}
			client = client.Clone()
			client.ClientSessionCache = &oneSession{session}
			if got := resumption(t, client, server); got != kind.name {
				t.Errorf("resumed by %s", got)
			}
		})
	}
}

func TestSessionStatesMadeByHand(t *testing.T) {
	if _, err := new(SessionState).Bytes(); err == nil {
		t.Error("an empty SessionState has bytes")
	}
	if _, err := new(Config).EncryptTicket(ConnectionState{}, new(SessionState)); err == nil {
		t.Error("an empty SessionState is sealed")
	}
	for _, blob := range [][]byte{nil, {1}, bytes.Repeat([]byte{255}, 100)} {
		if _, err := ParseSessionState(blob); err == nil {
			t.Errorf("% x is parsed", blob)
		}
	}
	if _, err := NewResumptionState(nil, new(SessionState)); err == nil {
		t.Error("a resumption state without a ticket")
	}
	if _, err := NewResumptionState([]byte{1}, new(SessionState)); err == nil {
		t.Error("a resumption state without a session")
	}
	var none *ClientSessionState
	if ticket, state, err := none.ResumptionState(); ticket != nil || state != nil || err != nil {
		t.Error("nil has a resumption state")
	}
	client, server := resumable(VersionTLS13, func(*Config) {})
	client.ClientSessionCache = &oneSession{new(ClientSessionState)}
	if got := resumption(t, client, server); got != "none" {
		t.Errorf("resumed an empty session by %s", got)
	}
}

// WrapSession and UnwrapSession see each ticket, can put their own data in, and
// can refuse.
func TestWrapSession(t *testing.T) {
	for _, kind := range kinds[1:] {
		t.Run(kind.name, func(t *testing.T) {
			client, server := resumable(kind.version, kind.server)
			var wrapped, unwrapped int
			server.WrapSession = func(cs ConnectionState, state *SessionState) ([]byte, error) {
				if wrapped++; cs.Version != kind.version || cs.ServerName != "example.test" {
					t.Errorf("wrapping with %+v", cs)
				}
				state.Extra = append(state.Extra, []byte("from WrapSession"))
				return server.EncryptTicket(cs, state)
			}
			var refuse func() (*SessionState, error)
			server.UnwrapSession = func(ticket []byte, cs ConnectionState) (*SessionState, error) {
				if unwrapped++; cs.Version != kind.version || cs.ServerName != "example.test" {
					t.Errorf("unwrapping with %+v", cs)
				}
				if refuse != nil {
					return refuse()
				}
				state, err := server.DecryptTicket(ticket, cs)
				if err == nil && (len(state.Extra) == 0 || string(state.Extra[0]) != "from WrapSession") {
					t.Errorf("Extra is %q", state.Extra)
				}
				return state, err
			}
			resumption(t, client, server)
			if got := resumption(t, client, server); got != kind.name {
				t.Fatalf("resumed by %s", got)
			}
			if wrapped == 0 || unwrapped != 1 {
				t.Errorf("%d wrapped, %d unwrapped", wrapped, unwrapped)
			}
			for _, refuse = range []func() (*SessionState, error){
				func() (*SessionState, error) { return nil, nil },
				func() (*SessionState, error) { return nil, errors.New("no") },
				func() (*SessionState, error) { return new(SessionState), nil },
			} {
				if got := resumption(t, client, server); got != "none" {
					t.Errorf("a refused ticket resumed by %s", got)
				}
			}
			refuse = nil
			server.ClientAuth = RequestClientCert // a ticket that opens is still bound to the rules
			if got := resumption(t, client, server); got != "none" {
				t.Errorf("under other rules: resumed by %s", got)
			}
			for _, wrap := range []func() ([]byte, error){
				func() ([]byte, error) { return nil, errors.New("no") },
				func() ([]byte, error) { return nil, nil },
				func() ([]byte, error) { return make([]byte, 1<<16), nil },
			} {
				server.WrapSession = func(ConnectionState, *SessionState) ([]byte, error) { return wrap() }
				client.ClientSessionCache = NewLRUClientSessionCache(0)
				resumption(t, client, server)
				if got := resumption(t, client, server); got != "none" {
					t.Errorf("without a ticket: resumed by %s", got)
				}
			}
		})
	}
}

// A SessionState that WrapSession is given is the application's: later handshakes leave it.
func TestWrappedSessionsAreKept(t *testing.T) {
	for _, version := range []uint16{VersionTLS12, VersionTLS13} {
		client, server := testPKI().client(), testPKI().server("ecdsa-p256")
		at(version, client, server)
		client.ClientSessionCache = NewLRUClientSessionCache(1)
		var kept []*SessionState
		var said [][]byte
		server.WrapSession = func(cs ConnectionState, state *SessionState) ([]byte, error) {
			b, err := state.Bytes()
			kept, said = append(kept, state), append(said, b)
			return []byte("a ticket"), err
		}
		for range 3 {
			c, s, clientErr, serverErr := connect(t, client, server)
			if clientErr != nil || serverErr != nil {
				t.Fatal(clientErr, serverErr)
			}
			c.Close()
			s.Close()
		}
		for i, state := range kept {
			if b, err := state.Bytes(); err != nil || !bytes.Equal(b, said[i]) {
				t.Errorf("%s: session %d has changed: %v", VersionName(version), i, err)
			}
		}
		if len(kept) < 3 {
			t.Errorf("%s: %d sessions", VersionName(version), len(kept))
		}
	}
}

// Keys that are not the Config's give neither a session nor an error.
func TestDecryptTicket(t *testing.T) {
	one, two := new(Config), new(Config)
	state, err := two.DecryptTicket([]byte("no ticket at all, but long enough to be one of ours"), ConnectionState{})
	if state != nil || err != nil {
		t.Error(state, err)
	}
	client, server := resumable(VersionTLS13, func(*Config) {})
	cache := new(oneSession)
	client.ClientSessionCache = cache
	resumption(t, client, server)
	ticket, err := one.EncryptTicket(ConnectionState{}, cache.state)
	if err != nil {
		t.Fatal(err)
	}
	if state, err := two.DecryptTicket(ticket, ConnectionState{}); state != nil || err != nil {
		t.Error(state, err)
	}
	if state, err := one.DecryptTicket(ticket, ConnectionState{}); state == nil || err != nil {
		t.Error(state, err)
	}
}

func TestLRUClientSessionCache(t *testing.T) {
	cache := NewLRUClientSessionCache(2)
	sessions := map[string]*ClientSessionState{"a": {}, "b": {}, "c": {}}
	has := func(want string) {
		t.Helper()
		got := ""
		for _, key := range []string{"a", "b", "c"} {
			if s, ok := cache.(*lruCache).items[key]; ok && s.Value.(*lruItem).session == sessions[key] {
				got += key
			}
		}
		if got != want {
			t.Errorf("the cache has %q, want %q", got, want)
		}
	}
	cache.Put("a", sessions["a"])
	cache.Put("b", sessions["b"])
	has("ab")
	if s, ok := cache.Get("a"); !ok || s != sessions["a"] {
		t.Error("a is not there")
	}
	cache.Put("c", sessions["c"])
	has("ac")
	cache.Put("a", nil)
	has("c")
	cache.Put("nobody", nil)
	if s, ok := cache.Get("a"); ok || s != nil {
		t.Error("a is still there")
	}
	cache.Put("b", sessions["b"])
	has("bc")
}
