package serve

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
)

// With --json each line is an object, in the names of the other verbs.
func TestLogInJSON(t *testing.T) {
	var out, errs bytes.Buffer
	cmd := &cobra.Command{}
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	o := options{json: true}
	log := o.start(cmd, "public", []string{"https://localhost:8443/"}, nil)
	log.Info("connection", slog.String("suite", "S"), slog.String("sni", "N"), slog.Duration("duration", 3*time.Millisecond))
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 3 || errs.Len() > 0 ||
		!strings.Contains(lines[0], `"msg":"serving","folder":"public","url":"https://localhost:8443/","urls":["https://localhost:8443/"]}`) ||
		!strings.Contains(lines[1], `"cipher_suite":"S","server_name":"N","handshake_us":3000}`) {
		t.Errorf("wrote %q and %q", out.String(), errs.String())
	}
}

// Whatever a stranger sends, in a handshake or a request, makes no long line, and one
// line only.
func TestLogIsShort(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		cmd := &cobra.Command{}
		cmd.SetOut(&out)
		cmd.SetErr(&out)
		o := options{json: asJSON}
		log := o.start(cmd, "public", []string{"https://localhost:8443/"}, nil)
		out.Reset()
		long := strings.Repeat("é\nlevel=ERROR ", 4000)
		log.Info("connection", slog.String("psk", long))
		slog.NewLogLogger(log.Handler(), slog.LevelWarn).Print(long) // as net/http does
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != 2 || len(lines[0]) > 2*mostLogged || len(lines[1]) > 2*mostLogged || !strings.Contains(lines[0], "... (60000 bytes)") {
			t.Errorf("%d lines, %d bytes: %.3000s", len(lines), out.Len(), out.String())
		}
	}
}

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{
		"/home/jane/.config/vitrine/ca.pem": "/home/jane/.config/vitrine/ca.pem",
		"/Users/jane/Application Support":   "'/Users/jane/Application Support'",
		"/it's":                             `'/it'\''s'`,
		"$HOME":                             "'$HOME'",
	} {
		if got := shellQuote(in); got != want {
			t.Errorf("shellQuote(%q) = %s, want %s", in, got, want)
		}
	}
}
