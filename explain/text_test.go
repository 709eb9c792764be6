package explain

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// accounts are all those in testdata.
func accounts(t *testing.T) map[string]*Connection {
	t.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 4 {
		t.Fatal("too few accounts", files, err)
	}
	all := map[string]*Connection{}
	for _, f := range files {
		c, about := replay(t, f)
		all[f] = c.Connection(about)
	}
	return all
}

func render(t *testing.T, c *Connection, o Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := c.Text(&out, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// No line is wider than asked for, and none ends in blanks.
func TestWidth(t *testing.T) {
	for name, c := range accounts(t) {
		for _, width := range []int{80, 100, 160} {
			for i, l := range strings.Split(render(t, c, Options{Width: width}), "\n") {
				if n := utf8.RuneCountInString(l); n > width {
					t.Errorf("%s at width %d: line %d has %d columns: %s", name, width, i+1, n, l)
				}
				if strings.TrimRight(l, " ") != l {
					t.Errorf("%s at width %d: line %d ends in blanks: %q", name, width, i+1, l)
				}
			}
		}
	}
}

// Colours add nothing but colours.
func TestColor(t *testing.T) {
	for name, c := range accounts(t) {
		bare, colored := render(t, c, Options{}), render(t, c, Options{Color: true})
		if strings.Contains(bare, "\x1b") {
			t.Errorf("%s has escape sequences without Color", name)
		}
		var stripped strings.Builder
		for i, part := range strings.Split(colored, "\x1b[") {
			if i > 0 {
				_, part, _ = strings.Cut(part, "m")
			}
			stripped.WriteString(part)
		}
		if stripped.String() != bare || !strings.Contains(colored, "\x1b[") {
			t.Errorf("%s: without its escape sequences, the coloured text is another", name)
		}
	}
}

// The summary is the start of the whole, and of the ladder nothing is missing.
func TestSummary(t *testing.T) {
	for name, c := range accounts(t) {
		whole, short := render(t, c, Options{}), render(t, c, Options{Summary: true})
		if !strings.HasPrefix(whole, short) {
			t.Errorf("%s: the summary is not the first screen", name)
		}
		if n, most := strings.Count(short, "\n"), 50+20*(len(c.Handshakes)-1); n > most {
			t.Errorf("%s: the summary has %d lines, more than %d", name, n, most)
		}
		for _, f := range c.Flights {
			for _, r := range f.Rungs {
				if !strings.Contains(short, r.Name) {
					t.Errorf("%s: the ladder has no %s", name, r.Name)
				}
			}
		}
	}
}

// What a peer sent must never act on a terminal.
func TestPeerCannotReachTheTerminal(t *testing.T) {
	const evil = "\x1b[2Jgone\u202e\r\n\x07"
	hello := wire.AppendMessage(nil, &wire.ClientHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32),
		CipherSuites: []wire.CipherSuite{0x1301}, CompressionMethods: []wire.CompressionMethod{0},
		Extensions: wire.Extensions{
			{Type: wire.ExtServerName, Data: wire.AppendServerName(nil, evil)},
			{Type: wire.ExtALPN, Data: wire.AppendALPN(nil, evil)},
		}}, wire.Context{})
	var c Collector
	h := c.Hooks()
	h.Record(trace.Record{Dir: trace.Received, Type: wire.ContentHandshake, Plain: hello, Wire: append([]byte{22, 3, 1, 0, byte(len(hello))}, hello...)})
	h.Message(trace.Message{Dir: trace.Received, Raw: hello})
	h.Choice(trace.Choice{What: "ALPN", Theirs: []string{evil}})
	h.Record(trace.Record{Dir: trace.Received, Type: wire.ContentApplicationData, Plain: []byte(evil), Wire: []byte("\x17\x03\x03\x00\x0f" + evil)})
	out := render(t, c.Connection(About{Target: evil, Err: errors.New(evil), Advice: evil, Warnings: []string{evil}}), Options{})
	for _, r := range out {
		if r != '\n' && hidden(r) {
			t.Fatalf("%q came through:\n%q", r, out)
		}
	}
	if !strings.Contains(out, "gone") {
		t.Error("and the rest of it is lost")
	}
}

// Nothing, and the beginning of something, are no reason to fall over.
func TestFragments(t *testing.T) {
	var empty Collector
	render(t, empty.Connection(About{}), Options{})
	whole, _ := replay(t, "testdata/rfc8448-simple.json")
	for n := range whole.events {
		part := Collector{events: whole.events[:n]}
		c := part.Connection(About{})
		render(t, c, Options{})
		for _, f := range c.Checks.Failures {
			t.Errorf("after %d events: %s", n, f)
		}
	}
}

// Garbage in every event is shown as such.
func TestGarbage(t *testing.T) {
	for _, name := range []string{"tls12-cbc", "tls10-rsa-rc4", "ssl30", "tls12-ecdhe-psk", "tls12-deflate", "tls13-late-client-auth", "ssl2-hello"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole, _ := replay(t, "testdata/live-"+name+".json")
			for n := range whole.events {
				for _, cut := range []func([]byte) []byte{func([]byte) []byte { return nil }, func(b []byte) []byte { return b[:len(b)/2] }, flipAll} {
					part := Collector{events: spoil(whole.events, n, cut)}
					render(t, part.Connection(About{}), Options{})
				}
			}
		})
	}
}

