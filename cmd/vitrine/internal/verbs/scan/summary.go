package scan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/policy"
)

// Limits of a summary: it has room on the first screen.
const (
	mostNamed = 20 // targets
	mostFirst = 3  // things to do
)

// A state of a target, the worst first.
type standing int

const (
	bad standing = iota
	absent
	fair
	partly
	good
)

var standings = []struct{ of, one, more string }{
	{"not all right", "is not all right", "are not all right"},
	{"no TLS here", "does not answer, or not in TLS", "do not answer, or not in TLS"},
	{"could be better", "could be better", "could be better"},
	{"known in part", "is known in part alone", "are known in part alone"},
	{"all right", "is all right", "are all right"},
}

// standing says how a target is, by its findings and by what it was compared with.
func (s *Scans) standing(i int) standing {
	r, j := s.Reports[i], s.judgedOf(i)
	switch worst := r.Worst(); {
	case r.Failure != "":
		return absent
	case worst == scan.Critical || worst == scan.High || j.worse() > 0 || len(j.Differences) > 0:
		return bad
	case worst != scan.Info:
		return fair
	case r.Unanswered > 0:
		return partly
	}
	return good
}

// judgedOf is how a target compares; empty where it was not compared.
func (s *Scans) judgedOf(i int) Judged {
	if i < len(s.Judged) {
		return s.Judged[i]
	}
	return Judged{}
}

// order are the targets, the worst first; those that are alike as they were given.
func (s *Scans) order() []int {
	all := make([]int, len(s.Reports))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(a, b int) int {
		by := cmp.Compare(s.standing(a), s.standing(b))
		for _, severity := range severityNames {
			by = cmp.Or(by, s.Reports[b].Count(scan.Severity(severity))-s.Reports[a].Count(scan.Severity(severity)))
		}
		return cmp.Or(by, s.judgedOf(b).worse()-s.judgedOf(a).worse(), len(s.judgedOf(b).Differences)-len(s.judgedOf(a).Differences))
	})
	return all
}

// summary answers for all targets together: is it all right, and what is to be done first?
func (w *writer) summary(s *Scans, order []int) {
	counts := make([]int, len(standings))
	for i := range s.Reports {
		counts[s.standing(i)]++
	}
	var parts []string
	for is, n := range counts {
		if n > 0 {
			parts = append(parts, fmt.Sprint(n, " ", plural(n, standings[is].one, standings[is].more)))
		}
	}
	paint := w.Bad
	says := strings.Join(parts, ", ")
	if counts[good] == len(s.Reports) {
		paint, says = w.Good, "all are all right"
	}
	fmt.Fprintln(w, paint(terminal.Wrap(fmt.Sprintf("%d targets: %s.", len(s.Reports), says), 0, 2)))
	for i, a := range s.actions() {
		if i == mostFirst {
			break
		}
		label := "Then: "
		if i == 0 {
			label = "Do this first: "
		}
		fmt.Fprintf(w, "  %s\n", terminal.Wrap(label+a.do+" "+a.where(), 2, 4))
	}
	for _, line := range s.compared() {
		fmt.Fprintf(w, "  %s\n", terminal.Wrap(line, 2, 4))
	}
	if s.Partly > 0 {
		fmt.Fprintf(w, "  %s\n", terminal.Wrap(fmt.Sprintf("Not all is known of %d %s. Scan slower, with --rate 2 --at-once 1.", s.Partly, plural(s.Partly, "target", "targets")), 2, 4))
	}
	for n, i := range order {
		is := s.standing(i)
		if n == mostNamed || is == good {
			fmt.Fprintf(w, "  %s\n", w.Faint(fmt.Sprintf("and %d more below", len(order)-n)))
			break
		}
		fmt.Fprintf(w, "  %-17s%s\n", standings[is].of, terminal.Wrap(terminal.Printable(s.inShort(i)), 19, 19))
	}
}

// inShort is a target, and what is wrong there.
func (s *Scans) inShort(i int) string {
	r, j := s.Reports[i], s.judgedOf(i)
	if r.Failure != "" {
		return r.Target + ": " + r.Failure
	}
	var parts []string
	for _, severity := range severityNames[:4] {
		if n := r.Count(scan.Severity(severity)); n > 0 {
			parts = append(parts, fmt.Sprint(n, " ", severity))
		}
	}
	if n := len(j.Differences); n > 0 {
		parts = append(parts, fmt.Sprint(n, " from the policy"))
	}
	if n := j.worse(); n > 0 {
		parts = append(parts, fmt.Sprint(n, " worse than before"))
	}
	if r.Unanswered > 0 {
		parts = append(parts, fmt.Sprintf("%d of %d connections without an answer", r.Unanswered, r.Connections))
	}
	return r.Target + ": " + strings.Join(parts, ", ")
}

// An action is something to do, at some of the targets.
type action struct {
	do    string
	worst scan.Severity
	at    []string
}

