package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	verb "github.com/vitrine-tls/vitrine/cmd/vitrine/internal/verbs/explain"
	"github.com/vitrine-tls/vitrine/explain/diagnose"
	"github.com/vitrine-tls/vitrine/internal/devca"
)

const diagnoseDocs = "../../docs/diagnose.md"

// docs/diagnose.md shows what the command writes, and lists what a diagnosis knows.
func TestDiagnoseDocs(t *testing.T) {
	before, err := os.ReadFile(diagnoseDocs)
	if err != nil {
		t.Fatal(err)
	}
	hidden := longHelloServer(t)
	block := regexp.MustCompile("(?ms)^```\n\\$ vitrine (explain [^\n]*)\n.*?^```$")
	after := block.ReplaceAllStringFunc(string(before), func(old string) string {
		line := block.FindStringSubmatch(old)[1]
		args := strings.Fields(line)[1:]
		if !strings.Contains(line, "--fail") {
			args = append(args, hidden...)
		}
		return "```\n$ vitrine " + line + "\n" + shown(t, args) + "```"
	})
	causes := regexp.MustCompile(`(?s)<!-- causes -->.*<!-- end of causes -->`)
	after = causes.ReplaceAllString(after, "<!-- causes -->\n\n"+causeTable()+"\n<!-- end of causes -->")
	if *update {
		if err := os.WriteFile(diagnoseDocs, []byte(after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if after != string(before) {
		t.Errorf("docs/diagnose.md is not what the command writes; run with -update. It would be\n%s", after)
	}
}

var (
	moment = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d UTC`)
	port   = regexp.MustCompile(`127\.0\.0\.1:\d+`)
)

// shown is what the command writes, without what differs each time.
func shown(t *testing.T, args []string) string {
	t.Helper()
	cmd := verb.New()
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(io.Discard)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	if err := cmd.Execute(); err == nil {
		t.Errorf("%v: nothing is wrong", args)
	}
	return port.ReplaceAllString(moment.ReplaceAllString(out.String(), "2026-01-01 00:00 UTC"), "127.0.0.1:40000")
}

func causeTable() string {
	var b strings.Builder
	b.WriteString("| Cause | At fault | What to change |\n|---|---|---|\n")
	for _, c := range diagnose.Causes() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.ID, c.AtFault, c.Advice)
	}
	return b.String()
}

// longHelloServer hangs up on a hello above 1200 bytes. It returns the flags by which a client
// reaches it under any name.
func longHelloServer(t *testing.T) []string {
	t.Helper()
	ca, err := devca.New("shop.example.com")
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.ServerCertificate("shop.example.com")
	if err != nil {
		t.Fatal(err)
	}
	trust := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(trust, ca.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			refuseLongHello(conn, &tls.Config{Certificates: []tls.Certificate{leaf}})
		}
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return []string{"--connect-to", l.Addr().String(), "--ca", trust}
}

func refuseLongHello(conn net.Conn, config *tls.Config) {
	defer conn.Close()
	header := make([]byte, 5)
	if _, err := io.ReadFull(conn, header); err != nil {
		return
	}
	body := make([]byte, int(header[3])<<8|int(header[4]))
	if _, err := io.ReadFull(conn, body); err != nil || len(body) > 1200 {
		return
	}
	_ = tls.Server(&begun{conn, io.MultiReader(bytes.NewReader(header), bytes.NewReader(body), conn)}, config).Handshake()
}

// begun is a connection of which something was read.
type begun struct {
	net.Conn
	in io.Reader
}

func (b *begun) Read(p []byte) (int, error) { return b.in.Read(p) }
