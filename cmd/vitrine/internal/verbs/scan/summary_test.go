package scan

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/policy"
)

// seen is a report with findings of some severities.
func seen(target string, severities ...scan.Severity) *scan.Report {
	r := &scan.Report{Target: target, Connections: 90}
	for _, s := range severities {
		id := map[scan.Severity]string{scan.Critical: "heartbleed", scan.High: "ssl3", scan.Medium: "expires", scan.Low: "no-hsts", scan.Info: "no-hybrid"}[s]
		kinds := scan.Kinds()
		k := kinds[slices.IndexFunc(kinds, func(k scan.FindingKind) bool { return k.ID == id })]
		r.Findings = append(r.Findings, scan.Finding{ID: id, Severity: s, Title: k.Title, Do: k.Do, Gain: k.Gain})
	}
	return r
}

// many are targets of each kind, the worst not first.
func many() *Scans {
	gone := seen("gone.test:443")
	gone.Failure = "gone.test:443 refused the connection"
	silent := seen("part.test:443")
	silent.Unanswered = 40
	return &Scans{Reports: []*scan.Report{
		seen("good.test:443", scan.Info), seen("low.test:443", scan.Low), gone, seen("bad.test:443", scan.Low, scan.High), silent,
		seen("worst.test:443", scan.Critical), seen("medium.test:443", scan.Medium, scan.Low),
	}}
}

func written(t *testing.T, s *Scans) string {
	t.Helper()
	s.Targets = len(s.Reports)
	j := &job{options: &options{failOn: "low", counts: true}}
	j.judgeAgain(s)
	var b bytes.Buffer
	if err := s.write(&b, strings.NewReader("")); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// judgeAgain counts, and leaves the comparisons as they are.
func (j *job) judgeAgain(s *Scans) {
	judged := s.Judged
	j.judge(s)
	s.Judged = judged
}

// A scan of many targets begins with the answer for all of them, and names the worst first;
// then the targets stand in that order.
func TestManyTargetsBeginWithTheAnswer(t *testing.T) {
	got := written(t, many())
	first, _, _ := strings.Cut(got, "\n\n")
	documented(t, "summary", indented(first))
	var order []string
	for line := range strings.Lines(got) {
		if name, rest, ok := strings.Cut(line, "  "); ok && strings.HasPrefix(rest, "90 connections") {
			order = append(order, name)
		}
	}
	if worst := []string{"worst.test:443", "bad.test:443", "gone.test:443", "medium.test:443", "low.test:443", "part.test:443", "good.test:443"}; !slices.Equal(order, worst) {
		t.Errorf("the targets stand in the order %q", order)
	}
}

// The summary of a thousand targets has room on a screen; that of one is its verdict.
func TestASummaryIsShort(t *testing.T) {
	s := &Scans{}
	for i := range 1000 {
		s.Reports = append(s.Reports, seen(fmt.Sprintf("a%d.test:443", i), scan.Low))
	}
	first, _, _ := strings.Cut(written(t, s), "\n\n")
	if lines := strings.Count(first, "\n") + 1; lines > 24 || !strings.Contains(first, "1000 targets: 1000 could be better.") ||
		!strings.Contains(strings.Join(strings.Fields(first), " "), "(a0.test:443 and 999 more)") || !strings.Contains(first, "and 980 more") {
		t.Errorf("%d lines:\n%s", lines, first)
	}
	s = &Scans{Reports: []*scan.Report{seen("a.test:443"), seen("b.test:443")}}
	if got := written(t, s); !strings.HasPrefix(got, "2 targets: all are all right.\n") {
		t.Errorf("%s", got)
	}
	s.Reports = s.Reports[:1]
	if got := written(t, s); strings.Contains(got, "targets") {
		t.Errorf("%s", got)
	}
}

// How a target compares with --policy and --baseline stands in its first lines.
func TestTheFirstLinesSayHowATargetCompares(t *testing.T) {
	differs := Judged{Differences: []policy.Difference{{Rule: "versions", Found: "TLS 1.1", Allowed: "no"}}}
	for name, c := range map[string]struct {
		report     func(*scan.Report)
		judged     Judged
		policy     string
		baseline   bool
		want, lack []string
	}{
		"kept":           {policy: "p", want: []string{"The policy p is kept."}},
		"not kept":       {policy: "p", judged: differs, want: []string{"The policy p is not kept: 1 difference."}},
		"half an answer": {policy: "p", report: func(r *scan.Report) { r.Unanswered = 3 }, want: []string{"Nothing was found against the policy p, but not all is known."}},
		"--quick":        {policy: "p", report: func(r *scan.Report) { r.NotAsked = []string{"robot"} }, want: []string{"The policy p is kept, as far as this scan looked."}},
		"no answer":      {policy: "p", report: func(r *scan.Report) { r.Failure = "nobody" }, lack: []string{"policy"}},
		"unchanged":      {baseline: true, want: []string{"Nothing has changed since the baseline."}},
		"changed": {baseline: true, judged: Judged{Changes: []policy.Change{{Worse: true, What: "new"}, {Unknown: true, What: "what"}, {What: "gone"}, {What: "mended"}}},
			want: []string{"Since the baseline: 1 worse, 2 changed otherwise, 1 not known."}},
		"new":          {baseline: true, judged: Judged{New: true}, want: []string{"The target is not in the baseline."}},
		"no yardstick": {lack: []string{"policy", "baseline"}},
	} {
		r := seen("a.test:443")
		if c.report != nil {
			c.report(r)
		}
		s := &Scans{Reports: []*scan.Report{r}, policy: c.policy, baseline: c.baseline}
		if c.policy != "" || c.baseline {
			s.Judged = []Judged{c.judged}
		}
		lines := strings.Split(written(t, s), "\n")
		head := strings.Join(lines[:min(len(lines), 3)], "\n")
		for _, want := range c.want {
			if !strings.Contains(head, want) {
				t.Errorf("%s: no %q in\n%s", name, want, head)
			}
		}
		for _, lack := range c.lack {
			if strings.Contains(head, lack) {
				t.Errorf("%s: %q in\n%s", name, lack, head)
			}
		}
	}
	// And of many, the summary says it of all.
	s := &Scans{Reports: []*scan.Report{seen("a.test:443"), seen("b.test:443"), seen("c.test:443")}, policy: "p", baseline: true, Judged: []Judged{{}, differs, {New: true}}}
	s.Reports[2].Unanswered = 4
	got := written(t, s)
	for _, want := range []string{"The policy p is not kept by 1 of 3 targets; of 1 it is not known.", "Nothing has changed since the baseline.", "not all right    b.test:443: 1 from the policy"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	s.Judged[1] = Judged{}
	if got := written(t, s); !strings.Contains(got, "The policy p is kept by 2 of 3 targets; of 1 it is not known.") {
		t.Error(got)
	}
}
