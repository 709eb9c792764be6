//go:build linux

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/bench/contest"
	"github.com/vitrine-tls/vitrine/internal/devca"
	"github.com/vitrine-tls/vitrine/tls"
)

func main() {
	only := flag.String("only", "", "measure the rows whose name matches `REGEXP`")
	names := flag.String("programs", "", "measure these `programs`, divided by commas")
	rounds := flag.Int("rounds", 5, "`N` rounds, of which the median counts")
	quick := flag.Bool("quick", false, "one round, of a second")
	inJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	pattern, err := regexp.Compile(*only)
	if err != nil || flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "terminators:", err, flag.Args())
		os.Exit(2)
	}
	m := &measurement{only: pattern, names: *names, rounds: *rounds, span: 3 * time.Second, log: os.Stderr}
	if *quick {
		m.rounds, m.span = 1, time.Second
	}
	results, err := m.all()
	if err == nil && *inJSON {
		err = json.NewEncoder(os.Stdout).Encode(results)
	} else if err == nil {
		write(os.Stdout, results)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "terminators:", err)
		os.Exit(1)
	}
}

// A result is the medians of one row and program, or why there are none.
type result struct {
	Row, Program string
	Figures      figures `json:",omitempty"`
	Missing      string  `json:",omitempty"`
}

type measurement struct {
	only   *regexp.Regexp
	names  string
	rounds int
	span   time.Duration
	log    io.Writer

	dir     string
	service int
	client  *tls.Config
}

// all measures every row that is wanted.
func (m *measurement) all() (list []result, err error) {
	if m.dir, err = os.MkdirTemp("", "terminators-"); err != nil {
		return nil, err
	}
	defer os.RemoveAll(m.dir)
	if err := os.Chmod(m.dir, 0o755); err != nil { // some programs read as another user
		return nil, err
	}
	if err := m.certificates(); err != nil {
		return nil, err
	}
	service, port, err := startService()
	if err != nil {
		return nil, err
	}
	defer service.Close()
	m.service = port
	for _, r := range rows {
		if m.only.MatchString(r.name) {
			list = append(list, m.row(r)...)
		}
	}
	return list, nil
}

// certificates writes one file for each kind of key, and makes the clients' configuration.
func (m *measurement) certificates() error {
	ca, err := devca.New()
	if err != nil {
		return err
	}
	for name, kind := range map[string]devca.KeyType{"ecdsa": devca.ECDSA, "rsa": devca.RSA} {
		if err := contest.Certify(filepath.Join(m.dir, name+".pem"), ca, kind); err != nil {
			return err
		}
	}
	m.client = &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", CurvePreferences: []tls.CurveID{tls.X25519}, MinVersion: tls.VersionTLS13}
	return nil
}

// row has the programs run in turns.
func (m *measurement) row(r row) (list []result) {
	turns := contest.Turns[figures]{Row: r.name, Rounds: m.rounds, Only: m.names, Log: m.log}
	for _, p := range programs {
		turns.Programs = append(turns.Programs, p.name)
	}
	for _, o := range turns.Take(func(i int) (figures, error) { return m.round(r, programs[i]) }) {
		if o.Missing != "" {
			list = append(list, result{Row: r.name, Program: o.Program, Missing: o.Missing})
			continue
		}
		list = append(list, result{Row: r.name, Program: o.Program, Figures: medians(o.All)})
	}
	return list
}

func (m *measurement) round(r row, p program) (figures, error) {
	at, err := p.start(m.dir, filepath.Join(m.dir, r.key+".pem"), m.service)
	if err != nil {
		return nil, err
	}
	defer at.stop()
	f, err := r.run(&trial{at, m.client, m.dir, m.span})
	if err != nil {
		return nil, fmt.Errorf("%w %s", err, strings.TrimSpace(at.said.String()))
	}
	return f, nil
}

func medians(list []figures) figures {
	middle := make(figures)
	for name := range list[0] {
		middle[name] = contest.Median(list, func(f figures) float64 { return f[name] })
	}
	return middle
}

// write prints a table in Markdown for each row.
func write(w io.Writer, list []result) {
	last := ""
	for _, r := range list {
		names := slices.Sorted(maps.Keys(r.Figures))
		if r.Row != last {
			last = r.Row
			fmt.Fprintf(w, "\n%s\n\n", r.Row)
		}
		if r.Missing != "" {
			fmt.Fprintf(w, "- %s: not measured: %s\n", r.Program, r.Missing)
			continue
		}
		var cells []string
		for _, name := range names {
			cells = append(cells, fmt.Sprintf("%.1f %s", r.Figures[name], name))
		}
		fmt.Fprintf(w, "- %s: %s\n", r.Program, strings.Join(cells, " · "))
	}
}
