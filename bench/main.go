package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
)

func main() {
	if len(os.Args) == 5 && os.Args[1] == workerVerb {
		if err := runWorker(os.Args[2], os.Args[3], os.Args[4], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
		os.Exit(1)
	}
}

var kinds = []string{"handshake", "bulk", "memory"}

// options are the command line.
type options struct {
	kinds       []string // empty: all
	json, quick bool
	only        *regexp.Regexp
	profile     string
}

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o, only := &options{}, ""
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprintln(stderr, "usage: bench [handshake|bulk|memory]... [flags]")
		set.PrintDefaults()
	}
	set.BoolVar(&o.json, "json", false, "print JSON")
	set.BoolVar(&o.quick, "quick", false, "fewer and shorter rounds, under 30 s in all")
	set.StringVar(&only, "only", "", "measure only the rows whose name matches `REGEXP`")
	set.StringVar(&o.profile, "cpuprofile", "", "write CPU profiles: `FILE` x.prof becomes x.ROW.CONTENDER.prof")
	for {
		if err := set.Parse(args); err != nil {
			return nil, err
		}
		if set.NArg() == 0 {
			break
		}
		if !slices.Contains(kinds, set.Arg(0)) {
			return nil, fmt.Errorf("unknown kind %q, not one of %v", set.Arg(0), kinds)
		}
		o.kinds, args = append(o.kinds, set.Arg(0)), set.Args()[1:]
	}
	var err error
	o.only, err = regexp.Compile(only)
	return o, err
}

func (o *options) wants(r row) bool {
	return (len(o.kinds) == 0 || slices.Contains(o.kinds, r.kind)) && o.only.MatchString(r.name)
}

// run measures what args ask for and prints the report; a contender that
// failed is an error, after the report.
func run(args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "vitrine-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := writeKeys(dir); err != nil {
		return err
	}
	b, version := newBench(dir, o)
	rep := newReport(version, o.quick)
	var failures error
	for _, r := range rows {
		if !o.wants(r) {
			continue
		}
		fmt.Fprintln(stderr, r.name)
		res := b.measure(r)
		rep.add(res)
		failures = errors.Join(failures, res.failures())
	}
	if len(rep.Results) == 0 {
		return errors.New("no row matches")
	}
	write := rep.writeText
	if o.json {
		write = rep.writeJSON
	}
	return errors.Join(write(stdout), failures)
}

// newBench prepares the contenders; the second result is OpenSSL's version.
func newBench(dir string, o *options) (*bench, string) {
	b := &bench{dir: dir, profile: o.profile, size: full}
	if o.quick {
		b.size = quick
	}
	for _, name := range []string{vitrineName, stdName} {
		if goStacks[name] == nil {
			continue
		}
		b.contenders = append(b.contenders, contender{name: name,
			command: func() *exec.Cmd { return goWorker(name, dir, "") }})
	}
	openssl, version := buildOpenSSL(dir)
	b.contenders = append(b.contenders, openssl)
	return b, version
}
