package page

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/fix"
)

// severities are those of findings, worst first.
var severities = []scan.Severity{scan.Critical, scan.High, scan.Medium, scan.Low, scan.Info}

// functions are what the templates call.
var functions = template.FuncMap{
	"join": func(list []string) string { return strings.Join(list, ", ") },
	"day":  func(t time.Time) string { return t.UTC().Format("2006-01-02") },
	"yes":  yes,
	"took": func(ms int64) string {
		return (time.Duration(ms) * time.Millisecond).Round(10 * time.Millisecond).String()
	},
	"mood":   moodOf,
	"number": number,
}

// view is what the templates show.
type view struct {
	Style    template.CSS
	Script   template.JS
	Security string
	Title    string
	Over     string // what was scanned, and when
	Headline string
	Mood     string
	Remarks  []remark
	Counts   []count
	First    []action
	More     int // actions that are not among the first
	Servers  []server
	Several  bool
	Settings []setting
}

// remark is a line below the headline.
type remark struct{ Mood, Text string }

// count is how many findings are of a severity.
type count struct {
	Severity scan.Severity
	N        int
}

// action is something to do, and what it mends.
type action struct {
	Severity scan.Severity
	Do       string
	Mends    []string
	At       []server
}

// server is one section.
type server struct {
	Server
	ID       string
	Name     string
	Verdict  string
	Mood     string
	Counts   []count
	Findings []finding
	Suites   []suiteRow
	Versions []string // heads of the table of suites
	Software string   // a program of scan/fix, for "how to write it"
	Compared string   // the name of the policy
}

// finding is one with its sources.
type finding struct {
	scan.Finding
	CVE, Source string
	// Known is set where the page says how its setting is written.
	Known bool
}

// setting is a change, in the programs that have it.
type setting struct {
	ID, Is string
	Fixes  []fix.Fix
}

// maxFirst is how many actions the summary has.
const maxFirst = 5

func viewOf(p Page) *view {
	v := &view{Several: len(p.Servers) > 1}
	kinds := map[string]scan.FindingKind{}
	for _, k := range scan.Kinds() {
		kinds[k.ID] = k
	}
	used := map[string]bool{}
	for i, s := range p.Servers {
		x := serverOf(fmt.Sprintf("s%d", i+1), s, p.Policy)
		for _, f := range s.Report.Findings {
			known := len(fix.Known(f.Setting)) > 0
			used[f.Setting] = used[f.Setting] || known && f.Fix == nil
			x.Findings = append(x.Findings, finding{f, kinds[f.ID].CVE, kinds[f.ID].Source, known})
		}
		v.Servers = append(v.Servers, x)
	}
	for _, s := range fix.Settings() {
		if used[s.ID] {
			v.Settings = append(v.Settings, settingOf(s))
		}
	}
	v.summarize(p)
	v.act()
	return v
}

func settingOf(s fix.Setting) setting {
	x := setting{ID: s.ID, Is: s.Is}
	servers := map[string]bool{}
	for _, p := range fix.Programs() {
		servers[p.ID] = p.Server
	}
	for _, f := range fix.Known(s.ID) {
		if servers[f.Software] {
			x.Fixes = append(x.Fixes, f)
		}
	}
	return x
}

func serverOf(id string, s Server, compared string) server {
	r := s.Report
	x := server{Server: s, ID: id, Name: r.Target, Verdict: r.Verdict(), Mood: moodOf(r.Worst()), Counts: counts(r), Compared: compared}
	if r.Name != "" && !strings.HasPrefix(r.Target, r.Name+":") {
		x.Name += " as " + r.Name
	}
	switch {
	case r.Failure != "":
		x.Verdict, x.Mood = "No TLS here: "+r.Failure, "quiet"
	case len(x.Counts) == 0 && r.Unanswered > 0:
		x.Mood = "warning"
	case len(x.Counts) == 0:
		x.Mood = "good"
	}
	x.Versions, x.Suites = suitesOf(r)
	return x
}

// counts are the findings by severity, without what is only good to know.
func counts(reports ...*scan.Report) (all []count) {
	for _, s := range severities[:4] {
		n := 0
		for _, r := range reports {
			n += r.Count(s)
		}
		if n > 0 {
			all = append(all, count{s, n})
		}
	}
	return all
}

// moodOf is how a severity shall strike its reader.
func moodOf(s scan.Severity) string {
	switch s {
	case scan.Critical, scan.High:
		return "bad"
	case scan.Medium, scan.Low:
		return "warning"
	}
	return "quiet"
}

// act gathers what is to be done: what is worst first, then what mends most servers.
func (v *view) act() {
	at := map[string]int{}
	var all []action
	for _, s := range v.Servers {
		for _, f := range s.Findings {
			if f.Severity == scan.Info {
				continue
			}
			i, ok := at[f.Do]
			if !ok {
				i = len(all)
				at[f.Do] = i
				all = append(all, action{Severity: f.Severity, Do: f.Do})
			}
			a := &all[i]
			if f.Severity.Worse(a.Severity) {
				a.Severity = f.Severity
			}
			if !slices.Contains(a.Mends, f.Title) {
				a.Mends = append(a.Mends, f.Title)
			}
			if n := len(a.At); n == 0 || a.At[n-1].ID != s.ID {
				a.At = append(a.At, s)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b action) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)), len(b.At)-len(a.At), len(b.Mends)-len(a.Mends))
	})
	v.First = all[:min(len(all), maxFirst)]
	v.More = len(all) - len(v.First)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// number writes how many there are of something.
func number(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", more)
}
