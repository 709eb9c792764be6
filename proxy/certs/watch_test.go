package certs

import (
	"path/filepath"
	"testing"
)

// Files are looked at seldom only where the system tells of every folder.
func TestWatchIsWhole(t *testing.T) {
	folder := t.TempDir()
	for file, whole := range map[string]bool{filepath.Join(folder, "a.pem"): true, filepath.Join(folder, "none", "a.pem"): false} {
		w := watch([]string{filepath.Join(folder, "key.pem"), file})
		if w == nil {
			t.Skip("the system has no watches to give")
		}
		if w.whole != whole {
			t.Errorf("%s: %v", file, w.whole)
		}
		w.close()
	}
}
