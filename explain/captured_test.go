package explain

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/passive"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// logLabels are the lines of a key log, by the engine's names of the secrets.
var logLabels = map[string]string{
	"master_secret":                       "CLIENT_RANDOM",
	"client_handshake_traffic_secret":     "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
	"server_handshake_traffic_secret":     "SERVER_HANDSHAKE_TRAFFIC_SECRET",
	"client_application_traffic_secret_0": "CLIENT_TRAFFIC_SECRET_0",
	"server_application_traffic_secret_0": "SERVER_TRAFFIC_SECRET_0",
	"exporter_master_secret":              "EXPORTER_SECRET",
}

// piece is what one side sent at a time; missing counts bytes that nobody captured in its place.
type piece struct {
	from    wire.Role
	at      time.Duration
	b       []byte
	missing int64
}

// recorded is a connection whose account was kept.
func recorded(t *testing.T, file string) *Connection {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	account := new(Connection)
	if err := json.Unmarshal(text, account); err != nil {
		t.Fatal(err)
	}
	return account
}

// pieces are the records of an account.
func (c *Connection) pieces() (all []piece) {
	for _, e := range c.Events {
		if e.Record != nil {
			all = append(all, piece{from: byName(e.Record.From, wire.Client, wire.Server), at: time.Duration(e.AtUS) * time.Microsecond, b: e.Record.Wire})
		}
	}
	return all
}

// keyLog is what a key log would have of an account.
func (c *Connection) keyLog() *passive.Keys {
	k := new(passive.Keys)
	random := ""
	for _, e := range c.Events {
		if m := e.Message; m != nil && m.Name == "ClientHello" {
			var old wire.SSL2ClientHello
			if !m.SSL2 {
				random = hex.EncodeToString(m.Raw[6:38])
			} else if wire.Decode(&old, m.Raw, wire.Context{}, nil) == nil {
				random = hex.EncodeToString(old.Hello().Random)
			}
		}
		if s := e.Secret; s != nil {
			if label := logLabels[s.Name]; label != "" && (s.Name != "master_secret" || c.Summary.Version != "TLS 1.3") {
				k.AddLine(fmt.Appendf(nil, "%s %s %v", label, random, s.Value))
			}
		}
	}
	return k
}

// capture is the account of somebody that listens to pieces.
func capture(pieces []piece, keys *passive.Keys) *Collector {
	var now time.Duration
	c := &Collector{Now: func() time.Time { return time.Unix(0, 0).Add(now) }}
	l := passive.New(c.Hooks(), keys, nil)
	for _, p := range pieces {
		if now = p.at; p.missing != 0 {
			l.Gap(p.from, time.Unix(0, 0).Add(now), p.missing)
		} else {
			l.Data(p.from, time.Unix(0, 0).Add(now), p.b)
		}
	}
	l.End(wire.Client, time.Unix(0, 0).Add(now))
	return c
}

// Each connection that was recorded at its client is the same to somebody that listens
// and has the keys; without keys it shows no protected byte, and nothing disagrees.
func TestCapturedIsTheSame(t *testing.T) {
	files, _ := filepath.Glob("testdata/live-*.json")
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			live := recorded(t, file)
			c := capture(live.pieces(), live.keyLog())
			account := c.Connection(About{Captured: true, Target: live.Target})
			if !account.Captured || account.Side != "client" || !account.Checks.OK() {
				t.Errorf("%q", account.Checks.Failures)
			}
			got, want := account.said(), live.said()
			for i := range max(len(got), len(want)) {
				if i >= len(got) || i >= len(want) || got[i] != want[i] {
					t.Errorf("captured: %d lines, %.200q\nrecorded: %d lines, %.200q", len(got), got[min(i, len(got)):], len(want), want[min(i, len(want)):])
					break
				}
			}
			if account.Summary.Complete != live.Summary.Complete || account.Summary.Version != live.Summary.Version {
				t.Errorf("%+v", account.Summary)
			}
			c.mustKeepCaptured(t)
			bare := capture(live.pieces(), nil).Connection(About{Captured: true})
			if !bare.Checks.OK() {
				t.Errorf("without keys: %q", bare.Checks.Failures)
			}
			for _, e := range bare.Events {
				if r := e.Record; r != nil && r.Epoch > 0 && (len(r.Plain) > 0 || r.Unopened == "") {
					t.Errorf("without keys record %d is opened", r.Number)
				}
			}
			render(t, account, look{})
			render(t, bare, look{})
		})
	}
}

