package explain

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
)

// A request of HTTP is sent to what may speak it, and nobody else unless --send says so.
func TestWhatIsSent(t *testing.T) {
	http := []string{"http/1.1"}
	for _, c := range []struct {
		agreed, port string
		offered      []string
		sends        bool
		content      string
		begins, says string
	}{
		{"http/1.1", "443", http, false, "", "GET / HTTP/1.1\r\n", "a request"},
		{"http/1.1", "993", http, false, "", "GET / HTTP/1.1\r\n", "a request"},
		{"", "443", http, false, "", "GET / HTTP/1.1\r\n", "a request"},
		{"", "993", http, false, "", "", "port 993 is for IMAP"},
		{"", "443", nil, false, "", "", "no protocol was agreed on"},
		{"h2", "443", http, false, "", "", `the protocol is "h2"`},
		{"", "443", http, true, "", "", "--send none"},
		{"", "993", http, true, "a logout\r\n", "a logout\r\n", `sent: "a logout\r\n"`},
		{"", "993", http, true, "a\nb\n", "a\nb\n", `sent: "a" and what follows, 4 bytes in all`},
	} {
		e := &explanation{options: &options{sends: c.sends, content: []byte(c.content)}, config: &tls.Config{ServerName: "x"}, at: flags.Target{Host: "x", Port: c.port}}
		e.options.alpn.Protocols = c.offered
		m := e.toSay(c.agreed)
		if !strings.HasPrefix(string(m.content), c.begins) || (c.begins == "") != (len(m.content) == 0) || !strings.Contains(m.words, c.says) {
			t.Errorf("%+v: %q, %q", c, m.content, m.words)
		}
	}
}

// What does not agree is a finding: exit code 1.
func TestFindings(t *testing.T) {
	var c explain.Collector
	if err := findings(c.Connection(explain.About{})); report.ExitCode(err) != report.ExitOK {
		t.Errorf("nothing is a finding: %v", err)
	}
	c.Hooks().Secret(trace.Secret{Name: "early_secret", How: "HKDF-Extract", Hash: "SHA-256", Value: make([]byte, 32)})
	if err := findings(c.Connection(explain.About{})); report.ExitCode(err) != report.ExitFindings {
		t.Errorf("a wrong secret is no finding: %v", err)
	}
}