// actions are what mends findings: what is worst first, then what mends most targets.
func (s *Scans) actions() (all []action) {
	known := map[string]int{}
	for _, r := range s.Reports {
		for _, f := range r.Findings {
			i, ok := known[f.Do]
			if !ok {
				i, known[f.Do] = len(all), len(all)
				all = append(all, action{do: f.Do, worst: f.Severity})
			}
			if a := &all[i]; len(a.at) == 0 || a.at[len(a.at)-1] != r.Target {
				a.at = append(a.at, r.Target)
			}
			if f.Severity.Worse(all[i].worst) {
				all[i].worst = f.Severity
			}
		}
	}
	all = slices.DeleteFunc(all, func(a action) bool { return a.worst == scan.Info })
	rank := func(s scan.Severity) int { return slices.Index(severityNames, string(s)) }
	slices.SortStableFunc(all, func(a, b action) int { return cmp.Or(rank(a.worst)-rank(b.worst), len(b.at)-len(a.at)) })
	return all
}

func (a action) where() string {
	where := terminal.Printable(a.at[0])
	if n := len(a.at) - 1; n > 0 {
		where += fmt.Sprintf(" and %d more", n)
	}
	return "(" + where + ")"
}

// compared says of all targets how they compare with --policy and --baseline.
func (s *Scans) compared() (lines []string) {
	if len(s.Judged) == 0 {
		return nil
	}
	var differ, worse, other, unknown, unsure int
	for i, j := range s.Judged {
		differ += min(len(j.Differences), 1)
		worse, other, unknown = worse+j.worse(), other+j.other(), unknown+j.unknown()
		if !sure(s.Reports[i]) && len(j.Differences) == 0 {
			unsure++
		}
	}
	if s.policy != "" {
		line := fmt.Sprintf("The policy %s is not kept by %d of %d targets", s.policy, differ, len(s.Judged))
		if differ == 0 {
			line = fmt.Sprintf("The policy %s is kept by %d of %d targets", s.policy, len(s.Judged)-unsure, len(s.Judged))
		}
		if unsure > 0 {
			line += fmt.Sprintf("; of %d it is not known", unsure)
		}
		lines = append(lines, line+".")
	}
	if s.baseline {
		lines = append(lines, sinceBaseline(worse, other, unknown))
	}
	return lines
}

// sure reports that enough is known of a target to say that it keeps a policy.
func sure(r *scan.Report) bool { return r.Failure == "" && r.Unanswered == 0 && len(r.NotAsked) == 0 }

// verdicts are the first lines of one target: how it compares.
func (s *Scans) verdicts(i int) (lines []string) {
	if i >= len(s.Judged) {
		return nil
	}
	r, j := s.Reports[i], s.Judged[i]
	if s.policy != "" && r.Failure == "" {
		switch n := len(j.Differences); {
		case n > 0:
			lines = append(lines, fmt.Sprintf("The policy %s is not kept: %d %s.", s.policy, n, plural(n, "difference", "differences")))
		case len(r.NotAsked) > 0 && r.Unanswered == 0:
			lines = append(lines, fmt.Sprintf("The policy %s is kept, as far as this scan looked.", s.policy))
		case !sure(r):
			lines = append(lines, fmt.Sprintf("Nothing was found against the policy %s, but not all is known.", s.policy))
		default:
			lines = append(lines, fmt.Sprintf("The policy %s is kept.", s.policy))
		}
	}
	switch {
	case j.New:
		lines = append(lines, "The target is not in the baseline.")
	case s.baseline:
		lines = append(lines, sinceBaseline(j.worse(), j.other(), j.unknown()))
	}
	return lines
}

// sinceBaseline says what has changed.
func sinceBaseline(worse, other, unknown int) string {
	var parts []string
	if worse > 0 {
		parts = append(parts, fmt.Sprint(worse, " worse"))
	}
	if other > 0 {
		parts = append(parts, fmt.Sprint(other, " changed otherwise"))
	}
	if unknown > 0 {
		parts = append(parts, fmt.Sprint(unknown, " not known"))
	}
	if len(parts) == 0 {
		return "Nothing has changed since the baseline."
	}
	return "Since the baseline: " + strings.Join(parts, ", ") + "."
}

// worse is how many changes are for the worse, unknown how many are of what is not known now, and other
// the rest.
func (j Judged) worse() (n int)   { return j.count(func(c policy.Change) bool { return c.Worse }) }
func (j Judged) unknown() (n int) { return j.count(func(c policy.Change) bool { return c.Unknown }) }
func (j Judged) other() (n int)   { return len(j.Changes) - j.worse() - j.unknown() }

func (j Judged) count(is func(policy.Change) bool) (n int) {
	for _, c := range j.Changes {
		if is(c) {
			n++
		}
	}
	return n
}

func plural(n int, one, more string) string {
	if n == 1 {
		return one
	}
	return more
}
