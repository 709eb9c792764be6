package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/root"
)

// onTerminal runs the command line on a terminal and returns what is on it.
func onTerminal(t *testing.T, args ...string) string {
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
	cmd.SetOut(terminal)
	if code := root.Run(cmd, args); code != report.ExitOK {
		t.Errorf("%q ends with exit code %d", args, code)
	}
	terminal.Close()
	return string(bytes.ReplaceAll(<-shown, []byte("\r\n"), []byte("\n")))
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
