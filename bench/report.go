package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/internal/primitive/cpu"
)

// The names of the contenders, in the order in which they are measured and shown.
const (
	vitrineName = "vitrine"
	stdName     = "crypto/tls"
	opensslName = "OpenSSL"
)

var contenderNames = []string{vitrineName, stdName, opensslName}

// report is the whole outcome; its JSON field names are stable.
type report struct {
	Time string `json:"time"` // when it was begun, RFC 3339
	Go   string `json:"go"`
	OS   string `json:"os"`
	Arch string `json:"arch"`
	CPUs int    `json:"cpus"`
	CPU  string `json:"cpu,omitempty"` // its model
	// Instructions are those that vitrine's primitives use: what the processor has, less what
	// VITRINE_PRIMITIVE switches off.
	Instructions []string `json:"instructions"`
	// Busy is how many programs wanted to run in the minute before, on average; 0 where the
	// system does not say.
	Busy    float64  `json:"busy"`
	OpenSSL string   `json:"openssl,omitempty"` // the version that was met at run time
	LibSSL  *libssl  `json:"libssl,omitempty"`
	Quick   bool     `json:"quick"`
	Load    bool     `json:"load"` // both states of the machine were measured
	Results []figure `json:"results"`
	Since   *changes `json:"since,omitempty"` // with --compare
}

// figure is one metric of one row.
type figure struct {
	Row    string `json:"row"`
	Kind   string `json:"kind"`
	Metric string `json:"metric"`
	Better string `json:"better"` // lower or higher
	outcome
	Loaded  *outcome          `json:"loaded,omitempty"` // while the machine was busy
	Absent  map[string]string `json:"absent"`           // why a contender has no value
	Target  *target           `json:"target,omitempty"` // of the targets the first that is missed, or else the first
	Targets []target          `json:"targets,omitempty"`
	measure metric
}

// outcome is a figure in one state of the machine.
type outcome struct {
	Values map[string]summary `json:"values"` // by contender
	Ratios map[string]float64 `json:"ratios"` // vitrine divided by the other, the median over the rounds
}

type target struct {
	Limit float64 `json:"limit"`
	Of    string  `json:"of"`    // what is bounded: value, or the ratio to a contender
	State state   `json:"state"` // of the machine: idle or loaded
	Met   bool    `json:"met"`
}

func newReport(met libssl, o *options) *report {
	r := &report{Time: time.Now().Format(time.RFC3339), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		CPUs: runtime.NumCPU(), CPU: cpuModel(), Instructions: instructions(), Busy: loadAverage(), OpenSSL: met.Version, Quick: o.quick, Load: o.load}
	if met.Version != "" {
		r.LibSSL = &met
	}
	return r
}

func (r *report) add(res result) {
	for _, m := range res.row.metrics {
		r.Results = append(r.Results, newFigure(res, m))
	}
}

func newFigure(res result, m metric) figure {
	f := figure{Row: res.row.name, Kind: res.row.kind, Metric: m.name, Better: "lower", measure: m, Absent: map[string]string{}}
	if m.higher {
		f.Better = "higher"
	}
	f.outcome = newOutcome(m, res.samples[idle])
	if len(res.samples[loaded]) > 0 {
		busy := newOutcome(m, res.samples[loaded])
		f.Loaded = &busy
	}
	for _, name := range contenderNames {
		if err := res.errs[name]; err != nil {
			f.Absent[name] = err.Error()
			f.drop(name)
		} else if f.Values[name].Rounds == 0 {
			f.Absent[name] = "not measured"
		}
	}
	for _, g := range m.goals {
		f.judge(g)
	}
	if missed := slices.IndexFunc(f.Targets, func(t target) bool { return !t.Met }); len(f.Targets) > 0 {
		f.Target = &f.Targets[max(0, missed)]
	}
	return f
}

func newOutcome(m metric, samples map[string][]figures) outcome {
	o, values := outcome{map[string]summary{}, map[string]float64{}}, map[string][]float64{}
	for name, figures := range samples {
		if values[name] = m.values(figures); len(values[name]) > 0 {
			o.Values[name] = summarise(values[name])
		}
	}
	for name := range values {
		if x := ratio(values[vitrineName], values[name]); x > 0 && name != vitrineName {
			o.Ratios[name] = x
		}
	}
	return o
}

// drop forgets what a contender gave before it failed.
func (f *figure) drop(name string) {
	for _, o := range []*outcome{&f.outcome, f.Loaded} {
		if o != nil {
			delete(o.Values, name)
			delete(o.Ratios, name)
		}
	}
}

// in is the outcome in a state of the machine, or nil.
func (f *figure) in(s state) *outcome {
	if s == loaded {
		return f.Loaded
	}
	return &f.outcome
}

// judge adds the verdict on a goal, where there is a value to judge.
func (f *figure) judge(g goal) {
	o := f.in(g.state)
	if o == nil {
		return
	}
	value, of := o.Values[vitrineName].Median, "value"
	if g.of != "" {
		value, of = o.Ratios[g.of], g.of
	}
	if value > 0 {
		f.Targets = append(f.Targets, target{g.limit, of, g.state, g.met(value, f.measure.higher)})
	}
}

func instructions() []string {
	list := []string{}
	for _, i := range []struct {
		name string
		used bool
	}{{"VAES at 512 bits", cpu.VAES512}, {"VAES at 256 bits", cpu.VAES256 && !cpu.VAES512}, {"IFMA", cpu.IFMA}, {"ADX", cpu.ADX}} {
		if i.used {
			list = append(list, i.name)
		}
	}
	return list
}

// wasBusy says that the machine had other things to do when the run began.
func (r *report) wasBusy() bool { return r.Busy > float64(r.CPUs)/4 }

func loadAverage() (busy float64) {
	text, _ := os.ReadFile("/proc/loadavg")
	fmt.Sscan(string(text), &busy)
	return busy
}

// cpuModel is what Linux calls the processor; empty elsewhere.
func cpuModel() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// readReport reads what writeJSON has written. The metrics are those of today's rows; of
// a row that is no more only the name is known.
func readReport(file string) (*report, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r := &report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s is no report of bench --json: %w", file, err)
	}
	if len(r.Results) == 0 {
		return nil, fmt.Errorf("%s holds no results of bench --json", file)
	}
	for i := range r.Results {
		f := &r.Results[i]
		f.measure = metric{name: f.Metric, title: f.Metric, higher: f.Better == "higher", digits: 1}
		for _, row := range rows {
			for _, m := range row.metrics {
				if row.name == f.Row && m.name == f.Metric {
					f.measure = m
				}
			}
		}
	}
	return r, nil
}
