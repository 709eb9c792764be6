package explain

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/capture"
	"github.com/vitrine-tls/vitrine/wire"
)

func manyKinds() []*capture.Connection {
	long := &capture.Connection{
		Number: 123456, Client: netip.MustParseAddrPort("[2001:db8:1111:2222:3333:4444:5555:6666]:50000"), Server: netip.MustParseAddrPort("192.0.2.1:443"),
		Name: strings.Repeat("a.very.long.name.", 10) + "example", Version: wire.TLS12, Suite: wire.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
		Resumed: "ticket", Outcome: "the server sent the alert handshake_failure", Failed: true, Gaps: 3, JA3: strings.Repeat("0", 32), JA4: strings.Repeat("t", 36),
		Began: "SMTP's STARTTLS", Missing: "no key",
	}
	short := &capture.Connection{Number: 1, Client: netip.MustParseAddrPort("192.0.2.9:1"), Server: long.Server, Outcome: "complete"}
	return []*capture.Connection{short, long}
}

// The list fits the terminal, however wide that is, and a file has all of it.
func TestTheListFits(t *testing.T) {
	rows := manyKinds()
	for width := range 300 {
		if width < 70 { // narrower than the least of what is never left out
			continue
		}
		var out bytes.Buffer
		l := &listing{captured: &captured{options: &options{form: &renderings[0]}}, out: &out, widths: widths(rows, width, false)}
		for _, k := range rows {
			if err := l.row(k); err != nil {
				t.Fatal(err)
			}
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width {
				t.Fatalf("%d columns on a terminal of %d: %s", n, width, line)
			}
		}
	}
	var out bytes.Buffer
	l := &listing{captured: &captured{options: &options{form: &renderings[0]}}, out: &out, widths: widths(rows, 0, false)}
	if err := l.row(rows[1]); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{rows[1].Name, rows[1].JA3, rows[1].JA4, rows[1].Suite.String(), "3 gaps; after SMTP's STARTTLS"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in %q", want, out.String())
		}
	}
}

// A name is what a stranger sent, and does not write to the terminal.
func TestTheListIsPrintable(t *testing.T) {
	rows := manyKinds()
	rows[0].Name, rows[0].Outcome = "\x1b[31mred\x07", "a\nb"
	var out bytes.Buffer
	l := &listing{captured: &captured{options: &options{form: &renderings[0]}}, out: &out, widths: widths(rows, 0, false)}
	if err := l.row(rows[0]); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); strings.ContainsAny(s, "\x1b\x07") || strings.Count(s, "\n") != 1 {
		t.Errorf("it is %q", s)
	}
}
