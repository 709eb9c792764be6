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
	if err := filterCalls(true); err != nil {
		fmt.Print("no filter: ", err)
		return
	}
	fmt.Print(os.Chmod(file, 0o666), "; ", syscall.Kill(os.Getppid(), 0))
}

// A process without a network changes no modes of files, and signals nobody: landlock would let it.
func TestWithoutANetwork(t *testing.T) {
	needLandlock(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), offlineFile+"="+file)
	out, err := child.CombinedOutput()
	if err != nil || strings.Count(string(out), "not permitted") != 2 {
		t.Errorf("%s, %v", out, err)
	}
}
