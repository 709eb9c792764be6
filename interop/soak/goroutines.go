package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// watcher is the package whose TestMain fails where a test leaves a goroutine.
const watcher = "github.com/vitrine-tls/vitrine/internal/proof/leak"

// testPackage is a package that has tests.
type testPackage struct {
	path, dir string
	watched   bool
	binary    string // of its tests
}

// runGoroutines runs every test of every package in a process of its own, so
// that none needs another to have run before, or has its goroutines ended or
// hidden by another. The package's TestMain sees to the goroutines.
func runGoroutines(ctx context.Context, r *report) error {
	packages, err := testPackages(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var unwatched []string
	var alone []func() error
	for i := range packages {
		p := &packages[i]
		if !p.watched {
			unwatched = append(unwatched, path.Base(p.path))
		}
		names, err := p.build(ctx, filepath.Join(dir, fmt.Sprint(i)))
		if err != nil {
			return err
		}
		r.Logf("%s: %d", p.path, len(names))
		for _, name := range names {
			alone = append(alone, func() error { return p.alone(ctx, name) })
		}
	}
	failed := atOnce(runtime.GOMAXPROCS(0), alone, func(err error) { r.Logf("%v", err) })
	r.Figure("packages with tests", "%d", len(packages))
	r.Figure("packages that do not watch for goroutines", "%s", orNone(unwatched)).Want(len(unwatched) == 0, "none")
	r.Figure("tests run alone", "%d", len(alone))
	r.Figure("tests that fail alone, or leave a goroutine", "%d", failed).Want(failed == 0, "none")
	return nil
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// testPackages are the packages of the module that have tests; those of the
// watcher leave goroutines on purpose.
func testPackages(ctx context.Context) ([]testPackage, error) {
	out, err := goTool(ctx, "list", "-f", `{{.ImportPath}}|{{.Dir}}|{{len .TestGoFiles}}{{len .XTestGoFiles}}|{{join .TestImports " "}} {{join .XTestImports " "}}`, "./...")
	if err != nil {
		return nil, err
	}
	var packages []testPackage
	for line := range strings.Lines(out) {
		f := strings.Split(strings.TrimSpace(line), "|")
		if f[2] != "00" && f[0] != watcher {
			packages = append(packages, testPackage{path: f[0], dir: f[1], watched: slices.Contains(strings.Fields(f[3]), watcher)})
		}
	}
	return packages, nil
}

// build compiles the package's tests and lists them: tests, examples, and fuzz
// targets, which run their corpora.
func (p *testPackage) build(ctx context.Context, binary string) ([]string, error) {
	p.binary = binary
	if _, err := goTool(ctx, "test", "-c", "-o", binary, p.path); err != nil {
		return nil, err
	}
	if _, err := os.Stat(binary); errors.Is(err, os.ErrNotExist) {
		return nil, nil // its files are for other systems
	}
	out, err := run(ctx, p.dir, binary, "-test.list", "^(Test|Fuzz|Example)")
	return strings.Fields(out), err
}

// alone runs one test.
func (p *testPackage) alone(ctx context.Context, name string) error {
	out, err := run(ctx, p.dir, p.binary, "-test.run", "^"+name+"$", "-test.timeout", "15m")
	if err == nil && strings.Contains(out, "no tests to run") {
		err = errors.New("it did not run")
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", p.path, name, err)
	}
	return nil
}

// atOnce runs functions, so many at a time, and counts those that fail; say is
// told of each when it happens.
func atOnce(workers int, functions []func() error, say func(error)) (failed int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	queue := make(chan func() error)
	for range workers {
		wg.Go(func() {
			for f := range queue {
				if err := f(); err != nil {
					mu.Lock()
					failed++
					say(err)
					mu.Unlock()
				}
			}
		})
	}
	for _, f := range functions {
		queue <- f
	}
	close(queue)
	wg.Wait()
	return failed
}
