package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
)

// TestMain lets the test binary be the worker that the rows start.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == workerVerb {
		main()
		return
	}
	leak.Main(m)
}

// Every row runs with every contender that is there, and gives every metric.
func TestEveryRow(t *testing.T) {
	dir := t.TempDir()
	if err := writeKeys(dir); err != nil {
		t.Fatal(err)
	}
	b, _, err := newBench(dir, &options{})
	if err != nil {
		t.Fatal(err)
	}
	b.size = size{rounds: 1, memory: 1, ms: 1, total: 1 << 20, conns: 3, settle: 1, listed: 20_000}
	measured := rows
	if programs.Brief() { // a sample: CI measures each
		measured = nil
		for i := 0; i < len(rows); i += 5 {
			measured = append(measured, rows[i])
		}
	}
	b.measureAll(measured, func(res result) {
		if err := res.failures(); err != nil {
			t.Error(err)
		}
		for _, m := range res.row.metrics {
			f := newFigure(res, m)
			for name := range goStacks {
				var cannot unsupported
				if f.Values[name].Median <= 0 && (name == vitrineName || !errors.As(res.errs[name], &cannot)) {
					t.Errorf("%s: no %s for %s: %v", res.row.name, m.name, name, f.Absent[name])
				}
			}
		}
	})
}

func TestStatistics(t *testing.T) {
	if got := median([]float64{9, 1, 5}); got != 5 {
		t.Errorf("median of three: %v", got)
	}
	if got := median([]float64{4, 1, 2, 9}); got != 3 {
		t.Errorf("median of four: %v", got)
	}
	// The second round was twice as slow for both; the ratio is still a half.
	if got := ratio([]float64{1, 2, 1}, []float64{2, 4, 2}); got != 0.5 {
		t.Errorf("ratio: %v", got)
	}
	if got := ratio(nil, []float64{2}); got != 0 {
		t.Errorf("ratio of nothing: %v", got)
	}
	m := metric{num: "cpu_ns", den: "n", scale: 1e-3}
	if got := m.values([]figures{{"cpu_ns": 8000, "n": 4}}); len(got) != 1 || got[0] != 2 {
		t.Errorf("values: %v", got)
	}
	if got := m.values([]figures{{"n": 4}}); got != nil {
		t.Errorf("values without a count: %v", got)
	}
}

func TestGoals(t *testing.T) {
	for _, c := range []struct {
		goal   goal
		value  float64
		higher bool
		met    bool
	}{
		{goal{limit: 1, of: stdName}, 1.004, false, true}, // prints as 1.00
		{goal{limit: 1, of: stdName}, 1.006, false, false},
		{goal{limit: 1.7, of: stdName}, 1.69, true, false},
		{goal{limit: 1.7, of: stdName}, 1.7, true, true},
		{goal{limit: 2500}, 2500, false, true},
		{goal{limit: 2500}, 2500.4, false, false},
	} {
		if got := c.goal.met(c.value, c.higher); got != c.met {
			t.Errorf("%+v with %v: %v", c.goal, c.value, got)
		}
	}
}

func sampleReport(load bool) *report {
	r := row{name: "loopback-recv-cpu-tls1.2-aes128gcm-256k", kind: "bulk", metrics: []metric{
		cpuPerMB.asksBoth(0.5, 0.7, opensslName).asksBoth(1, 1, stdName), speed.asks(1.7, stdName)}}
	rep := newReport(libssl{Version: "OpenSSL 3.5.9", Headers: "OpenSSL 3.5.9", File: "/opt/libssl.so.3", Chosen: true}, &options{load: load})
	res := newResult(r)
	res.samples[idle] = map[string][]figures{
		vitrineName: {{"cpu_ns": 2e6, "wall_ns": 1e6, "bytes": 1e6}},
		stdName:     {{"cpu_ns": 4e6, "wall_ns": 1e6, "bytes": 1e6}},
	}
	res.errs[opensslName] = unsupported("not present: no compiler")
	if load {
		res.samples[loaded] = map[string][]figures{
			vitrineName: {{"cpu_ns": 3e6, "wall_ns": 2e6, "bytes": 1e6}},
			stdName:     {{"cpu_ns": 2e6, "wall_ns": 2e6, "bytes": 1e6}},
		}
	}
	rep.add(res)
	rep.Busy = 0
	return rep
}

