package terminal

import (
	"slices"
	"testing"
)

// The environment names the browser, its first word with the arguments that follow; else
// each system has its own way.
func TestBrowser(t *testing.T) {
	for _, x := range []struct {
		system, wanted, name string
		args                 []string
	}{
		{"linux", "", "xdg-open", nil},
		{"linux", "firefox -P work:chromium", "firefox", []string{"-P", "work"}},
		{"linux", " : ", "xdg-open", nil},
		{"darwin", "", "open", nil},
		{"windows", `C:\browser.exe`, "rundll32", []string{"url.dll,FileProtocolHandler"}},
	} {
		if name, args := browser(x.system, x.wanted); name != x.name || !slices.Equal(args, x.args) {
			t.Errorf("%s, %q: %s %q", x.system, x.wanted, name, args)
		}
	}
}
