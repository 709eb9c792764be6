package harden

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// offlineFile names the file that a child tries to change.
const offlineFile = "VITRINE_TEST_OFFLINE"

// beOffline is the child: it gives up what a process without a network does without, and says
// how far it comes.
func beOffline(file string) {
	l, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0) // as if it were inherited
	if err == nil {
		err = syscall.Listen(l, 1)
	}
	if err == nil {
		err = syscall.SetNonblock(l, true)
	}
	pair, failed := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil || failed != nil {
		fmt.Print("no sockets: ", err, failed)
		return
	}
	if err := filterCalls(true); err != nil {
		fmt.Print("no filter: ", err)
		return
	}
	_, _, accepting := syscall.Accept4(l, 0)
	_, _, _, _, receiving := syscall.Recvmsg(pair[0], make([]byte, 1), make([]byte, syscall.CmsgSpace(4)), syscall.MSG_DONTWAIT)
	fmt.Print(os.Chmod(file, 0o666), "; ", syscall.Kill(os.Getppid(), 0), "; ", accepting, "; ", receiving, "; ",
		syscall.Sendmsg(pair[0], []byte{0}, syscall.UnixRights(0), nil, 0), "; ", syscall.Listen(l, 1), "; ",
		syscall.Bind(l, &syscall.SockaddrInet4{}), "; ", syscall.Connect(l, &syscall.SockaddrInet4{Port: 1}))
}

// A process without a network changes no modes of files, and signals nobody: landlock would let it. A socket that it
// has inherited is of no use to it, and it gets and gives no descriptors.
func TestWithoutANetwork(t *testing.T) {
	needLandlock(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), offlineFile+"="+file)
	out, err := child.CombinedOutput()
	if err != nil || strings.Count(string(out), "not permitted") != 8 {
		t.Errorf("%s, %v", out, err)
	}
}
