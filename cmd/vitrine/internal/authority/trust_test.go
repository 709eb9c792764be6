package authority

import "testing"

func TestShellQuote(t *testing.T) {
	for in, want := range map[string]string{
		"/home/jane/.config/vitrine/ca.pem": "/home/jane/.config/vitrine/ca.pem",
		"/Users/jane/Application Support":   "'/Users/jane/Application Support'",
		"/it's":                             `'/it'\''s'`,
		"$HOME":                             "'$HOME'",
	} {
		if got := ShellQuote(in); got != want {
			t.Errorf("ShellQuote(%q) = %s, want %s", in, got, want)
		}
	}
}
