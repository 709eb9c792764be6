package scan

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

var update = flag.Bool("update", false, "write the generated parts of docs/scan.md anew")

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		runAsCommand()
	}
	leak.Main(m)
}

// oldServer is one as somebody may have set it up long ago, and never looked at again.
func oldServer(t *testing.T) (at scan.Target, roots *devca.CA) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return scan.Target{Address: l.Addr().String(), Name: "example.test"}, serveOld(t, l)
}

// serveOld has the server listen at l until the test ends.
func serveOld(t *testing.T, l net.Listener) (roots *devca.CA) {
	ca, err := devca.New("example.test")
	if err != nil {
		t.Fatal(err)
	}
	cert, err := ca.Issue(devca.Leaf{Names: []string{"example.test"}, Key: devca.RSA,
		NotBefore: time.Now().Add(-80 * 24 * time.Hour), NotAfter: time.Now().Add(10*24*time.Hour + time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS12, PreferClientCipherSuites: true,
		Legacy: tls.Legacy{RSAKeyExchange: true, TripleDES: true, SmallDH: true}, CurvePreferences: []tls.CurveID{tls.CurveP256}}
	for _, s := range []wire.CipherSuite{wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, wire.TLS_RSA_WITH_AES_128_CBC_SHA, wire.TLS_RSA_WITH_3DES_EDE_CBC_SHA} {
		config.CipherSuites = append(config.CipherSuites, uint16(s))
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			wait.Go(func() {
				defer raw.Close()
				raw.SetDeadline(time.Now().Add(10 * time.Second))
				conn := tls.Server(raw, config)
				if conn.Handshake() != nil {
					return
				}
				defer conn.Close()
				if n, _ := conn.Read(make([]byte, 1024)); n > 5 {
					fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nServer: nginx/1.10.3\r\nContent-Length: 0\r\n\r\n")
				}
			})
		}
	})
	t.Cleanup(func() { l.Close(); wait.Wait() })
	return ca
}

// changing are the parts of an output that another run has otherwise.
var changing = []struct{ pattern, with string }{
	{`127\.0\.0\.1:\d+`, "192.0.2.1:443"}, {`\d+ connections, [0-9.]+m?s`, "87 connections, 410ms"},
	{`\d{4}-\d\d-\d\d`, "2026-03-12"}, {`[0-9a-f]{32}`, "00112233445566778899aabbccddeeff"},
}

// docs/scan.md shows what the command writes, and every finding that there is.
func TestDocs(t *testing.T) {
	at, ca := oldServer(t)
	r, err := (&scan.Prober{}).Scan(t.Context(), at, scan.Options{Roots: ca.Pool()})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	w := &writer{&b, terminal.Palette{}}
	w.report(r)
	shown := b.String()
	for _, c := range changing {
		shown = regexp.MustCompile(c.pattern).ReplaceAllString(shown, c.with)
	}
	documented(t, "output", indented(shown))
	documented(t, "findings", findings())
}

// documented sees that a part of docs/scan.md is what it shall be, or writes it anew.
func documented(t *testing.T, part, with string) {
	t.Helper()
	const name = "../../../../../docs/scan.md"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	want := replace(t, string(text), part, with)
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	was, is := strings.Split(string(text), "\n"), strings.Split(want, "\n")
	for i := range min(len(was), len(is)) {
		if was[i] != is[i] {
			t.Fatalf("docs/scan.md is not what the command writes; run with -update: %q, now %q", was[i], is[i])
		}
	}
	if len(was) != len(is) {
		t.Error("docs/scan.md is not what the command writes; run with -update")
	}
}

func indented(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i, l := range lines {
		if l != "" {
			lines[i] = "    " + l
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// findings is the table of all kinds.
func findings() string {
	var b strings.Builder
	b.WriteString("| finding | severity | what it is | what an attacker gains | source |\n|---|---|---|---|---|\n")
	for _, k := range scan.Kinds() {
		source := k.Source
		if k.CVE != "" {
			source = k.CVE + ", " + source
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", k.ID, k.Severity, k.Title, k.Gain, source)
	}
	return b.String()
}

// replace puts a generated part between its marks.
func replace(t *testing.T, text, part, with string) string {
	t.Helper()
	begin, end := "<!-- "+part+" -->\n", "<!-- end of "+part+" -->"
	i, j := strings.Index(text, begin), strings.Index(text, end)
	if i < 0 || j < i {
		t.Fatalf("docs/scan.md has no marks for %s", part)
	}
	return text[:i+len(begin)] + "\n" + with + "\n" + text[j:]
}

func TestTargetsAreExpanded(t *testing.T) {
	for arg, want := range map[string][]string{
		"example.com":          {"example.com:443"},
		"example.com:8000-8":   nil,
		"example.com:441-443":  {"example.com:441", "example.com:442", "example.com:443"},
		"[2001:db8::1]:80-81":  {"[2001:db8::1]:80", "[2001:db8::1]:81"},
		"smtp://example.com":   {"example.com:25"},
		"my-host:443":          {"my-host:443"},
		"example.com:0-1":      nil,
		"example.com:1-999999": nil,
	} {
		all, err := expand(arg)
		var got []string
		for _, at := range all {
			got = append(got, at.String())
		}
		if err == nil && !slices.Equal(got, want) || err != nil && want != nil {
			t.Errorf("%s: %v, %v", arg, got, err)
		}
	}
}

// What a server says reaches a spreadsheet as text, and a terminal as text.
func TestServersCannotReachBeyondTheirText(t *testing.T) {
	s := &Scans{Targets: 1, Reports: []*scan.Report{{Target: "a:1", HTTP: &scan.HTTPReport{Server: "\x1b[31m"},
		Findings: []scan.Finding{{ID: "x", Severity: scan.Low, Title: "X", Evidence: []string{"=cmd()"}, Gain: "\x1b[2J"}}}}}
	var b bytes.Buffer
	if err := writeCSV(&b, s); err != nil || !strings.Contains(b.String(), ",'=cmd()") {
		t.Errorf("%v, %s", err, b.String())
	}
	b.Reset()
	if err := s.write(&b, strings.NewReader("")); err != nil || strings.Contains(b.String(), "\x1b") {
		t.Errorf("%v, %q", err, b.String())
	}
}
