package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
)

// page writes what is longer than a screen so that its first screen is what
// people see first: through their pager, if out is a terminal and somebody sits
// before it. $PAGER names the pager, "less" by default; empty, it is none.
func page(out io.Writer, in io.Reader, text []byte) error {
	pager := pagerFor(out, in)
	if len(pager) == 0 {
		_, err := out.Write(text)
		return err
	}
	cmd := exec.Command(pager[0], pager[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(text), out, os.Stderr
	if os.Getenv("LESS") == "" {
		cmd.Env = append(os.Environ(), "LESS=FRX") // quit if it fits one screen, let colours through, leave it on the screen
	}
	if err := cmd.Start(); err != nil {
		_, err := out.Write(text)
		return err
	}
	err := cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil // how somebody leaves a pager is no concern of ours
	}
	return err
}

// pagerFor returns the command to page with, empty for none.
func pagerFor(out io.Writer, in io.Reader) []string {
	if !paletteFor(out).screen || !isKeyboard(in) {
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

// isKeyboard reports that somebody can press a key.
func isKeyboard(in io.Reader) bool {
	f, ok := in.(*os.File)
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
