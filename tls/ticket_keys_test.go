package tls

import (
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

// Keys that somebody only looked at are not keys that were given: a Config from
// GetConfigForClient goes on with those of the original.
func TestGettersGiveNoTicketKeys(t *testing.T) {
	for name, look := range map[string]func(*Config){
		"TicketKeys": func(c *Config) { c.TicketKeys() },
		"EncryptTicket": func(c *Config) {
			c.EncryptTicket(ConnectionState{}, &SessionState{session: &session.Session{}})
		},
		"DecryptTicket": func(c *Config) { c.DecryptTicket(make([]byte, 99), ConnectionState{}) },
		"ForProtocols":  func(c *Config) { c.ForProtocols("h2") },
	} {
		c := new(Config)
		if look(c); c.hasTicketKeys() {
			t.Errorf("%s gave the Config ticket keys of its own", name)
		}
	}
	for name, give := range map[string]func(*Config){
		"SetSessionTicketKeys": func(c *Config) { c.SetSessionTicketKeys([][32]byte{{1}}) },
		"SetTicketKeySchedule": func(c *Config) {
			if err := c.SetTicketKeySchedule([]session.TicketKey{{Secret: [32]byte{1}, From: time.Now()}}); err != nil {
				t.Fatal(err)
			}
		},
		"SessionTicketKey": func(c *Config) { c.SessionTicketKey = [32]byte{1} },
	} {
		c := new(Config)
		if give(c); !c.hasTicketKeys() {
			t.Errorf("after %s the Config has no ticket keys of its own", name)
		}
	}
}

// Under the same key nonces are counted on, for AES-GCM allows so many of them.
func TestSetSessionTicketKeysGoesOnCounting(t *testing.T) {
	c := new(Config)
	sealed := func() []uint64 {
		var counts []uint64
		for _, k := range c.TicketKeys() {
			counts = append(counts, k.Sealed)
		}
		return counts
	}
	c.SetSessionTicketKeys([][32]byte{{1}})
	keys := c.ticketKeys()
	for range 3 {
		if _, err := keys.Seal(nil, []byte("blob"), nil); err != nil {
			t.Fatal(err)
		}
	}
	c.SetSessionTicketKeys([][32]byte{{2}, {1}})
	if got := sealed(); !slices.Equal(got, []uint64{0, 3}) {
		t.Errorf("the keys have sealed %v tickets, want 0 and 3", got)
	}
	if c.ticketKeys() != keys {
		t.Error("the keys before are not wiped: they stand in a value of their own")
	}
}

// What a clone for other protocols opens and seals is the original's business.
func TestForProtocols(t *testing.T) {
	c := &Config{ServerName: "example.com", NextProtos: []string{"imap"}}
	clone := c.ForProtocols("h2", "http/1.1")
	if clone.ServerName != c.ServerName || !slices.Equal(clone.NextProtos, []string{"h2", "http/1.1"}) || !slices.Equal(c.NextProtos, []string{"imap"}) {
		t.Errorf("the clone is for %q, the original for %q", clone.NextProtos, c.NextProtos)
	}
	ticket, err := clone.ticketKeys().Seal(nil, []byte("blob"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ticketKeys().Open(nil, ticket, nil); err != nil {
		t.Errorf("the original does not open the clone's tickets: %v", err)
	}
	c.SetSessionTicketKeys([][32]byte{{1}}) // revokes what was sealed before
	if _, err := clone.ticketKeys().Open(nil, ticket, nil); err == nil {
		t.Error("keys that the original has replaced still open tickets in the clone")
	}
}

// A suspended machine does not stretch the life of a session: its date is wall time.
func TestSessionsAreDatedByWallTime(t *testing.T) {
	for name, c := range map[string]*Config{"own clock": {}, "given clock": {Time: time.Now}} {
		if now := c.now(); now != now.Round(0) {
			t.Errorf("%s: %v has a monotonic reading", name, now)
		}
	}
}
