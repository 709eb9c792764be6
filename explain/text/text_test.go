package text

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// accounts are those in testdata, read from their JSON: it has all that a
// renderer needs.
func accounts(t *testing.T) map[string]*explain.Connection {
	t.Helper()
	files, err := filepath.Glob("../testdata/*.json")
	if err != nil || len(files) < 4 {
		t.Fatal("too few accounts", files, err)
	}
	all := map[string]*explain.Connection{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		c := new(explain.Connection)
		if err := json.Unmarshal(text, c); err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(f), ".json")] = c
	}
	return all
}

func render(t *testing.T, c *explain.Connection, o Options) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, c, o); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The whole text of every account.
func TestGolden(t *testing.T) {
	for name, c := range accounts(t) {
		t.Run(name, func(t *testing.T) {
			file, got := filepath.Join("testdata", name+".golden"), render(t, c, Options{})
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			a, b := strings.Split(got, "\n"), strings.Split(string(want), "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("%s differs at line %d (run with -update to accept):\n got %s\nwant %s", file, i+1, a[i], b[i])
				}
			}
			if len(a) != len(b) {
				t.Fatalf("%s has %d lines, and the text has %d (run with -update to accept)", file, len(b), len(a))
			}
		})
	}
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
	var c explain.Collector
	h := c.Hooks()
	h.Record(trace.Record{Dir: trace.Received, Type: wire.ContentHandshake, Plain: hello, Wire: append([]byte{22, 3, 1, 0, byte(len(hello))}, hello...)})
	h.Message(trace.Message{Dir: trace.Received, Raw: hello})
	h.Choice(trace.Choice{What: "ALPN", Theirs: []string{evil}})
	h.Record(trace.Record{Dir: trace.Received, Type: wire.ContentApplicationData, Plain: []byte(evil), Wire: []byte("\x17\x03\x03\x00\x0f" + evil)})
	out := render(t, c.Connection(explain.About{Target: evil, Err: errors.New(evil), Advice: evil, Warnings: []string{evil}}), Options{})
	for _, r := range out {
		if r != '\n' && hidden(r) {
			t.Fatalf("%q came through:\n%q", r, out)
		}
	}
	if !strings.Contains(out, "gone") {
		t.Error("and the rest of it is lost")
	}
}

// A trace does not tell whether a chain was verified: the caller does, or the
// text warns.
func TestTrustThatNobodyTells(t *testing.T) {
	account := accounts(t)["rfc8448-simple"]
	for _, trust := range []string{"", "the certificate was verified"} {
		account.Trust = trust
		text := render(t, account, Options{Summary: true})
		if got := strings.Contains(text, "nothing shows that"); got != (trust == "") {
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
	var c explain.Collector
	c.Hooks().Message(trace.Message{Dir: trace.Sent, Raw: hello})
	out := strings.Join(strings.Fields(render(t, c.Connection(explain.About{}), Options{})), " ")
	for _, want := range []string{
		"GREASE (0x8a8a) Reserved, without a meaning (RFC 8701)",
		"cipher_suite(0xfefe)",
		"GREASE (0x1a1a): empty An extension without a meaning",
		"extension(0x4321): 4 bytes vitrine does not know it.",
		"77686174", // "what"
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

// An account can come from a file that somebody wrote: whatever its numbers are,
// it is shown.
func TestAnyNumbers(t *testing.T) {
	saved, err := os.ReadFile("../testdata/live-tls12-cbc.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{-1, 0, 7, 1 << 20} {
		c := new(explain.Connection)
		if err := json.Unmarshal(saved, c); err != nil {
			t.Fatal(err)
		}
		for i := range c.Flights {
			c.Flights[i].Number, c.Flights[i].StartUS, c.Flights[i].EndUS = n, int64(n), int64(n)
		}
		for i := range c.Events {
			e := &c.Events[i]
			e.Flight, e.AtUS = n, int64(n)
			if e.Message == nil {
				continue
			}
			for j := range e.Message.Fields {
				f := &e.Message.Fields[j]
				f.Depth, f.Offset, f.Length = n, n, n
			}
			for j := range e.Message.Pieces {
				e.Message.Pieces[j] = explain.Piece{Record: n, Offset: n, Length: n}
			}
		}
		if out := render(t, c, Options{}); !strings.Contains(out, "ClientHello") {
			t.Errorf("with the number %d everywhere, it has no ClientHello", n)
		}
	}
}
