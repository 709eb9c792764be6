package explain

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// A connection that goes on for ever costs no more than the budget.
func TestCollectorKeepsToItsBudget(t *testing.T) {
	for _, budget := range []int{0, 1 << 20} {
		most := budget
		if most == 0 {
			most = DefaultBudget
		}
		c := Collector{Budget: budget}
		h := c.Hooks()
		rec := make([]byte, 1<<14)
		feed := map[string]func(i int){
			"data": func(i int) {
				h.Record(trace.Record{Dir: trace.Sent, Type: wire.ContentApplicationData, Wire: rec, Plain: rec})
			},
			"single bytes": func(i int) { h.Record(trace.Record{Dir: trace.Sent, Type: wire.ContentApplicationData, Wire: rec[:1]}) },
			"handshakes":   func(i int) { h.Message(trace.Message{Dir: trace.Sent, Raw: rec}) },
			"secrets":      func(i int) { h.Secret(trace.Secret{Value: rec[:32], Input: rec[:32]}) },
			"keys":         func(i int) { h.Keys(trace.Keys{Key: rec[:32]}) },
			"choices":      func(i int) { h.Choice(trace.Choice{Ours: make([]string, 100)}) },
			"alerts":       func(i int) { h.Alert(trace.Alert{Dir: trace.Received}) },
		}
		const times = 20000
		before := heap()
		for _, f := range feed {
			for i := range times {
				f(i)
			}
		}
		if got := int(heap() - before); got > most*13/10 {
			t.Errorf("with a budget of %d bytes it holds %d", budget, got)
		}
		c.mu.Lock()
		n := len(c.events)
		c.mu.Unlock()
		for _, l := range c.lost {
			n += l.records + l.others
		}
		if want := times * len(feed); n != want {
			t.Errorf("kept or counted are %d events of %d", n, want)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// squeeze collects the same events with a budget.
func squeeze(events []collected, budget int) *Collector {
	var at time.Duration
	c := &Collector{Budget: budget, Now: func() time.Time { return time.Unix(0, 0).Add(at) }}
	for _, e := range events {
		at = e.at
		c.add(e.what)
	}
	return c
}

// Whatever is missing, what the account says is true: no check fails that does
// not fail with everything there, and no handshake is said to have failed.
func TestNothingFalseIsSaidOfWhatIsMissing(t *testing.T) {
	schema := map[string]any{}
	if err := json.Unmarshal([]byte(Schema), &schema); err != nil {
		t.Fatal(err)
	}
	for name, events := range longConnections(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := squeeze(events, 1<<30).Connection(About{})
			if len(whole.Dropped) > 0 {
				t.Fatalf("dropped with room for all: %+v", whole.Dropped)
			}
			if !whole.Checks.OK() {
				t.Fatal(whole.Checks.Failures)
			}
			total := 0
			for _, e := range events {
				_, cost := classOf(e.what)
				total += cost
			}
			for n := range events {
				part := Collector{events: events[:n]}
				part.lost[ofHandshake] = lost{first: n, others: len(events) - n}
				mustBeTrue(t, part.Connection(About{}))
			}
			cuts := map[string]bool{}
			for budget := 16; budget < 2*total; budget += total / 20 {
				c := squeeze(events, budget)
				account := c.Connection(About{})
				kept := len(account.Events)
				for _, d := range account.Dropped {
					kept += d.Records + d.Others
					cuts[d.What] = true
				}
				if kept != len(events) {
					t.Errorf("budget %d: %d of %d events are there or counted", budget, kept, len(events))
				}
				if c.used > budget {
					t.Errorf("budget %d: %d used", budget, c.used)
				}
				mustBeTrue(t, account)
				var out bytes.Buffer
				if err := account.JSON(&out); err != nil {
					t.Fatal(err)
				}
				var value any
				if err := json.Unmarshal(out.Bytes(), &value); err != nil {
					t.Fatal(err)
				}
				validator{t: t, defs: schema["$defs"].(map[string]any)}.check("$", schema, value)
			}
			if len(cuts) != int(classes) {
				t.Errorf("only %v was ever missing", cuts)
			}
		})
	}
}

// mustBeTrue: nothing is said to be wrong, and what is missing is named.
func mustBeTrue(t *testing.T, account *Connection) {
	t.Helper()
	for _, f := range account.Checks.Failures {
		t.Errorf("with %+v: %s", account.Dropped, f)
	}
	text := strings.Join(strings.Fields(render(t, account, look{})), " ")
	for _, lie := range []string{"did not complete", storyUnsettled, "no keys were reported"} {
		if account.misses(ofHandshake) && strings.Contains(text, lie) {
			t.Errorf("with %+v: it says %q", account.Dropped, lie)
		}
	}
	if got := strings.Contains(text, "the budget ran out"); got != (len(account.Dropped) > 0) {
		t.Errorf("with %+v: it says that things are missing: %v", account.Dropped, got)
	}
}

// longConnections are connections with much data, seen from both sides, of each
// kind in which records depend on one another.
func longConnections(t *testing.T) map[string][]collected {
	all := map[string][]collected{}
	for name, version := range map[string]wire.Version{"TLS_AES_128_GCM_SHA256": wire.TLS13, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": wire.TLS12,
		"TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA": wire.TLS10, "TLS_RSA_WITH_RC4_128_SHA": wire.TLS12, "DEFLATE": wire.TLS12, "renegotiation": wire.TLS12} {
		p := newPair(t)
		if s := suite.ByName(name); s != nil {
			p = pairFor(t, s, version)
		}
		p.client.MaxVersion, p.client.MinVersion = uint16(version), uint16(version)
		p.server.MinVersion = uint16(version)
		p.server.Renegotiate.FromClient = true
		p.client.Record.MaxFragment, p.server.Record.MaxFragment = 64, 64
		for _, c := range []*tls.Config{p.client, p.server} {
			c.Legacy.Compression = name == "DEFLATE"
		}
		client, server := p.connect(t, func(c *tls.Conn) error {
			if name == "renegotiation" {
				if err := c.Renegotiate(t.Context()); err != nil {
					return err
				}
			}
			return echo(c, 600)
		})
		all[name+"/client"], all[name+"/server"] = client.events, server.events
	}
	return all
}

// echo has n bytes go there and back.
func echo(c *tls.Conn, n int) error {
	if _, err := c.Write(make([]byte, n)); err != nil {
		return err
	}
	_, err := io.ReadFull(c, make([]byte, n))
	return err
}

// After records that were not kept, the next ones are opened where they stand
// alone, and not where they carry on from what is missing.
func TestRecordsAfterAGap(t *testing.T) {
	for name, events := range longConnections(t) {
		c := &Collector{}
		for _, e := range events {
			if r, ok := e.what.(trace.Record); ok && r.Type == wire.ContentApplicationData {
				c.Budget = 16 // nothing
			} else {
				c.Budget = 0
			}
			c.add(e.what)
		}
		account := c.Connection(About{})
		last := account.Events[len(account.Events)-1].Record
		for _, e := range account.Events {
			if e.Record != nil {
				last = e.Record
			}
		}
		want := Agrees
		if strings.Contains(name, "CBC") || strings.Contains(name, "RC4") || strings.Contains(name, "DEFLATE") {
			want = Given
		}
		if last.Epoch == 0 || last.Check.Result != want {
			t.Errorf("%s: after the gap, record %d of epoch %d is %q: %s", name, last.Number, last.Epoch, last.Check.Result, last.Check.What)
		}
	}
}

// A number that goes back is an error also after a gap.
func TestNumbersGoOnAfterAGap(t *testing.T) {
	for back, want := range map[bool]bool{false: true, true: false} {
		account := squeeze(longConnections(t)["TLS_AES_128_GCM_SHA256/client"], 1<<20)
		n := 0
		for i := range account.events {
			e := &account.events[i]
			r, ok := e.what.(trace.Record)
			if !ok || r.Dir != trace.Sent || r.Type != wire.ContentApplicationData {
				continue
			}
			if n++; n > 3 { // one is missing before it, and the same is seen again
				e.missed[trace.Sent]++
				if back {
					r.Seq = 0
					e.what = r
				}
			}
		}
		if got := account.Connection(About{}).Checks.OK(); got != want {
			t.Errorf("going back: %v; the account is content: %v", back, got)
		}
	}
}
