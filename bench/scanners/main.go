//go:build linux

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/vitrine-tls/vitrine/bench/contest"
)

func main() {
	only := flag.String("only", "", "measure the rows whose name matches `REGEXP`")
	names := flag.String("programs", "", "measure these `programs`, divided by commas")
	rounds := flag.Int("rounds", 5, "`N` rounds, of which the median counts; rows that take long have fewer")
	targets := flag.Int("targets", 1000, "`N` hosts in the rows of many")
	inJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil || flag.NArg() > 0 || *targets < 1 || *targets > 100_000 || *rounds < 1 {
		fmt.Fprintln(os.Stderr, "scanners:", cmp.Or(err, errors.New("a flag is not possible")), flag.Args())
		os.Exit(2)
	}
	if os.Getenv(inside) == "" {
		os.Exit(again())
	}
	m := &measurement{only: pattern, names: *names, rounds: *rounds, targets: *targets, log: os.Stderr}
	results, err := m.all()
	if err == nil && *inJSON {
		err = json.NewEncoder(os.Stdout).Encode(results)
	} else if err == nil {
		write(os.Stdout, results)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "scanners:", err)
		os.Exit(1)
	}
}

// inside is set for the process that has a network of its own.
const inside = "VITRINE_SCANNERS_INSIDE"

// again starts this program anew in a network of its own, and returns how it ended.
func again() int {
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, "scanners:", err)
		return 1
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if id := os.Getuid(); id != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: id, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	err = cmd.Run()
	if ended := (*exec.ExitError)(nil); errors.As(err, &ended) {
		return max(1, ended.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "scanners: no network of its own:", err)
		return 1
	}
	return 0
}

// A result is the medians of one row and program, or why there are none.
type result struct {
	Row, Program string
	Rounds       int
	// Clock and Processor are in seconds.
	Clock, Processor float64
	Missing          string `json:",omitempty"`
}

type measurement struct {
	only            *regexp.Regexp
	names           string
	rounds, targets int
	log             io.Writer

	dir  string
	site *site
}

// all measures every row that is wanted.
func (m *measurement) all() (list []result, err error) {
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"route", "add", "local", "198.18.0.0/15", "dev", "lo"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ip %s: %w %s", strings.Join(args, " "), err, out)
		}
	}
	if m.dir, err = os.MkdirTemp("", "scanners-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(m.dir)
	if err := os.Chmod(m.dir, 0o755); err != nil { // nginx's workers read as another user
		return nil, err
	}
	if m.site, err = openSite(m.dir); err != nil {
		return nil, err
	}
	defer m.site.close()
	if err := m.hosts(); err != nil {
		return nil, err
	}
	for _, r := range rows {
		if m.only.MatchString(r.name) {
			list = append(list, m.row(r)...)
		}
	}
	return list, nil
}

// hosts writes the file of targets for the rows of many.
func (m *measurement) hosts() error {
	var b strings.Builder
	for i := range m.targets {
		fmt.Fprintf(&b, "198.18.%d.%d:%d\n", i/250, 1+i%250, m.site.cheap)
	}
	return os.WriteFile(filepath.Join(m.dir, "hosts"), []byte(b.String()), 0o644)
}

// row has the programs of a row run in turns.
func (m *measurement) row(r row) (list []result) {
	turns := contest.Turns[took]{Row: r.name, Rounds: min(m.rounds, r.most), Only: m.names, Log: m.log}
	for _, p := range r.programs {
		turns.Programs = append(turns.Programs, p.name)
	}
	for _, o := range turns.Take(func(i int) (took, error) { return m.run(r.programs[i], r) }) {
		if o.Missing != "" {
			list = append(list, result{Row: r.name, Program: o.Program, Missing: o.Missing})
			continue
		}
		list = append(list, result{r.name, o.Program, len(o.All), contest.Median(o.All, took.byClock), contest.Median(o.All, took.byProcessor), ""})
	}
	return list
}

// took is what one run of a program took.
type took struct{ clock, processor time.Duration }

func (t took) byClock() float64     { return t.clock.Seconds() }
func (t took) byProcessor() float64 { return t.processor.Seconds() }

func (t took) String() string {
	return fmt.Sprintf("%.2f s, %.2f s of a processor", t.byClock(), t.byProcessor())
}

// write prints a table in Markdown.
func write(w io.Writer, list []result) {
	fmt.Fprint(w, "| row | program | by the clock | processor time | rounds |\n|---|---|---|---|---|\n")
	for _, r := range list {
		if r.Missing != "" {
			fmt.Fprintf(w, "| %s | %s | not measured: %s | | |\n", r.Row, r.Program, strings.Join(strings.Fields(r.Missing), " "))
			continue
		}
		fmt.Fprintf(w, "| %s | %s | %.2f s | %.2f s | %d |\n", r.Row, r.Program, r.Clock, r.Processor, r.Rounds)
	}
}
