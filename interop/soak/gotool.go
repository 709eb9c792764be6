package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// root is the folder of the module, from which the go command runs.
var root = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	file := strings.TrimSpace(string(out))
	if err != nil || file == "" || file == os.DevNull {
		return "", fmt.Errorf("not within the module: %q, %v", file, err)
	}
	return filepath.Dir(file), nil
})

// run runs a program in a folder and returns all that it prints. What it prints
// is part of the error, too. A program that does not end when told to is killed.
func run(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.WaitDelay = dir, 5*time.Second
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return out.String(), errors.Join(fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, &out), ctx.Err())
	}
	return out.String(), nil
}

// goTool runs the go command at the module's root.
func goTool(ctx context.Context, args ...string) (string, error) {
	dir, err := root()
	if err != nil {
		return "", err
	}
	return run(ctx, dir, "go", args...)
}

// A target is a test or fuzz target of a package.
type target struct{ pkg, name string }

// targets lists what the regular expression finds among the tests of all packages.
func targets(ctx context.Context, pattern string) ([]target, error) {
	out, err := goTool(ctx, "test", "-list", pattern, "./...")
	if err != nil {
		return nil, err
	}
	var all []target
	var names []string
	for line := range strings.Lines(out) { // the names come before their package
		switch fields := strings.Fields(line); {
		case len(fields) > 1 && fields[0] == "ok":
			for _, name := range names {
				all = append(all, target{fields[1], name})
			}
			names = nil
		case len(fields) == 1:
			names = append(names, fields[0])
		}
	}
	return all, nil
}
