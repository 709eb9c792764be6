package observe

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A socket whose owner is alive stays, also where that takes no connection just now.
func TestABusySocketIsNotTaken(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin")
	busy, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(busy)
	if err := syscall.Bind(busy, &syscall.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(busy, 0); err != nil {
		t.Fatal(err)
	}
	waits := func() error {
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { syscall.Close(fd) })
		return syscall.Connect(fd, &syscall.SockaddrUnix{Name: path})
	}
	for range 16 {
		if err = waits(); err != nil {
			break
		}
	}
	if err != syscall.EAGAIN {
		t.Fatalf("the queue is not full: %v", err)
	}
	if l, err := listen("unix:" + path); err == nil {
		l.Close()
		t.Error("the socket of a process that lives is taken over")
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
}
