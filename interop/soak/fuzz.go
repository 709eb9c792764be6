package main

import (
	"context"
	"flag"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"time"
)

var fuzztime = flag.Duration("fuzztime", time.Minute, "how long the section fuzz runs each target")

// executions is how often the go command says that a target has run.
var executions = regexp.MustCompile(`execs: (\d+)`)

// ownDeadline is all that the go command says where it takes the end of the
// time that it was given for a failure (go.dev/issue/75804).
var ownDeadline = regexp.MustCompile(`--- FAIL: \w+ \(.*\)\n    context deadline exceeded\nFAIL\n`)

// runFuzz runs every fuzz target there is, one after another, each on all
// cores.
func runFuzz(ctx context.Context, r *report) error {
	all, err := targets(ctx, "^Fuzz")
	if err != nil {
		return err
	}
	r.Figure("targets", "%d", len(all)).Want(len(all) >= 25, "at least 25")
	total, failed := 0, 0
	for _, t := range all {
		n, err := fuzz(ctx, t)
		if total += n; err != nil {
			failed++
			r.Logf("%s %s: %v", path.Base(t.pkg), t.name, err)
			continue
		}
		r.Logf("%s %s: %d executions", path.Base(t.pkg), t.name, n)
	}
	r.Figure(fmt.Sprint("executions, in ", *fuzztime, " for each"), "%.1f million", float64(total)/1e6)
	r.Figure("targets that fail", "%d", failed).Want(failed == 0, "none")
	return nil
}

// fuzz runs a target and returns how often it was executed.
func fuzz(ctx context.Context, t target) (int, error) {
	out, err := goTool(ctx, "test", "-run", "^$", "-fuzz", "^"+t.name+"$", "-fuzztime", fuzztime.String(), "-fuzzminimizetime", "10x", t.pkg)
	if err != nil && ownDeadline.MatchString(out) {
		err = nil
	}
	n := 0
	for _, m := range executions.FindAllStringSubmatch(out, -1) {
		n, _ = strconv.Atoi(m[1])
	}
	if err == nil && n == 0 {
		err = fmt.Errorf("%s was not executed:\n%s", t.name, out)
	}
	return n, err
}
