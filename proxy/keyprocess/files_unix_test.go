//go:build unix

package keyprocess

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A name behind which something else stands than a file of PEM holds nothing up.
func TestFilesThatAreNone(t *testing.T) {
	folder := t.TempDir()
	pipe, large := filepath.Join(folder, "pipe"), filepath.Join(folder, "large")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, maxFile+1); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{pipe: "not a file", folder: "not a file", "/dev/zero": "not a file", large: "more than"} {
		p := start(t, Pair{name, name})
		if _, err := p.Load(name, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
