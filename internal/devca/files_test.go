package devca

import (
	"os"
	"path/filepath"
	"testing"
)

// WriteNew leaves what is there, and Replace does not.
func TestWriteNewNeverReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := WriteNew(path, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := WriteNew(path, []byte("second"), 0o600); !os.IsExist(err) {
		t.Errorf("over a file: %v", err)
	}
	if have, err := os.ReadFile(path); err != nil || string(have) != "first" {
		t.Errorf("the file is now %q, %v", have, err)
	}
	if err := Replace(path, []byte("third"), 0o600); err != nil {
		t.Fatal(err)
	}
	if have, err := os.ReadFile(path); err != nil || string(have) != "third" {
		t.Errorf("the file is now %q, %v", have, err)
	}
}
