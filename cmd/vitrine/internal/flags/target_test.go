package flags

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

func TestTargets(t *testing.T) {
	for in, want := range map[string]string{
		"example.com":        "example.com:443",
		"example.com:8443":   "example.com:8443",
		"127.0.0.1":          "127.0.0.1:443",
		"::1":                "[::1]:443",
		"[::1]":              "[::1]:443",
		"[2001:db8::1]:8443": "[2001:db8::1]:8443",
		"":                   "", ":1": "", "a:b:c": "", "host:0": "", "host:65536": "", "host:": "", "a b": "", "http://x": "", "[x": "",
		"[::1": "", "::1]": "", "[::1]]": "", "[127.0.0.1]": "", "::1:9001": "", "2001:db8::1:443": "", "https://[::1": "",
		"[::1:9001]": "[::1:9001]:443", "::1:abcd": "[::1:abcd]:443", "2001:db8:0:0:0:0:0:443": "[2001:db8:0:0:0:0:0:443]:443",
		"2001:db8::443": "[2001:db8::443]:443", "[fe80::1%eth0]:1": "[fe80::1%eth0]:1", "fe80::1%eth0": "[fe80::1%eth0]:443",
		"https://example.com/path?q#f":  "example.com:443",
		"https://jane@example.com:8443": "example.com:8443",
		"https://[2001:db8::1]/":        "[2001:db8::1]:443",
		"wss://example.com:444/":        "example.com:444",
		"example.com/path":              "example.com:443",
		"smtp://mail.example.com":       "mail.example.com:25",
		"imaps://mail.example.com":      "mail.example.com:993",
		"postgresql://db.example.com/x": "db.example.com:5432",
		"localhost:https":               "localhost:443",
		"bücher.example":                "xn--bcher-kva.example:443",
		"https://BÜCHER.example:1/":     "xn--bcher-kva.example:1",
		"unix:/run/a.sock":              "unix:/run/a.sock",
		"unix:///run/a.sock":            "unix:/run/a.sock",
		"unix:a:1-2":                    "unix:a:1-2",
		"unix:":                         "", "unix://": "", "unix:a\x00b": "", "unix:/" + strings.Repeat("a", 103): "",
		"host:no-such-service": "", "https://": "", "https://a b/": "", "a\u2028b.example": "", "/path": "",
	} {
		got, err := ParseTarget(in)
		switch {
		case want == "" && report.ExitCode(err) != report.ExitUsage:
			t.Errorf("ParseTarget(%q) = %v, %v; want a usage error", in, got, err)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("ParseTarget(%q) = %v, %v; want %s", in, got, err, want)
		}
	}
}

func TestListen(t *testing.T) {
	for in, want := range map[string]string{
		"8443": "127.0.0.1:8443", "0": "127.0.0.1:0", "https": "127.0.0.1:443",
		":8443": ":8443", "localhost:https": "localhost:443", "[::1]:0": "[::1]:0",
		"": "", "host": "", "127.0.0.1": "", ":": "", "a:b:c": "", ":65536": "", "65536": "",
	} {
		got, err := ParseListen(in)
		if want != "" && err != nil || got != want || want == "" && report.ExitCode(err) != report.ExitUsage {
			t.Errorf("ParseListen(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}
