package main

import (
	"bufio"
	"io"
	"net"
	"os/exec"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdFreePort sets a variable to an address on the loopback interface at which nobody
// listens.
func cmdFreePort(ts *testscript.TestScript, _ bool, args []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

type responderKey struct{}

// cmdResponder starts vitrine cert ca ocsp for a folder, and waits until it is ready;
// with "halt" it must end well after a signal.
func cmdResponder(ts *testscript.TestScript, _ bool, args []string) {
	if args[0] == "halt" {
		cmd := ts.Value(responderKey{}).(*responderProcess).cmd
		ts.Check(cmd.Process.Signal(syscall.SIGINT))
		ts.Check(cmd.Wait())
		return
	}
	program, err := exec.LookPath("vitrine")
	ts.Check(err)
	cmd := exec.Command(program, "cert", "ca", "ocsp", "--dir", ts.MkAbs(args[0]))
	stdout, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Value(responderKey{}).(*responderProcess).cmd = cmd
	ts.Defer(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	first, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil || !strings.Contains(first, "OCSP responder of ") {
		ts.Fatalf("vitrine cert ca ocsp said %q, %v", first, err)
	}
	go io.Copy(io.Discard, stdout)
}

type responderProcess struct{ cmd *exec.Cmd }
