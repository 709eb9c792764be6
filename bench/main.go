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
	if args := os.Args[1:]; len(args) == workerArgs && args[0] == workerVerb {
		if err := runWorker(args, os.Stdin, os.Stdout); err != nil {
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

var kinds = []string{"handshake", "primitives", "certificates", "bulk", "memory", "captures"}

// options are the command line.
type options struct {
	kinds       []string // empty: all
	json, quick bool
	load        bool
	rounds      int // 0: as many as the size has
	only        *regexp.Regexp
	profiles    profiles
	compare     string // an earlier report
	report      string // one to show, instead of measuring
	openssl     string // a folder of openssl/newer, systemOpenSSL, or empty
}

func parseOptions(args []string, stderr io.Writer) (*options, error) {
	o, only := &options{}, ""
	set := flag.NewFlagSet("bench", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.Usage = func() {
		fmt.Fprintln(stderr, "usage: bench [handshake|primitives|certificates|bulk|memory|captures]... [flags]")
		set.PrintDefaults()
	}
	set.BoolVar(&o.json, "json", false, "print JSON")
	set.BoolVar(&o.quick, "quick", false, "fewer and shorter rounds, about a minute in all")
	set.IntVar(&o.rounds, "rounds", 0, "`N` rounds of each row count: 11 by default, 3 with --quick; of slow rows\n3 at most")
	set.BoolVar(&o.load, "load", false, "measure handshakes, bulk and primitives twice: also while busy loops keep\nevery processor at work")
	set.StringVar(&only, "only", "", "measure only the rows whose name matches `REGEXP`")
	set.StringVar(&o.profiles.cpu, "cpuprofile", "", "write CPU profiles: `FILE` x.prof becomes x.ROW.CONTENDER.prof")
	set.StringVar(&o.profiles.heap, "memprofile", "", "write heap profiles of the idle connections of memory rows: `FILE`, likewise")
	set.StringVar(&o.profiles.contention, "mutexprofile", "", "write profiles of who waited for which lock: `FILE`, likewise")
	set.StringVar(&o.compare, "compare", "", "say what has changed since the report `OLD.json` of --json, beyond the\nnoise of the rounds")
	set.StringVar(&o.report, "report", "", "measure nothing: show the report `FILE` of --json, or compare it")
	set.StringVar(&o.openssl, "openssl", "", "measure beside the OpenSSL in `FOLDER`, as bench/openssl/newer makes it;\n"+
		"without the flag that of the user's cache folder, if it is there, else the\nsystem's; \"system\": always the system's")
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
	if o.rounds < 0 {
		return nil, errors.New("--rounds is less than none")
	}
	var err error
	o.only, err = regexp.Compile(only)
	return o, err
}

func (o *options) wants(r row) bool {
	return (len(o.kinds) == 0 || slices.Contains(o.kinds, r.kind)) && o.only.MatchString(r.name)
}

// run shows what args ask for; a contender that failed is an error, after the report.
func run(args []string, stdout, stderr io.Writer) error {
	o, err := parseOptions(args, stderr)
	if err != nil {
		return err
	}
	var old *report
	if o.compare != "" { // read first: a wrong name is known before minutes have gone
		if old, err = readReport(o.compare); err != nil {
			return err
		}
	}
	rep, failures := (*report)(nil), error(nil)
	if o.report != "" {
		rep, err = readReport(o.report)
	} else {
		rep, failures, err = measure(o, stderr)
	}
	if err != nil {
		return err
	}
	if old != nil {
		rep.Since = rep.since(old, o.compare)
	}
	write := rep.writeText
	if o.json {
		write = rep.writeJSON
	}
	return errors.Join(write(stdout), failures)
}

// measure runs the rows that are wanted, and names each as it is done.
func measure(o *options, stderr io.Writer) (rep *report, failures, err error) {
	dir, err := os.MkdirTemp("", "vitrine-bench-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(dir)
	if err := writeKeys(dir); err != nil {
		return nil, nil, err
	}
	b, met, err := newBench(dir, o)
	if err != nil {
		return nil, nil, err
	}
	defer b.load.stop()
	rep = newReport(met, o)
	wanted := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return !o.wants(r) })
	if len(wanted) == 0 {
		return nil, nil, errors.New("no row matches")
	}
	b.measureAll(wanted, func(res result) {
		fmt.Fprintln(stderr, res.row.name)
		rep.add(res)
		failures = errors.Join(failures, res.failures())
	})
	return rep, failures, nil
}

// newBench prepares the contenders; the second result is the OpenSSL among them.
func newBench(dir string, o *options) (*bench, libssl, error) {
	b := &bench{dir: dir, memProfile: o.profiles.heap, size: full}
	if o.quick {
		b.size = quick
	}
	if o.rounds > 0 {
		b.size.rounds, b.size.memory = o.rounds, min(b.size.memory, o.rounds)
	}
	for _, name := range []string{vitrineName, stdName} {
		b.contenders = append(b.contenders, contender{name: name,
			command: func(r row) *exec.Cmd {
				return goWorker(name, dir, o.profiles.named(r.name, name))
			}})
	}
	root, err := opensslRoot(o.openssl)
	if err != nil {
		return nil, libssl{}, err
	}
	if o.load {
		if b.load, err = newLoad(dir); err != nil {
			return nil, libssl{}, err
		}
	}
	openssl, met := buildOpenSSL(dir, root)
	b.contenders = append(b.contenders, openssl)
	return b, met, nil
}