// A report of a machine that was busy says so.
func TestBusyMachine(t *testing.T) {
	const warning = "The machine had other things to do (a load of 3.0)"
	for busy, want := range map[float64]bool{0: false, 0.2: false, 3: true} {
		rep := sampleReport(true)
		rep.CPUs, rep.Busy = 2, busy
		var out strings.Builder
		if err := rep.writeText(&out); err != nil || strings.Contains(out.String(), warning) != want {
			t.Errorf("a load of %v: %v, %s", busy, err, out.String())
		}
	}
}

// A figure of one state of the machine, and of both. What misses its target has a mark.
func TestTable(t *testing.T) {
	for load, lines := range map[bool][]string{
		false: {
			"                                        vitrine crypto/tls OpenSSL ÷ c/tls  ÷ OSSL  target\n",
			"loopback-recv-cpu-tls1.2-aes128gcm-256k  2000.0     4000.0       -   0.50       -  c/tls≤1.00 met\n",
			"loopback-recv-cpu-tls1.2-aes128gcm-256k    1000       1000       -   1.00!      -  c/tls≥1.70 missed\n",
			"- (2 figures) OpenSSL: not present: no compiler\n",
		},
		true: {
			"                                               vitrine       ÷ c/tls        ÷ OSSL\n",
			"                                           idle loaded   idle loaded   idle loaded  target\n",
			"loopback-recv-cpu-tls1.2-aes128gcm-256k 2000.0 3000.0   0.50   1.50!     -      -  c/tls≤1.00 missed\n",
			"loopback-recv-cpu-tls1.2-aes128gcm-256k   1000    500   1.00!  1.00      -      -  c/tls≥1.70 missed\n",
		},
	} {
		var out bytes.Buffer
		if err := sampleReport(load).writeText(&out); err != nil {
			t.Fatal(err)
		}
		for _, want := range lines {
			if !strings.Contains(out.String(), want) {
				t.Errorf("missing line %q in\n%s", want, out.String())
			}
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
				t.Errorf("%d columns: %s", n, line)
			}
		}
	}
}

func TestJSON(t *testing.T) {
	var out bytes.Buffer
	if err := sampleReport(true).writeJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Results []struct {
			Row, Kind, Metric, Better string
			Values                    map[string]struct{ Median, Min, Max float64 }
			Ratios                    map[string]float64
			Loaded                    *struct{ Ratios map[string]float64 }
			Absent                    map[string]string
			Target                    *struct {
				Limit     float64
				Of, State string
				Met       bool
			}
			Targets []struct{ State string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	f := got.Results[0]
	if f.Metric != "cpu_us_per_mb" || f.Better != "lower" || f.Values[vitrineName].Median != 2000 ||
		f.Ratios[stdName] != 0.5 || f.Absent[opensslName] == "" || f.Loaded.Ratios[stdName] != 1.5 ||
		f.Target == nil || f.Target.Met || f.Target.Of != stdName || f.Target.State != "loaded" || f.Target.Limit != 1 || len(f.Targets) != 2 {
		t.Errorf("first figure: %+v", f)
	}
}

// Row names are what people and scripts refer to: unique, and as wide as their column.
func TestRowNames(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.name] || len(r.name) > 39 {
			t.Errorf("row name %q is taken or too long", r.name)
		}
		seen[r.name] = true
	}
}

func TestOptions(t *testing.T) {
	o, err := parseOptions([]string{"bulk", "--json", "memory", "--only", "idle|send", "--quick"}, os.Stderr)
	if err != nil || !o.json || !o.quick || len(o.kinds) != 2 {
		t.Fatalf("options: %+v, %v", o, err)
	}
	if b, _, err := newBench(t.TempDir(), &options{rounds: 2}); err != nil || b.rounds(rows[0]) != 3 || b.rounds(row{kind: "memory"}) != 2 {
		t.Errorf("--rounds 2: %d and %d rounds, the first of which warms up", b.rounds(rows[0]), b.rounds(row{kind: "memory"}))
	}
	for name, want := range map[string]bool{"idle-fresh-server": true, "loopback-send-aes128gcm-64": true,
		"loopback-pingpong-aes128gcm-100": false, "tls1.3-psk-resume": false} {
		for _, r := range rows {
			if r.name == name && o.wants(r) != want {
				t.Errorf("wants %s: %v", name, !want)
			}
		}
	}
	for _, args := range [][]string{{"speed"}, {"--only", "("}, {"--rounds", "-1"}} {
		if _, err := parseOptions(args, os.Stderr); err == nil {
			t.Errorf("options %q were taken", args)
		}
	}
}

