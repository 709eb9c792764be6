package explain

import (
	"os"
	"testing"
)

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
