package tls

import (
	"crypto"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A client gets as many tickets as it asks for, up to the server's bound, after a full
// handshake and after one that resumes; and both sides know the number. RFC 9149 §3.
func TestTicketRequest(t *testing.T) {
	retry := func(c, s *Config) {
		c.CurvePreferences, c.KeyShares = []CurveID{X25519, CurveP384}, []CurveID{X25519}
		s.CurvePreferences = []CurveID{CurveP384}
	}
	external := func(c, s *Config) { // it is no session, whose tickets are asked for
		key := ExternalPSK{Identity: []byte("one"), Key: []byte("thirty-two bytes, at least for us"), Hash: crypto.SHA256}
		c.PSK.External, c.ClientSessionCache = []ExternalPSK{key}, nil
		s.PSK.ExternalServer = func([]byte) (*ExternalPSK, error) { return &key, nil }
	}
	for name, x := range map[string]struct {
		request      *TicketRequest
		most         int
		change       func(c, s *Config)
		full, again  int // tickets that come
		told, retold int // of them foretold
	}{
		"nothing asked":         {nil, 0, nil, 2, 2, 0, 0},
		"as asked":              {&TicketRequest{5, 1}, 0, nil, 5, 1, 5, 1},
		"up to the bound":       {&TicketRequest{16, 9}, 0, nil, 8, 8, 8, 8},
		"up to a bound of ours": {&TicketRequest{5, 4}, 3, nil, 3, 3, 3, 3},
		"as many as there are":  {&TicketRequest{16, 16}, 16, nil, 16, 16, 16, 16},
		"none in the end":       {&TicketRequest{1, 0}, 0, nil, 1, 0, 1, 0},
		"a server that is deaf": {&TicketRequest{5, 1}, -1, nil, 2, 2, 0, 0},
		"no tickets at all":     {&TicketRequest{5, 1}, 0, func(_, s *Config) { s.SessionTicketsDisabled = true }, 0, 0, 0, 0},
		"through a retry":       {&TicketRequest{3, 1}, 0, retry, 3, 1, 3, 1},
		"an external key":       {&TicketRequest{3, 1}, 0, external, 3, 3, 3, 3},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := resumable(VersionTLS13, func(c *Config) { c.Resumption.MaxTickets = x.most })
			client.Resumption.Request = x.request
			if x.change != nil {
				x.change(client, server)
			}
			came := 0
			client.Trace = traceMessages(func(m wire.Message) {
				if _, ok := m.(*wire.NewSessionTicket); ok {
					came++
				}
			})
			for i, want := range [][2]int{{x.full, x.told}, {x.again, x.retold}} {
				came = 0
				c, s := mustConnect(t, client, server)
				exchange(t, c, s)
				if came != want[0] || c.State().TicketsExpected != want[1] || s.State().TicketsExpected != want[1] {
					t.Errorf("connection %d (%s): %d tickets came, %d and %d were foretold; want %d and %d", i+1, c.State().Resumption, came,
						c.State().TicketsExpected, s.State().TicketsExpected, want[0], want[1])
				}
				c.Close()
				s.Close()
			}
		})
	}
}

// What was asked for and what is given is told to the trace.
func TestTicketRequestIsTraced(t *testing.T) {
	client, server := resumable(VersionTLS13, func(*Config) {})
	client.Resumption.Request = &TicketRequest{New: 15, Resumed: 1}
	for side, c := range map[string]*Config{"client": client, "server": server} {
		var told trace.Choice
		client.Trace, server.Trace = nil, nil
		c.Trace = &trace.Hooks{Choice: func(c trace.Choice) {
			if c.What == "number of tickets" {
				told = c
			}
		}}
		resumption(t, client, server)
		asked, bound := told.Ours, told.Theirs
		if c == server {
			asked, bound = bound, asked
		}
		if len(asked) != 2 || asked[0] != "15 after a full handshake" || (c == server) != slices.Equal(bound, []string{"8 at most"}) || told.Picked == "" {
			t.Errorf("the %s told %+v", side, told)
		}
	}
}

// More than a client would read in a row is neither asked for nor given.
func TestTooManyTickets(t *testing.T) {
	for i, change := range []func(c, s *Config){
		func(_, s *Config) { s.Resumption.MaxTickets = 17 },
		func(c, _ *Config) { c.Resumption.Request = &TicketRequest{New: 17} },
		func(c, _ *Config) { c.Resumption.Request = &TicketRequest{Resumed: 17} },
	} {
		client, server := resumable(VersionTLS13, func(*Config) {})
		change(client, server)
		_, _, ofClient, ofServer := connectInMemory(client, server)
		if text := fmt.Sprint(ofClient, ofServer); !strings.Contains(text, "the Config cannot be used: Resumption.") {
			t.Errorf("%d: %s", i, text)
		}
	}
}