// A stack that does not do what the row asks fails; it is not measured.
func TestDisagreement(t *testing.T) {
	dir := t.TempDir()
	if err := writeKeys(dir); err != nil {
		t.Fatal(err)
	}
	k, err := readKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	wrongSuite := func(p params) (ends, error) { p.suite = suites["1.3 chacha20"]; return standard(p) }
	j := parseJob("handshake tickets=none ms=1" + ecdsa13)
	if _, err := (&worker{stack: wrongSuite, keys: k}).work(j); err == nil || !strings.Contains(err.Error(), "the row wants TLS_AES_128_GCM") {
		t.Errorf("wrong suite: %v", err)
	}
	noTickets := func(p params) (ends, error) { p.tickets = "none"; return standard(p) }
	j = parseJob("handshake tickets=use ms=1" + ecdsa13)
	if _, err := (&worker{stack: noTickets, keys: k}).work(j); err == nil || !strings.Contains(err.Error(), "resumed is false") {
		t.Errorf("no resumption: %v", err)
	}
}

// A contender whose process ends early is reported, and quickly.
func TestDeadContender(t *testing.T) {
	b := &bench{dir: t.TempDir(), size: quick, contenders: []contender{{
		name:    stdName,
		command: func(row) *exec.Cmd { return goWorker(stdName, "/no such folder", profiles{}) },
	}}}
	begin := time.Now()
	res := b.measure(rows[0])
	if err := res.failures(); err == nil || !strings.Contains(err.Error(), "no such folder") {
		t.Errorf("failures: %v", err)
	}
	if time.Since(begin) > 10*time.Second {
		t.Error("took too long")
	}
	res.errs = map[string]error{stdName: unsupported("x")}
	if err := res.failures(); err != nil {
		t.Errorf("a missing ability is a failure: %v", errors.Unwrap(err))
	}
}

// An end of serve and drive that fails ends both, with a reason, and neither
// waits for the other.
func TestServeFails(t *testing.T) {
	dir := t.TempDir()
	if err := writeKeys(dir); err != nil {
		t.Fatal(err)
	}
	k, err := readKeys(dir)
	if err != nil {
		t.Fatal(err)
	}
	const settings = " batch=2 ms=1 tickets=none version=1.2 group=X25519 suite=aes128gcm cert="
	for reason, drive := range map[string]string{
		"no cipher suite in common":                 settings + "rsa2048",
		"2 connections on one side, 3 on the other": strings.Replace(settings, "batch=2", "batch=3", 1) + "ecdsa",
		"no version in common":                      strings.Replace(settings, "version=1.2", "version=1.3", 1) + "ecdsa",
	} {
		ports, failed := make(chan string, 1), make(chan error, 1)
		go func() {
			w := &worker{stack: vitrine, keys: k, announce: func(line string) { ports <- strings.TrimPrefix(line, "port ") }}
			_, err := w.work(parseJob("serve role=server" + settings + "ecdsa"))
			failed <- err
		}()
		if _, err := (&worker{stack: vitrine, keys: k}).work(parseJob("drive role=client port=" + <-ports + drive)); err == nil {
			t.Errorf("%s: the client did not fail", reason)
		}
		select {
		case err := <-failed:
			if err == nil || !strings.Contains(err.Error(), reason) {
				t.Errorf("server: %v, want %q", err, reason)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: the server waits", reason)
		}
	}
}

// A worker that is asked for profiles has written them when it ends.
func TestProfiles(t *testing.T) {
	dir := t.TempDir()
	if err := writeKeys(dir); err != nil {
		t.Fatal(err)
	}
	all := profiles{cpu: filepath.Join(dir, "cpu.prof"), contention: filepath.Join(dir, "contention.prof")}.named("row", "crypto/tls")
	p, err := start(goWorker(stdName, dir, all))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.ask("handshake ms=1 lanes=all tickets=none" + ecdsa13); err != nil {
		t.Fatal(err)
	}
	if _, err := p.answer(); err != nil {
		t.Error(err)
	}
	p.stop()
	for _, name := range []string{"cpu.row.crypto-tls.prof", "contention.row.crypto-tls.prof"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
}