// spoil changes the bytes of one event.
func spoil(events []collected, n int, cut func([]byte) []byte) []collected {
	events = append([]collected(nil), events...)
	switch e := events[n].what.(type) {
	case trace.Record:
		e.Wire, e.Plain = cut(e.Wire), cut(e.Plain)
		events[n].what = e
	case trace.Message:
		e.Raw = cut(e.Raw)
		events[n].what = e
	case trace.Secret:
		e.Value, e.Input = cut(e.Value), cut(e.Input)
		events[n].what = e
	case trace.Keys:
		e.Key, e.IV, e.MAC = cut(e.Key), cut(e.IV), cut(e.MAC)
		events[n].what = e
	}
	return events
}

func flipAll(b []byte) []byte {
	b = bytes.Clone(b)
	for i := range b {
		b[i] ^= 0xff
	}
	return b
}

// Seen from the server, it is the same ladder.
func TestServerSide(t *testing.T) {
	client, _ := replay(t, "testdata/rfc8448-simple.json")
	events := append([]collected(nil), client.events...)
	turn := func(d trace.Direction) trace.Direction { return trace.Sent + trace.Received - d }
	for i := range events {
		switch e := events[i].what.(type) {
		case trace.Record:
			e.Dir = turn(e.Dir)
			events[i].what = e
		case trace.Message:
			e.Dir = turn(e.Dir)
			events[i].what = e
		case trace.Keys:
			e.Dir = turn(e.Dir)
			events[i].what = e
		case trace.Alert:
			e.Dir = turn(e.Dir)
			events[i].what = e
		}
	}
	server := Collector{events: events}
	about := About{Trust: "the certificate was verified"}
	a, b := client.Connection(about), server.Connection(about)
	if b.Side != "server" || !b.Checks.OK() {
		t.Errorf("side %q, failures %q", b.Side, b.Checks.Failures)
	}
	if render(t, a, Options{Summary: true}) != render(t, b, Options{Summary: true}) {
		t.Error("the ladders differ")
	}
}

// A trace does not tell whether a chain was verified: the caller does, or the
// text warns.
func TestTrustThatNobodyTells(t *testing.T) {
	seen, _ := replay(t, "testdata/rfc8448-simple.json")
	for _, trust := range []string{"", "the certificate was verified"} {
		text := render(t, seen.Connection(About{Trust: trust}), Options{Summary: true})
		if got := strings.Contains(text, "InsecureSkipVerify"); got != (trust == "") {
			t.Errorf("with the trust %q the text warns: %v", trust, got)
		}
	}
}

// GREASE and what nobody knows is named as such, and explained.
func TestUnknown(t *testing.T) {
	hello := wire.AppendMessage(nil, &wire.ClientHello{LegacyVersion: wire.TLS12, Random: make([]byte, 32),
		CipherSuites: []wire.CipherSuite{0x8a8a, 0x1301, 0xfefe}, CompressionMethods: []wire.CompressionMethod{0},
		Extensions: wire.Extensions{{Type: 0x1a1a}, {Type: 0x4321, Data: []byte("what")}, {Type: wire.ExtCookie, Data: []byte{9}}},
	}, wire.Context{})
	var c Collector
	c.Hooks().Message(trace.Message{Dir: trace.Sent, Raw: hello})
	out := strings.Join(strings.Fields(render(t, c.Connection(About{}), Options{})), " ")
	for _, want := range []string{
		"GREASE (0x8a8a) " + greaseValue,
		"cipher_suite(0xfefe)",
		"GREASE (0x1a1a): empty " + greaseExtension[:30],
		"extension(0x4321): 4 bytes Not known here.",
		"77686174", // "what"
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

// Any bytes can be a message, of any version and key exchange.
func FuzzMessage(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.json")
	for _, file := range files {
		c, _ := replay(f, file)
		for _, e := range c.events {
			if m, ok := e.what.(trace.Message); ok {
				f.Add(m.Raw, m.Dir == trace.Sent, m.SSL2, m.PostHandshake, uint8(len(m.Raw)%10))
			}
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte, sent, ssl2, post bool, exchange uint8) {
		dir := trace.Received
		if sent {
			dir = trace.Sent
		}
		ctx := wire.Context{KeyExchange: wire.KeyExchange(exchange % 10)}
		for _, ctx.Version = range append([]wire.Version{0}, everyVersion...) {
			var c Collector
			h := c.Hooks()
			h.Message(trace.Message{Dir: dir, Raw: raw, Context: ctx, SSL2: ssl2, PostHandshake: post})
			h.Record(trace.Record{Dir: dir, Type: wire.ContentHandshake, Plain: raw, Wire: raw})
			mustWrite(t, c.Connection(About{}))
		}
	})
}

func mustWrite(t *testing.T, account *Connection) {
	t.Helper()
	if err := account.Text(io.Discard, Options{}); err != nil {
		t.Fatal(err)
	}
	if err := account.JSON(io.Discard); err != nil {
		t.Fatal(err)
	}
}

// Any event of any connection can have any bytes, and some can be missing.
func FuzzEvent(f *testing.F) {
	files, _ := filepath.Glob("testdata/live-*.json")
	var all [][]collected
	for i, file := range files {
		c, _ := replay(f, file)
		all = append(all, c.events)
		f.Add(uint8(i), uint16(7), uint16(3), []byte{1, 2, 3})
	}
	f.Fuzz(func(t *testing.T, which uint8, changed, missing uint16, raw []byte) {
		events := all[int(which)%len(all)]
		events = spoil(events, int(changed)%len(events), func([]byte) []byte { return raw })
		lost := int(missing) % len(events)
		part := Collector{events: append(events[:lost:lost], events[lost+1:]...)}
		mustWrite(t, part.Connection(About{}))
	})
}
