package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// boringSSL is the version whose tests interop/bogo/config.json is written for.
var boringSSL = vectors{
	name: "boringssl", env: "VITRINE_BORINGSSL",
	url:    "https://boringssl.googlesource.com/boringssl",
	commit: "a0689af29e8e460f1e5380e0fb74cef1b342e810",
	paths:  []string{"ssl/test/runner", "util"},
}

// leastPassed is how many tests of BoGo are to pass at least.
const leastPassed = 4900

// runBogo runs the tests of BoringSSL's BoGo against the shim in interop/bogo. The
// runner is fetched into the user's cache and built in a temporary folder, or is that
// of the checkout which VITRINE_BORINGSSL names.
func runBogo(ctx context.Context, r *report) error {
	boring, err := boringSSL.checkout(ctx, r)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "vitrine-bogo")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := bogo{tests: filepath.Join(boring, "ssl", "test", "runner"), runner: filepath.Join(dir, "runner"), dir: dir}
	r.Logf("building the runner and the shim")
	if _, err := run(ctx, b.tests, "go", "test", "-c", "-o", b.runner, "."); err != nil {
		return err
	}
	shim := filepath.Join(dir, "shim")
	if _, err := goTool(ctx, "build", "-o", shim, "./interop/bogo"); err != nil {
		return err
	}
	home, err := root()
	if err != nil {
		return err
	}
	config := filepath.Join(home, "interop", "bogo", "config.json")
	passed, failed, err := b.play(ctx, shim, config)
	if err != nil {
		return err
	}
	for _, name := range failed {
		r.Logf("FAILED: %s", name)
	}
	r.Figure("tests of BoGo that pass", "%d", len(passed)).Want(len(passed) >= leastPassed, "at least %d", leastPassed)
	r.Figure("tests of BoGo that fail", "%d", len(failed)).Want(len(failed) == 0, "none")
	return b.rest(ctx, r, config, slices.Concat(passed, failed))
}

// bogo is the runner, built, and the folder in which it finds its keys.
type bogo struct{ tests, runner, dir string }

func (b *bogo) start(ctx context.Context, shim string, args ...string) (string, error) {
	return run(ctx, b.tests, b.runner, append([]string{"-test.timeout", "0", "-pipe", "-num-workers", strconv.Itoa(runtime.NumCPU()), "-shim-path", shim}, args...)...)
}

// play runs the tests that the config does not leave out. What the runner exits with
// is nothing more than that some have failed.
func (b *bogo) play(ctx context.Context, shim, config string) (passed, failed []string, err error) {
	file := filepath.Join(b.dir, "results.json")
	_, runErr := b.start(ctx, shim, "-shim-config", config, "-json-output", file)
	var results struct {
		Interrupted bool
		Tests       map[string]struct{ Actual string }
	}
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &results)
	}
	if err == nil && results.Interrupted {
		err = fmt.Errorf("the runner was interrupted")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", err, runErr)
	}
	for name, test := range results.Tests {
		if test.Actual == "PASS" {
			passed = append(passed, name)
		} else {
			failed = append(failed, name)
		}
	}
	slices.Sort(failed)
	return passed, failed, nil
}

var notDone = regexp.MustCompile(`(?m)^UNIMPLEMENTED \((.*)\)$`)

// rest counts the tests that are not run, by the reasons in the config. The names of
// all come from a run with a shim that has nothing of what they need.
func (b *bogo) rest(ctx context.Context, r *report, config string, ran []string) error {
	nothing := filepath.Join(b.dir, "nothing")
	if err := os.WriteFile(nothing, []byte("#!/bin/sh\ncase \"$*\" in *is-handshaker-supported*) echo No; exit 0;; esac\nexit 89\n"), 0o777); err != nil {
		return err
	}
	out, err := b.start(ctx, nothing, "-allow-unimplemented")
	if err != nil {
		return err
	}
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	var c struct{ DisabledTests map[string]string }
	if err := json.Unmarshal(text, &c); err != nil {
		return err
	}
	count := map[string]int{}
	for _, name := range notDone.FindAllStringSubmatch(out, -1) {
		if !slices.Contains(ran, name[1]) {
			count[reason(c.DisabledTests, name[1])]++
		}
	}
	for _, why := range slices.SortedFunc(maps.Keys(count), func(a, b string) int { return count[b] - count[a] }) {
		r.Figure("not run: "+why, "%d", count[why]).Want(why != unexplained, "a reason")
	}
	return nil
}

const unexplained = "for no reason"

// reason is why a test is left out. That it is for DTLS or QUIC goes first.
func reason(disabled map[string]string, name string) string {
	why := unexplained
	for _, pattern := range slices.Sorted(maps.Keys(disabled)) {
		text := disabled[pattern]
		if ok, err := filepath.Match(pattern, name); err != nil || !ok {
			continue
		}
		if strings.HasPrefix(text, "DTLS") || strings.HasPrefix(text, "QUIC") {
			return text
		}
		if why == unexplained {
			why = text
		}
	}
	return why
}
