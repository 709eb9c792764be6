package wire

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A golden is a real message and the context it was sent in.
type golden struct {
	name string
	ctx  Context
	raw  []byte // header included
}

func (g golden) body() []byte { return g.raw[HeaderLen:] }

// goldens reads testdata/golden/<message>.txt: blocks divided by empty lines,
// each a comment with its source, a line "name: version=.. kex=.. from=..",
// with "type=2" for a raw public key, and the message in hex.
func goldens(t testing.TB, message string) (list []golden) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "golden", message+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(string(text), "\n\n") {
		var g golden
		var digits strings.Builder
		for line := range strings.Lines(block) {
			line = strings.TrimSpace(line)
			name, ctx, isHead := strings.Cut(line, ": ")
			switch {
			case strings.HasPrefix(line, "#"):
			case isHead:
				g.name, g.ctx = name, parseContext(t, ctx)
			default:
				digits.WriteString(line)
			}
		}
		if g.raw, err = hex.DecodeString(digits.String()); err != nil {
			t.Fatalf("%s, %s: %v", message, g.name, err)
		}
		list = append(list, g)
	}
	return list
}

func parseContext(t testing.TB, s string) (c Context) {
	t.Helper()
	var kex, from string
	if _, err := fmt.Sscanf(s, "version=%x kex=%s from=%s", &c.Version, &kex, &from); err != nil {
		t.Fatalf("context %q: %v", s, err)
	}
	if _, rest, ok := strings.Cut(s, " type="); ok {
		if _, err := fmt.Sscan(rest, &c.CertificateType); err != nil {
			t.Fatalf("context %q: %v", s, err)
		}
	}
	for c.KeyExchange = range KeyExchange(len(keyExchanges)) {
		if strings.EqualFold(c.KeyExchange.String(), kex) {
			break
		}
	}
	if !strings.EqualFold(c.KeyExchange.String(), kex) {
		t.Fatalf("no key exchange is called %q", kex)
	}
	c.From = map[string]Role{"client": Client, "server": Server}[from]
	return c
}

// goldenNames are the messages that have goldens: all of them.
func goldenNames() (names []string) {
	for t := range messages {
		names = append(names, messageFile(t))
	}
	return names
}

// messageFile is the name of the Go type, and so of the golden file.
func messageFile(t HandshakeType) string {
	return strings.TrimPrefix(fmt.Sprintf("%T", NewMessage(t)), "*wire.")
}

// find returns the golden called name.
func find(t testing.TB, message, name string) golden {
	t.Helper()
	for _, g := range goldens(t, message) {
		if g.name == name {
			return g
		}
	}
	t.Fatalf("no golden %s called %s", message, name)
	panic("unreachable")
}

// decode parses a golden into a message of type M.
func decode[M Message](t testing.TB, message, name string) M {
	t.Helper()
	g := find(t, message, name)
	m, err := DecodeMessage(g.raw, g.ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m.(M)
}

func TestGoldensFollowTheLaws(t *testing.T) {
	for _, message := range goldenNames() {
		for _, g := range goldens(t, message) {
			t.Run(message+"/"+g.name, func(t *testing.T) {
				m, err := checkLaws(t, g.raw, g.ctx)
				if err != nil {
					t.Fatal(err)
				}
				if got := messageFile(m.Type()); got != message {
					t.Errorf("it is a %s", got)
				}
			})
		}
	}
}

// Every field of every golden is understood: a span that says otherwise is a
// grammar that is missing or wrong.
func TestGoldensHaveNoOpaqueExtensionThatWeKnow(t *testing.T) {
	for _, message := range goldenNames() {
		for _, g := range goldens(t, message) {
			var rec Recorder
			if _, err := DecodeMessage(g.raw, g.ctx, &rec); err != nil {
				t.Fatal(err)
			}
			for i, s := range rec.Spans {
				if s.Name == "undecoded" {
					t.Errorf("%s/%s: undecoded bytes at %d", message, g.name, s.Offset)
				}
				if s.Name != "opaque" {
					continue
				}
				for _, type_ := range rec.Spans[:i] {
					if type_.Group && type_.Offset+type_.Length == s.Offset+s.Length && grammarOf(type_.Name) {
						t.Errorf("%s/%s: %s was not understood from byte %d on", message, g.name, type_.Name, s.Offset)
					}
				}
			}
		}
	}
}

func grammarOf(name string) bool {
	for t := range grammars {
		if t.String() == name {
			return true
		}
	}
	return false
}
