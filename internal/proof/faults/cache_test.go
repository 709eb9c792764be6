package faults

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// cache is a client's cache with a fault in front.
type cache struct {
	tls.ClientSessionCache
	get func(*tls.ClientSessionState) (*tls.ClientSessionState, bool)
	put func()
	was *tls.ClientSessionState // what the cache had
}

func (c *cache) Get(key string) (*tls.ClientSessionState, bool) {
	cs, ok := c.ClientSessionCache.Get(key)
	c.was = cs
	if ok && c.get != nil {
		return c.get(cs)
	}
	return cs, ok
}

func (c *cache) Put(key string, cs *tls.ClientSessionState) {
	if c.put != nil {
		c.put()
		return
	}
	c.ClientSessionCache.Put(key, cs)
}

// ticketed are the versions with tickets, and what they call it.
var ticketed = []struct {
	version wire.Version
	kind    string
}{{wire.TLS10, "ticket"}, {wire.TLS12, "ticket"}, {wire.TLS13, "psk"}}

// certified are configs with a certificate for the version.
func certified(v wire.Version) (client, server *tls.Config) {
	client, server = defaults(v)
	if v == wire.TLS10 {
		withRSA(client, server)
		suite(wire.TLS_RSA_WITH_AES_128_CBC_SHA)(client, server)
	}
	return client, server
}

// holding is a pair whose client holds a ticket, which it keeps.
func holding(t *testing.T, v wire.Version, kind string) (f *flow, c *cache) {
	client, server := certified(v)
	kept := tls.NewLRUClientSessionCache(0)
	client.ClientSessionCache = kept
	f = pair(client, server)
	f.full(t, "the first")
	c = &cache{ClientSessionCache: &frozen{kept: kept}}
	client.ClientSessionCache = c
	if got := f.succeeds(t, "the second"); got != kind {
		t.Fatalf("%v: resumed by %s", v, got)
	}
	return f, c
}

// A ticket that is damaged, at the client or on its way, is none.
func TestDamagedTickets(t *testing.T) {
	for _, v := range ticketed {
		f, c := holding(t, v.version, v.kind)
		ticket, state, err := c.was.ResumptionState()
		if err != nil {
			t.Fatal(err)
		}
		n, i, every := 0, 0, stride()
		damages(ticket, func(how string, damaged []byte) {
			if i++; len(damaged) == 0 || i%every != 0 {
				return
			}
			n++
			c.get = func(*tls.ClientSessionState) (*tls.ClientSessionState, bool) {
				return must(tls.NewResumptionState(damaged, state)), true
			}
			f.full(t, fmt.Sprintf("%v, the ticket, %s", v.version, how))
		})
		if c.get = nil; f.succeeds(t, "whole again") != v.kind || n < 3*150/every {
			t.Errorf("%v: not resumed with the whole ticket, or only %d ways of damage", v.version, n)
		}
	}
}

// A session that was damaged where the client has kept it is noticed when it is read.
func TestDamagedSessionStates(t *testing.T) {
	for _, v := range ticketed {
		f, c := holding(t, v.version, v.kind)
		c.get = func(cs *tls.ClientSessionState) (*tls.ClientSessionState, bool) {
			ticket, state, _ := cs.ResumptionState()
			blob := must(state.Bytes())
			again, err := tls.ParseSessionState(blob)
			if err != nil {
				t.Errorf("%v: the whole state: %v", v.version, err)
				return nil, false
			}
			damages(blob, func(how string, damaged []byte) {
				var e *tls.HandshakeError
				if _, err := tls.ParseSessionState(damaged); !errors.As(err, &e) {
					t.Errorf("%v: %s is not noticed: %v", v.version, how, err)
				}
			})
			return must(tls.NewResumptionState(ticket, again)), true
		}
		if got := f.succeeds(t, "a state that was kept as bytes"); got != v.kind {
			t.Errorf("%v: resumed by %s", v.version, got)
		}
	}
}

// Caches that give nothing or nonsense, and those that are slow.
func TestFaultyCaches(t *testing.T) {
	for _, v := range ticketed {
		f, c := holding(t, v.version, v.kind)
		for name, get := range map[string]func(*tls.ClientSessionState) (*tls.ClientSessionState, bool){
			"gives nil": func(*tls.ClientSessionState) (*tls.ClientSessionState, bool) { return nil, true },
			"gives an empty state": func(*tls.ClientSessionState) (*tls.ClientSessionState, bool) {
				return new(tls.ClientSessionState), true
			},
			"gives none": func(*tls.ClientSessionState) (*tls.ClientSessionState, bool) { return nil, false },
			"is slow": func(*tls.ClientSessionState) (*tls.ClientSessionState, bool) {
				time.Sleep(patience / 10) // for the session on offer and two new ones
				return nil, false
			},
		} {
			c.get = get
			f.full(t, fmt.Sprintf("%v: a cache that %s", v.version, name))
		}
		c.get, c.put = nil, func() { time.Sleep(patience / 10) }
		if got := f.succeeds(t, "a cache that is slow to take"); got != v.kind {
			t.Errorf("%v: resumed by %s", v.version, got)
		}
	}
}

// What the application wraps and unwraps may fail too.
func TestFaultyWrappers(t *testing.T) {
	for _, v := range ticketed {
		client, server := certified(v.version)
		client.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		f := pair(client, server)
		server.WrapSession = func(tls.ConnectionState, *tls.SessionState) ([]byte, error) { return nil, errDown }
		f.full(t, "WrapSession fails")
		f.full(t, "WrapSession has failed")
		server.WrapSession = func(tls.ConnectionState, *tls.SessionState) ([]byte, error) { return make([]byte, 1<<17), nil }
		f.full(t, "WrapSession makes too much")
		f.full(t, "WrapSession has made too much")
		server.WrapSession = server.EncryptTicket
		server.UnwrapSession = server.DecryptTicket
		f.full(t, "WrapSession works")
		client.ClientSessionCache = &frozen{kept: client.ClientSessionCache}
		for name, unwrap := range map[string]func([]byte, tls.ConnectionState) (*tls.SessionState, error){
			"fails":                func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, errDown },
			"gives nothing":        func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return nil, nil },
			"gives an empty state": func([]byte, tls.ConnectionState) (*tls.SessionState, error) { return new(tls.SessionState), nil },
		} {
			server.UnwrapSession = unwrap
			f.full(t, fmt.Sprintf("%v: UnwrapSession %s", v.version, name))
		}
		server.UnwrapSession = server.DecryptTicket
		if got := f.succeeds(t, "UnwrapSession works"); got != v.kind {
			t.Errorf("%v: resumed by %s", v.version, got)
		}
	}
}

// Ticket keys that do not seal yet.
func TestNoTicketKeySeals(t *testing.T) {
	for _, v := range ticketed {
		client, server := certified(v.version)
		client.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		if err := server.SetTicketKeySchedule([]session.TicketKey{{Secret: [32]byte{1}, From: today.Add(time.Hour)}}); err != nil {
			t.Fatal(err)
		}
		f := pair(client, server)
		f.full(t, "too early")
		f.full(t, "too early, again")
	}
}
