package main

import (
	"bufio"
	"bytes"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

type listenKey struct{}

// listener is a vitrine explain --listen that a script has started.
type listener struct {
	cmd            *exec.Cmd
	stdout, stderr bytes.Buffer
	read           chan struct{} // closed when stderr is read to its end
}

// cmdListen starts vitrine explain --listen with $WORK/ca, and sets $URL, $PORT and $ADDR.
func cmdListen(ts *testscript.TestScript, _ bool, args []string) {
	program, err := exec.LookPath("vitrine")
	ts.Check(err)
	l := ts.Value(listenKey{}).(*listener)
	*l = listener{read: make(chan struct{})}
	l.cmd = exec.Command(program, append([]string{"explain", "--listen", "0", "--ca-dir", ts.MkAbs("ca")}, args...)...)
	l.cmd.Dir, l.cmd.Stdout = ts.MkAbs("."), &l.stdout
	l.cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "SSLKEYLOGFILE=")
	pipe, err := l.cmd.StderrPipe()
	ts.Check(err)
	ts.Check(l.cmd.Start())
	ts.Defer(func() { l.cmd.Process.Kill(); l.cmd.Wait() })
	in := bufio.NewReader(pipe)
	first, err := in.ReadString('\n')
	_, where, ok := strings.Cut(strings.TrimSpace(first), " on ")
	if err != nil || !ok {
		rest, _ := io.ReadAll(in)
		ts.Fatalf("vitrine explain --listen: %s%s", first, rest)
	}
	l.stderr.WriteString(first)
	go func() {
		defer close(l.read)
		io.Copy(&l.stderr, in)
	}()
	u, err := url.Parse(where)
	ts.Check(err)
	ts.Setenv("URL", where)
	ts.Setenv("PORT", u.Port())
	ts.Setenv("ADDR", u.Host)
}

// cmdHeard waits until vitrine explain --listen ends, with this exit code; "stop" stops it
// by a signal before. What it wrote is then in heard.out and heard.err.
func cmdHeard(ts *testscript.TestScript, _ bool, args []string) {
	l := ts.Value(listenKey{}).(*listener)
	if len(args) > 1 && args[1] == "stop" {
		ts.Check(l.cmd.Process.Signal(syscall.SIGTERM))
	}
	<-l.read
	_ = l.cmd.Wait() // the code tells
	ts.Check(os.WriteFile(ts.MkAbs("heard.out"), l.stdout.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("heard.err"), l.stderr.Bytes(), 0o600))
	if got := strconv.Itoa(l.cmd.ProcessState.ExitCode()); got != args[0] {
		ts.Fatalf("exit code %s, want %s\n%s%s", got, args[0], l.stdout.String(), l.stderr.String())
	}
}