// mustKeepCaptured: the account of the trace is the same.
func (c *Collector) mustKeepCaptured(t *testing.T) {
	t.Helper()
	about := About{Captured: true}
	if got := loaded(t, saved(t, true, about, c)); len(got) != 1 || asJSON(t, got[0]) != asJSON(t, c.Connection(about)) {
		t.Errorf("the account of the trace is another")
	}
}

// said is what a connection's records held and its messages said, by side.
func (c *Connection) said() []string {
	var records, messages, alerts []string
	for _, side := range []string{"client", "server"} {
		for _, e := range c.Events {
			if r := e.Record; r != nil && r.From == side && r.Refused == "" && r.Unopened == "" {
				records = append(records, fmt.Sprintf("%s epoch %d %s %v %v", side, r.Epoch, r.Type, r.Plain, r.Check.Result))
			}
			if m := e.Message; m != nil && m.From == side {
				messages = append(messages, fmt.Sprintf("%s %s %v %v", side, m.Name, m.Raw, m.Checks))
			}
			if a := e.Alert; a != nil && a.From == side {
				alerts = append(alerts, side+" "+a.Code)
			}
		}
	}
	return slices.Concat(records, messages, alerts)
}

// captures are what is kept of connections that were only listened to.
var captures = []struct {
	name, of string
	keys     bool
	change   func([]piece) []piece
	says     []string
}{
	{"keys", "live-tls13-client-auth", true, nil, []string{"the key log gives it", "both sides said close_notify"}},
	{"no-keys", "live-tls12-cbc", false, nil,
		[]string{"both sides went on encrypted", "no key log has CLIENT_RANDOM for this connection", "encrypted handshake", "encrypted alert", "the last record of the server is an alert that could not be read"}},
	{"no-keys-tls13", "live-tls13-late-client-auth", false, nil, []string{"no key log has CLIENT_HANDSHAKE_TRAFFIC_SECRET for this connection", "encrypted "}},
	{"gap", "live-tls12-renegotiation", true, func(all []piece) []piece {
		// In the client's second flight: the ClientKeyExchange is cut off, its change_cipher_spec and Finished are missing.
		for i, p := range all {
			if i > 1 && p.from == wire.Client {
				cut := len(p.b) - 7
				all[i].b = p.b[:cut]
				return slices.Insert(all, i+1, piece{from: p.from, at: p.at, missing: 7})
			}
		}
		return all
	}, []string{"7 bytes of the client are missing", "7 of its 42 bytes were not captured", "unread handshake", "full handshake"}},
	{"from-the-middle", "live-tls13-client-auth", true, func(all []piece) []piece {
		middle := all[len(all)-5:]
		return append([]piece{{from: wire.Client, at: middle[0].at, missing: -1}, {from: wire.Server, at: middle[0].at, missing: -1}}, middle...)
	}, []string{"how many is not known", "the handshake before it was not captured"}},
}

func TestCapturedGolden(t *testing.T) {
	for _, c := range captures {
		t.Run(c.name, func(t *testing.T) {
			live := recorded(t, filepath.Join("testdata", c.of+".json"))
			pieces := live.pieces()
			if c.change != nil {
				pieces = c.change(pieces)
			}
			var keys *passive.Keys
			if c.keys {
				keys = live.keyLog()
			}
			account := capture(pieces, keys).Connection(About{Captured: true, Target: "localhost"})
			if !account.Checks.OK() {
				t.Errorf("checks: %q", account.Checks.Failures)
			}
			var out bytes.Buffer
			if err := account.JSON(&out); err != nil {
				t.Fatal(err)
			}
			golden(t, "captured-"+c.name+".json", out.Bytes())
			mustSay(t, render(t, account, look{Width: 200}), c.says...)
			if testing.Verbose() {
				t.Log("\n" + render(t, account, look{Summary: true, Width: 120}))
			}
		})
	}
}

// Early data, which no engine of ours sends, has a line of its own in the ladder.
func TestEarlyDataIsNamed(t *testing.T) {
	c := new(Collector)
	h := c.Hooks()
	h.Keys(trace.Keys{Dir: trace.Sent, Epoch: 1, Version: wire.TLS13, Suite: wire.TLS_AES_128_GCM_SHA256, Secret: "client_early_traffic_secret", Label: "early data"})
	for epoch := 1; epoch < 3; epoch++ {
		h.Record(trace.Record{Dir: trace.Sent, Epoch: epoch, Type: wire.ContentApplicationData, Wire: []byte{23, 3, 3, 0, 0}, Plain: []byte("hello")})
	}
	rungs := c.Connection(About{Captured: true}).Flights[0].Rungs
	if len(rungs) != 2 || rungs[0].Name != "early data" || rungs[1].Name != "application data" {
		t.Errorf("%+v", rungs)
	}
}
