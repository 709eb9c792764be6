package keyprocess

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// A listening socket that systemd has passed to the proxy is not the key process's too.
func TestSocketsAreNotInherited(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	passed, err := syscall.Dup(int(file.Fd())) // as systemd passes it: open for programs that are started
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(passed)
	p := start(t)
	ours, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", passed))
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.cmd.Process.Pid))
	if err != nil || len(theirs) < 3 {
		t.Fatalf("the descriptors of the key process: %q, %v", theirs, err)
	}
	if slices.ContainsFunc(theirs, func(fd string) bool { at, _ := os.Readlink(fd); return at == ours }) {
		t.Errorf("the key process has the socket %s", ours)
	}
}
