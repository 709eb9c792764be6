package terminal

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
)

// Page writes what is longer than a screen so that people see its start first:
// through their pager, if output and input are a terminal. $PAGER names the pager,
// "less" by default; empty, there is none.
func Page(in io.Reader, out io.Writer, text []byte) error {
	pager := pagerFor(in, out)
	if len(pager) == 0 {
		_, err := out.Write(text)
		return err
	}
	cmd := exec.Command(pager[0], pager[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), out, os.Stderr
	cmd.Env = os.Environ()
	for _, row := range [][2]string{
		{"LESS", "FRX"}, // quit if it fits the screen; let colours through; leave it on the screen
		{"LESSCHARSET", "utf-8"},
	} {
		if os.Getenv(row[0]) == "" {
			cmd.Env = append(cmd.Env, row[0]+"="+row[1])
		}
	}
	signal.Ignore(os.Interrupt) // it is for the pager
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil // how people leave their pager is no error
	}
	return err
}

// pagerFor returns the command to page with, empty for none.
func pagerFor(in io.Reader, out io.Writer) []string {
	if !atTerminal(in) || !atTerminal(out) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	name, set := os.LookupEnv("PAGER")
	if !set {
		name = "less"
	}
	words := strings.Fields(name)
	if len(words) == 0 {
		return nil
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		return nil
	}
	return words
}

// atTerminal reports that a person is at the other end of a stream.
func atTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
