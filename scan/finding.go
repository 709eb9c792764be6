package scan

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vitrine-tls/vitrine/scan/fix"
)

// A Severity says how bad a finding is.
type Severity string

const (
	// Critical: an attacker on the path reads or changes now, or takes the server's key.
	Critical Severity = "critical"
	// High: an attack is known and within reach of some.
	High Severity = "high"
	// Medium: an attack is costly, or a protection is missing.
	Medium Severity = "medium"
	// Low: it should be otherwise, and little follows from it.
	Low Severity = "low"
	// Info: good to know.
	Info Severity = "info"
)

// severities are in the order of what is worst.
var severities = []Severity{Critical, High, Medium, Low, Info}

// Worse reports that s is worse than t.
func (s Severity) Worse(t Severity) bool {
	return slices.Index(severities, s) < slices.Index(severities, t)
}

// A Finding is something that is wrong.
type Finding struct {
	// ID is a name for machines, which is kept: "heartbleed".
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	Title    string   `json:"title"`
	// Evidence is what proves it; bytes are in hexadecimal.
	Evidence []string `json:"evidence,omitempty"`
	// Gain is what an attacker has of it.
	Gain string `json:"gain"`
	// Do is the change that mends it.
	Do string `json:"do"`
	// Setting is the name by which scan/fix knows how to write that change; empty for
	// none. Fix is how it is written for the server's software, nil where that is not
	// known.
	Setting string   `json:"setting,omitempty"`
	Fix     *fix.Fix `json:"fix,omitempty"`
}

// A kind of finding: what is said of it wherever it is found.
type findingKind struct {
	severity  Severity
	title     string
	gain, do  string
	setting   string
	CVE, from string // where it was published
}

// found adds a finding of a known kind.
func (r *Report) found(id string, a *Answer, evidence ...string) {
	k, ok := findingKinds[id]
	if !ok || slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.ID == id }) {
		return
	}
	r.Findings = append(r.Findings, Finding{ID: id, Severity: k.severity, Title: k.title, Evidence: evidence, Gain: k.gain, Do: k.do, Setting: k.setting})
	if a != nil {
		r.answers[id] = a
	}
}

// advise gives a finding that is there advice of its own, where there is some.
func (r *Report) advise(id, do string) {
	if i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == id }); i >= 0 && do != "" {
		first, size := utf8.DecodeRuneInString(do)
		r.Findings[i].Do = strings.TrimSuffix(string(unicode.ToUpper(first))+do[size:], ".") + "."
	}
}

// sort puts the worst first, and equals by name.
func (r *Report) sort() {
	slices.SortStableFunc(r.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)), cmp.Compare(a.ID, b.ID))
	})
}

// Worst is the severity of the worst finding; Info where nothing was found.
func (r *Report) Worst() Severity {
	worst := Info
	for _, f := range r.Findings {
		if f.Severity.Worse(worst) {
			worst = f.Severity
		}
	}
	return worst
}

// fixed adds how each change is written for some software, which is that of the server
// unless the caller knows better.
func (r *Report) fixed(software string) {
	if software == "" {
		software = programOf(r.Software)
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if as, ok := fix.For(f.Setting, software); ok && software != "" {
			f.Fix = &as
		}
	}
}

// programOf finds the id of the program that a server says it is: "nginx/1.22.1".
func programOf(says string) string {
	says = strings.ToLower(says)
	for _, p := range fix.Programs() {
		if p.Server && strings.HasPrefix(says, p.ID) {
			return p.ID
		}
	}
	return ""
}

// A FindingKind is what a scan can find.
type FindingKind struct {
	ID                   string
	Severity             Severity
	Title, Gain, Do      string
	Setting, CVE, Source string
}

// Kinds are all findings that there are, worst first.
func Kinds() []FindingKind {
	var all []FindingKind
	for id, k := range findingKinds {
		all = append(all, FindingKind{id, k.severity, k.title, k.gain, k.do, k.setting, k.CVE, k.from})
	}
	slices.SortFunc(all, func(a, b FindingKind) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)), cmp.Compare(a.ID, b.ID))
	})
	return all
}
