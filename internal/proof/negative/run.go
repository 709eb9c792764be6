package negative

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

// timeout is for the tests that look at one defect. A test that hangs has not
// caught it.
const timeout = 5 * time.Minute

// Caught runs the tests named, in the module at root, with the defect. It is nil
// where each of them fails by what it asserts.
func (d *Defect) Caught(ctx context.Context, root string) error {
	return d.with(root, func(overlay string) error {
		for _, t := range d.Tests {
			out, err := t.run(ctx, root, "-overlay", overlay)
			if err := t.noticed(out, err); err != nil {
				return fmt.Errorf("%s: %w\n%s", t.Package, err, tail(out))
			}
		}
		return nil
	})
}

func (d *Defect) with(root string, f func(overlay string) error) error {
	dir, err := os.MkdirTemp("", "vitrine-negative-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := d.overlay(root, dir)
	if err != nil {
		return err
	}
	return f(overlay)
}

// run runs the tests alone. What vet says of a defect is of no interest.
func (t *Tests) run(ctx context.Context, root string, flags ...string) ([]byte, error) {
	args := append([]string{"test", "-vet=off", "-timeout", timeout.String(), "-run", "^(" + strings.Join(t.Names, "|") + ")$"}, flags...)
	return command(ctx, root, append(args, "./"+t.Package)...)
}

func command(ctx context.Context, root string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = root
	return c.CombinedOutput()
}

var (
	failed  = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)
	crashed = regexp.MustCompile(`(?m)^(panic|fatal error|SIG[A-Z]+): .*`)
)

// noticed judges a run of the tests with a defect.
func (t *Tests) noticed(out []byte, err error) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return errors.New("not caught, or there are no such tests")
	case !errors.As(err, &exit):
		return err
	case bytes.Contains(out, []byte("panic: test timed out")):
		return errors.New("the tests hang")
	case crashed.Match(out):
		return fmt.Errorf("the tests do not fail, they crash: %s", crashed.Find(out))
	}
	left := slices.Clone(t.Names)
	for _, m := range failed.FindAllSubmatch(out, -1) {
		left = slices.DeleteFunc(left, func(name string) bool { return name == string(m[1]) })
	}
	switch {
	case len(left) == len(t.Names):
		return errors.New("it does not compile, or the tests did not run")
	case len(left) > 0:
		return fmt.Errorf("not caught by %s", strings.Join(left, ", "))
	}
	return nil
}

// tail is the end of a long output.
func tail(out []byte) []byte { return out[max(0, len(out)-4000):] }

// Pass runs all tests that defects name, in the module at root, without any
// defect: each must exist and pass. It runs those of parallel packages at a time.
func Pass(ctx context.Context, root string, defects []Defect, parallel int) error {
	names := map[string][]string{}
	for _, d := range defects {
		for _, t := range d.Tests {
			names[t.Package] = append(names[t.Package], t.Names...)
		}
	}
	var mutex sync.Mutex
	var errs []error
	each(slices.Sorted(maps.Keys(names)), parallel, func(pkg *string) {
		t := Tests{*pkg, slices.Compact(slices.Sorted(slices.Values(names[*pkg])))}
		err := t.pass(ctx, root)
		mutex.Lock()
		defer mutex.Unlock()
		errs = append(errs, err)
	})
	return errors.Join(errs...)
}

func (t *Tests) pass(ctx context.Context, root string) error {
	out, err := t.run(ctx, root, "-v")
	if err != nil {
		return fmt.Errorf("%s fails without any defect: %w\n%s", t.Package, err, tail(out))
	}
	var errs []error
	for _, name := range t.Names {
		if !bytes.Contains(out, []byte("--- PASS: "+name+" ")) {
			errs = append(errs, fmt.Errorf("%s has no %s, or skips it", t.Package, name))
		}
	}
	return errors.Join(errs...)
}

// Each calls f with every defect, parallel at a time.
func Each(defects []Defect, parallel int, f func(*Defect)) { each(defects, parallel, f) }

func each[T any](list []T, parallel int, f func(*T)) {
	var group sync.WaitGroup
	turn := make(chan struct{}, parallel)
	for i := range list {
		turn <- struct{}{}
		group.Go(func() {
			defer func() { <-turn }()
			f(&list[i])
		})
	}
	group.Wait()
}

// Root is the folder of the module that the process was started in.
func Root(ctx context.Context) (string, error) {
	out, err := command(ctx, "", "list", "-m", "-f", "{{.Dir}}")
	return strings.TrimSpace(string(out)), err
}
