package main

import (
	"encoding/json"
	"io"
	"runtime"
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
	Go      string   `json:"go"`
	OS      string   `json:"os"`
	Arch    string   `json:"arch"`
	CPUs    int      `json:"cpus"`
	OpenSSL string   `json:"openssl,omitempty"` // the version that was met at run time
	LibSSL  *libssl  `json:"libssl,omitempty"`
	Quick   bool     `json:"quick"`
	Results []figure `json:"results"`
}

// figure is one metric of one row.
type figure struct {
	Row     string             `json:"row"`
	Kind    string             `json:"kind"`
	Metric  string             `json:"metric"`
	Better  string             `json:"better"` // lower or higher
	Values  map[string]summary `json:"values"` // by contender
	Ratios  map[string]float64 `json:"ratios"` // vitrine divided by the other, the median over the rounds
	Absent  map[string]string  `json:"absent"` // why a contender has no value
	Target  *target            `json:"target,omitempty"`
	measure metric
}

type target struct {
	Limit float64 `json:"limit"`
	Of    string  `json:"of"` // what is bounded: value, or the ratio to a contender
	Met   bool    `json:"met"`
}

func newReport(met libssl, quick bool) *report {
	r := &report{Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		CPUs: runtime.NumCPU(), OpenSSL: met.Version, Quick: quick}
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
	f := figure{Row: res.row.name, Kind: res.row.kind, Metric: m.name, Better: "lower", measure: m,
		Values: map[string]summary{}, Ratios: map[string]float64{}, Absent: map[string]string{}}
	if m.higher {
		f.Better = "higher"
	}
	values := map[string][]float64{}
	for _, name := range contenderNames {
		if err := res.errs[name]; err != nil {
			f.Absent[name] = err.Error()
		} else if values[name] = m.values(res.samples[name]); len(values[name]) == 0 {
			f.Absent[name] = "not measured"
		} else {
			f.Values[name] = summarise(values[name])
		}
	}
	for _, name := range contenderNames {
		if x := ratio(values[vitrineName], values[name]); x > 0 && name != vitrineName {
			f.Ratios[name] = x
		}
	}
	value, of := f.Values[vitrineName].Median, "value"
	if m.goal.of != "" {
		value, of = f.Ratios[m.goal.of], m.goal.of
	}
	if m.goal.limit > 0 && value > 0 {
		f.Target = &target{m.goal.limit, of, m.goal.met(value, m.higher)}
	}
	return f
}

func (r *report) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
