package main

import (
	"context"
	"errors"
	"strings"
	"testing"
)

func TestEachSectionHasANameAndSaysWhatItDoes(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range sections {
		if s.name == "" || s.what == "" || s.run == nil || seen[s.name] {
			t.Errorf("%q: no name, no words, nothing to run, or there twice", s.name)
		}
		seen[s.name] = true
	}
}

func TestWhatFailsASection(t *testing.T) {
	for name, test := range map[string]struct {
		run  func(context.Context, *report) error
		ok   bool
		says string
	}{
		"nothing":      {func(_ context.Context, r *report) error { r.Figure("n", "%d", 3).Want(true, "3"); return nil }, true, "| s | n | 3 | 3 |"},
		"an error":     {func(context.Context, *report) error { return errors.New("it broke") }, false, "FAILED: it broke"},
		"a figure":     {func(_ context.Context, r *report) error { r.Figure("n", "%d", 3).Want(false, "4"); return nil }, false, "| s | n | **3** | 4 |"},
		"a wide cell":  {func(_ context.Context, r *report) error { r.Figure("a|b", "x"); return nil }, true, `| s | a\|b | x |  |`},
		"its own name": {func(context.Context, *report) error { return errors.New("x") }, false, "failed: s\n"},
	} {
		var out strings.Builder
		if ok := runAll(t.Context(), []section{{"s", "words", test.run}}, &out); ok != test.ok || !strings.Contains(out.String(), test.says) {
			t.Errorf("%s: %v, and it says\n%s", name, ok, &out)
		}
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if runAll(stopped, []section{{"s", "words", func(context.Context, *report) error { return nil }}}, new(strings.Builder)) {
		t.Error("what was interrupted has passed")
	}
}

func TestChoose(t *testing.T) {
	if all, err := choose(""); err != nil || len(all) != len(sections) {
		t.Error(all, err)
	}
	if _, err := choose("nothing-like-it"); err == nil {
		t.Error("a section that does not exist was found")
	}
}

func TestScannedServersAreFigures(t *testing.T) {
	const line = "    scan_harmless_test.go:99: figure: nginx: intermediate: 6 scans, 500 connections\n"
	for n, ok := range map[int]bool{0: false, 2: false, 3: true} {
		r := &report{section: "scan", log: new(strings.Builder)}
		r.servers(strings.Repeat(line, n))
		if len(r.figures) != n+1 || (r.err(nil) == nil) != ok {
			t.Errorf("%d servers: %v, %v", n, r.figures, r.err(nil))
		}
		if n > 0 && (r.figures[0].name != "nginx: intermediate" || r.figures[0].value != "6 scans, 500 connections") {
			t.Errorf("%+v", r.figures[0])
		}
	}
}
