package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	if len(os.Args) > 1 && children[os.Args[1]] != nil {
		if err := children[os.Args[1]](os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "soak", os.Args[1]+":", err)
			os.Exit(1)
		}
		return
	}
	list := flag.Bool("list", false, "list the sections and stop")
	only := flag.String("only", "", "run these `sections`, divided by commas")
	flag.Parse()
	chosen, err := choose(*only)
	if err == nil && flag.NArg() > 0 {
		err = fmt.Errorf("%q is no flag", flag.Arg(0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	}
	if *list {
		for _, s := range chosen {
			fmt.Printf("%-12s %s\n", s.name, s.what)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ok := runAll(ctx, chosen, os.Stdout)
	stop()
	if !ok {
		os.Exit(1)
	}
}

// choose finds the sections that are named, divided by commas; all if none is.
func choose(names string) ([]section, error) {
	if names == "" {
		return sections, nil
	}
	var chosen []section
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(sections, func(s section) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no section %q; -list lists them", name)
		}
		chosen = append(chosen, sections[i])
	}
	return chosen, nil
}

// runAll runs each section, whether or not one before it failed, then writes
// the table. It reports whether none failed.
func runAll(ctx context.Context, chosen []section, w io.Writer) bool {
	var figures []*figure
	var failed []string
	for _, s := range chosen {
		r := &report{section: s.name, log: w, began: time.Now()}
		r.Logf("%s", s.what)
		err := r.err(s.run(ctx, r))
		if err == nil {
			err = ctx.Err()
		}
		figures = append(figures, r.figures...)
		if err != nil {
			failed = append(failed, s.name)
			r.Logf("FAILED: %v", err)
			continue
		}
		r.Logf("passed")
	}
	fmt.Fprintln(w)
	writeTable(w, figures)
	if len(failed) > 0 {
		fmt.Fprintf(w, "\nfailed: %s\n", strings.Join(failed, ", "))
	}
	return len(failed) == 0
}
