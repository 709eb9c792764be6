//go:build unix

package serve

import (
	"syscall"
	"testing"
)

// makePipe makes what blocks the one that opens it.
func makePipe(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
}
