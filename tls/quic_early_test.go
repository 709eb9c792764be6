package tls

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/session"
)

var earlyTicket = QUICSessionTicketOptions{EarlyData: true}

// tookEarly reports whether both sides have the same secret for early data, whether it was
// refused, and complains where the sides do not agree on that.
func tookEarly(t *testing.T, c, s *quicPlayer) (offered, taken bool) {
	t.Helper()
	own, offered := c.write[QUICEncryptionLevelEarly]
	peer, taken := s.read[QUICEncryptionLevelEarly]
	if taken && own != peer {
		t.Errorf("the client writes with %x, the server reads with %x", own, peer)
	}
	if c.rejected == taken && offered || s.rejected || c.rejected && !offered {
		t.Errorf("offered %v, taken %v, but rejected %v and %v", offered, taken, c.rejected, s.rejected)
	}
	return offered, taken
}

func TestQUICEarlyData(t *testing.T) {
	refuses := func(c, s *Config) {}
	for name, x := range map[string]struct {
		ticket         QUICSessionTicketOptions
		adjust         func(c, s *Config)     // before the second connection
		players        func(c, s *quicPlayer) // likewise
		offered, taken bool
		resumed        bool
	}{
		"taken":            {ticket: earlyTicket, adjust: refuses, offered: true, taken: true, resumed: true},
		"a ticket without": {adjust: refuses, resumed: true},
		"the client declines": {ticket: earlyTicket, adjust: refuses, resumed: true, players: func(c, s *quicPlayer) {
			c.onEvent = func(e QUICEvent) {
				if e.Kind == QUICResumeSession {
					e.SessionState.EarlyData = false
				}
			}
		}},
		"the server declines": {ticket: earlyTicket, adjust: refuses, offered: true, resumed: true, players: func(c, s *quicPlayer) {
			s.onEvent = func(e QUICEvent) {
				if e.Kind == QUICResumeSession {
					e.SessionState.EarlyData = false
				}
			}
		}},
		"another protocol": {ticket: earlyTicket, offered: true, resumed: true, adjust: func(c, s *Config) {
			c.NextProtos, s.NextProtos = []string{"other", "h3"}, []string{"other", "h3"}
		}},
		"the session's protocol is not on offer": {ticket: earlyTicket, resumed: true, adjust: func(c, s *Config) {
			c.NextProtos, s.NextProtos = []string{"other"}, []string{"other"}
		}},
		"HelloRetryRequest": {ticket: earlyTicket, offered: true, resumed: true, adjust: func(c, s *Config) {
			c.KeyShares = []CurveID{}
		}},
		"the session is not resumed": {ticket: earlyTicket, offered: true, adjust: func(c, s *Config) {
			s.SetSessionTicketKeys([][32]byte{{1}})
		}},
		"an old ticket": {ticket: earlyTicket, offered: true, resumed: true, adjust: func(c, s *Config) {
			s.Time = func() time.Time { return time.Now().Add(time.Minute) }
		}},
		"no replay store": {ticket: earlyTicket, offered: true, resumed: true, adjust: func(c, s *Config) { s.EarlyData.Replay = deadReplay{} }},
		"protocols that allow none": {ticket: earlyTicket, offered: true, resumed: true, adjust: func(c, s *Config) {
			s.NextProtos, s.EarlyData.Protocols = []string{"h3", "other"}, []string{"other"}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			client, server := sessionConfigs(true)
			c, s, err := twiceQUIC(t, client, server, x.ticket, func(c, s *quicPlayer) {
				x.adjust(client.TLSConfig, server.TLSConfig)
				if x.players != nil {
					x.players(c, s)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			if name == "taken" || x.players != nil {
				checkQUIC(t, c, s)
			}
			offered, taken := tookEarly(t, c, s)
			if offered != x.offered || taken != x.taken || c.ConnectionState().DidResume != x.resumed {
				t.Errorf("offered %v, taken %v, resumed %v; wanted %v, %v, %v", offered, taken, c.ConnectionState().DidResume, x.offered, x.taken, x.resumed)
			}
			words := strings.Join(c.log, ", ")
			if offered && !strings.Contains(words, "resume, data Initial, write Early") {
				t.Errorf("the client's events are %s", words)
			}
			if i, j := slices.Index(c.log, "rejected"), slices.Index(c.log, "write Application"); i > j {
				t.Errorf("the refusal comes after the keys: %s", words)
			}
			if strings.Contains(words, "data Early") || strings.Contains(strings.Join(s.log, ", "), "data Early") {
				t.Error("handshake data at the level of early data")
			}
		})
	}
}

type deadReplay struct{}

func (deadReplay) Permit(context.Context, string, time.Time) error { return errors.New("broken") }
func (deadReplay) Claim(context.Context, string, time.Time) error  { return errors.New("broken") }

// TestQUICEarlyDataOnce plays a ClientHello again, to the same server and to another one that
// shares its ticket keys.
func TestQUICEarlyDataOnce(t *testing.T) {
	for name, store := range map[string]session.ReplayStore{"none": nil, "single use": session.SingleUse(session.NewMemory(1 << 16))} {
		client, server := sessionConfigs(false)
		server.TLSConfig.EarlyData.Replay = store
		server.TLSConfig.SetSessionTicketKeys([][32]byte{{7}})
		c, s, err := twiceQUIC(t, client, server, earlyTicket, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, taken := tookEarly(t, c, s); !taken {
			t.Fatalf("%s: the first time it is not taken", name)
		}
		hello := s.given[QUICEncryptionLevelInitial]
		other := server.TLSConfig.Clone()
		other.SetSessionTicketKeys([][32]byte{{7}})
		for range 3 {
			for _, config := range []*Config{server.TLSConfig, other} {
				again := oursQUIC(t, &QUICConfig{TLSConfig: config}, true)
				if err := again.Start(context.Background()); err != nil {
					t.Fatal(err)
				}
				if err := again.HandleData(QUICEncryptionLevelInitial, hello); err != nil {
					t.Fatal(err)
				}
				nobody := newQUICPlayer(t, "nobody", QUICClient(client), false)
				_ = nobody.Start(context.Background())
				for {
					e := again.NextEvent()
					if e.Kind == QUICNoEvent {
						break
					}
					if e.Kind == QUICSetReadSecret && e.Level == QUICEncryptionLevelEarly {
						t.Errorf("%s: taken again", name)
					}
				}
			}
		}
	}
}

// TestQUICEarlyDataWithOthers sends early data to crypto/tls's server, and takes its client's.
func TestQUICEarlyDataWithOthers(t *testing.T) {
	for _, std := range []bool{false, true} { // the server
		clientConfig, serverConfig := quicConfigs()
		clientConfig.ClientSessionCache = NewLRUClientSessionCache(4)
		theirs := sharedTheirs(map[bool]*Config{true: serverConfig, false: clientConfig}[std])
		for again := range 2 {
			var c, s *quicPlayer
			if std {
				c, s = oursQUIC(t, &QUICConfig{TLSConfig: clientConfig}, false), theirs(t, true)
			} else {
				c, s = theirs(t, false), oursQUIC(t, &QUICConfig{TLSConfig: serverConfig}, true)
			}
			s.ticket = &earlyTicket
			if err := runQUIC(c, s); err != nil {
				t.Fatalf("their server %v: %v", std, err)
			}
			checkQUIC(t, c, s)
			if _, taken := tookEarly(t, c, s); taken != (again == 1) {
				t.Errorf("their server %v, connection %d: taken %v", std, again+1, taken)
			}
		}
	}
}
