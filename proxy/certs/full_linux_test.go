package certs

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// onFullDisk puts a disk without a byte of room in the place of a folder, up to the end of the
// test. It reports false where the test may not.
func onFullDisk(t *testing.T, folder string) bool {
	t.Helper()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=64k"); err != nil {
		return false
	}
	t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
	if err := os.WriteFile(filepath.Join(folder, "filled"), bytes.Repeat([]byte{'x'}, 128<<10), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	return true
}
