package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/root"
)

// onTerminal runs the command line on a terminal and returns what is on it.
func onTerminal(t *testing.T, args ...string) string {
	t.Helper()
	out, code := atTerminal(t, func(cmd *cobra.Command, terminal *os.File) { cmd.SetOut(terminal) }, args...)
	if code != report.ExitOK {
		t.Errorf("%q ends with exit code %d", args, code)
	}
	return out
}

// atTerminal runs the command line with a terminal as its input, and where connect says so. It
// returns what is on it, and the exit code.
func atTerminal(t *testing.T, connect func(*cobra.Command, *os.File), args ...string) (out string, code int) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	shown := make(chan []byte)
	go func() {
		b, _ := io.ReadAll(master) // ends with an error when the terminal is closed
		shown <- b
	}()
	cmd := root.New(verbs)
	cmd.SetIn(terminal)
	connect(cmd, terminal)
	code = root.Run(cmd, args)
	terminal.Close()
	return string(bytes.ReplaceAll(<-shown, []byte("\r\n"), []byte("\n"))), code
}

// On a terminal there are colours, and a pager shows the start first.
func TestTerminal(t *testing.T) {
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	t.Setenv("PAGER", "sed s/^/paged:/")
	if out := onTerminal(t, "explain"); !strings.HasPrefix(out, "paged:\x1b[1m127.0.0.1:") || !strings.Contains(out, "\npaged:") {
		t.Errorf("the pager does not show it:\n%.200q", out)
	}
	t.Setenv("NO_COLOR", "1")
	if out := onTerminal(t, "explain", "--summary"); !strings.HasPrefix(out, "paged:127.0.0.1:") || strings.Contains(out, "\x1b") {
		t.Errorf("NO_COLOR is not heeded:\n%.200q", out)
	}
	t.Setenv("NO_COLOR", "")
	for _, none := range []string{"", "no-such-program -x"} {
		t.Setenv("PAGER", none)
		if out := onTerminal(t, "explain", "--summary"); !strings.HasPrefix(out, "\x1b[1m127.0.0.1:") {
			t.Errorf("with PAGER=%q:\n%.200q", none, out)
		}
	}
	t.Setenv("PAGER", "false") // how a pager ends is no error
	onTerminal(t, "explain", "--summary")
	t.Setenv("PAGER", "sed s/^/paged:/")
	t.Setenv("TERM", "dumb")
	if out := onTerminal(t, "explain", "--summary"); !strings.HasPrefix(out, "127.0.0.1:") {
		t.Errorf("on a dumb terminal:\n%.200q", out)
	}
}

// A diagnosis says at a terminal what it tries, and wipes that; with --json it says nothing of it.
func TestDiagnosisTellsWhatItTries(t *testing.T) {
	address := longHelloServer(t)
	for _, c := range []struct {
		args  []string
		tells bool
	}{{nil, true}, {[]string{"--json"}, false}} {
		args := append(append([]string{"explain", "--diagnose", "shop.example.com"}, address...), c.args...)
		var out bytes.Buffer
		seen, code := atTerminal(t, func(cmd *cobra.Command, terminal *os.File) { cmd.SetOut(&out); cmd.SetErr(terminal) }, args...)
		if code != report.ExitFindings {
			t.Errorf("%q ends with exit code %d", args, code)
		}
		if told := strings.Contains(seen, "\r\x1b[Ktrial 1: the same hello again") && strings.HasSuffix(seen, "\r\x1b[K"); told != c.tells || !c.tells && seen != "" {
			t.Errorf("%q: the terminal shows %q", args, seen)
		}
		if strings.Contains(out.String(), "\x1b[K") || out.Len() == 0 {
			t.Errorf("%q writes %q", args, out.String())
		}
	}
}
