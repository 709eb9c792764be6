package explain

import (
	"os"
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

// Nobody else can read a temporary page.
func TestTemporary(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	name, err := temporary()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	t.Setenv("TMPDIR", name) // no folder
	if _, err := temporary(); err == nil {
		t.Error("a file was made where there can be none")
	}
}
