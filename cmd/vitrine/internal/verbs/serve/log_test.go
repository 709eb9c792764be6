package serve

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/httptls"
	"github.com/vitrine-tls/vitrine/tls"
)

// With --json each line is an object. Its names are those of the other verbs, and the
// text has them too.
func TestLogInJSON(t *testing.T) {
	server, client := net.Pipe()
	defer server.Close()
	defer client.Close()
	done := httptls.Handshake{Conn: tls.Server(server, new(tls.Config)), Duration: 3 * time.Millisecond}
	failed := done
	failed.Err = errors.New("no luck")
	for _, asJSON := range []bool{true, false} {
		var out, errs bytes.Buffer
		cmd := &cobra.Command{}
		cmd.SetOut(&out)
		cmd.SetErr(&errs)
		log := (&options{json: asJSON}).start(cmd, "public", []string{"https://localhost:8443/"}, nil)
		logHandshake(log, done)
		logHandshake(log, failed)
		text, sign := errs.String(), "="
		if asJSON {
			if text, sign = out.String(), `":`; errs.Len() > 0 || !strings.Contains(text, `"msg":"serving","folder":"public","url":"https://localhost:8443/","urls":["https://localhost:8443/"]}`) {
				t.Errorf("wrote %q and %q", text, errs.String())
			}
		}
		for _, name := range []string{"version", "cipher_suite", "server_name", "handshake_us", "failure"} {
			if !strings.Contains(text, name+sign) {
				t.Errorf("no %s%s in %s", name, sign, text)
			}
		}
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
		log.Info("connection", slog.String("psk_identity", long))
		slog.NewLogLogger(log.Handler(), slog.LevelWarn).Print(long) // as net/http does
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != 2 || len(lines[0]) > 2*mostLogged || len(lines[1]) > 2*mostLogged || !strings.Contains(lines[0], "... (60000 bytes)") {
			t.Errorf("%d lines, %d bytes: %.3000s", len(lines), out.Len(), out.String())
		}
	}
}
