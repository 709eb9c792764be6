package page

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/scan"
)

// tally is how many servers are how; unsure are those that are not known to keep a policy.
type tally struct{ bad, fair, good, partly, silent, unsure, differ, worse int }

// summarize says in a headline whether it is all right.
func (v *view) summarize(p Page) {
	var t tally
	var reports []*scan.Report
	var began time.Time
	for _, s := range v.Servers {
		reports = append(reports, s.Report)
		if b := s.Report.Began; began.IsZero() || b.Before(began) {
			began = b
		}
		t.add(s)
	}
	v.Counts = counts(reports...)
	v.Over = "TLS scan of " + v.Servers[0].Name
	if v.Several {
		v.Over = fmt.Sprintf("TLS scan of %d servers", len(v.Servers))
	}
	v.Title = cmp.Or(p.Title, v.Over)
	if !began.IsZero() {
		v.Over += " · " + began.UTC().Format("2 January 2006, 15:04 UTC")
	}
	v.Headline, v.Mood = t.headline(len(v.Servers))
	v.Remarks = t.remarks(v)
	if p.Policy != "" {
		v.Remarks = append(v.Remarks, t.kept(p.Policy, len(v.Servers)))
	}
	if t.worse > 0 {
		v.Remarks = append(v.Remarks, remark{"bad", number(t.worse, "change since the earlier scan is", "changes since the earlier scan are") + " for the worse."})
	}
}

func (t *tally) add(s server) {
	switch {
	case s.Report.Failure != "":
		t.silent++
	case s.Mood == "bad":
		t.bad++
	case s.Report.Unanswered > 0 && len(s.Counts) == 0:
		t.partly++
	case s.Mood == "warning":
		t.fair++
	default:
		t.good++
	}
	if s.Report.Unanswered > 0 && len(s.Differences) == 0 {
		t.unsure++
	}
	if len(s.Differences) > 0 {
		t.differ++
	}
	for _, c := range s.Changes {
		if c.Worse {
			t.worse++
		}
	}
}

// headline is the answer, of one server or of many.
func (t *tally) headline(n int) (text, mood string) {
	switch {
	case n == 1 && t.silent == 1:
		return "No TLS here", "quiet"
	case n == 1 && t.bad == 1:
		return "It is not all right", "bad"
	case n == 1 && t.fair == 1:
		return "It could be better", "warning"
	case n == 1 && t.partly == 1:
		return "Not all is known", "warning"
	case n == 1:
		return "It is all right", "good"
	case t.bad > 0:
		return fmt.Sprintf("%d of %d servers %s not all right", t.bad, n, are(t.bad)), "bad"
	case t.fair > 0:
		return fmt.Sprintf("%d of %d servers could be better", t.fair, n), "warning"
	case t.partly > 0:
		return fmt.Sprintf("%d of %d servers %s known in part alone", t.partly, n, are(t.partly)), "warning"
	case t.silent > 0:
		return fmt.Sprintf("%d of %d servers %s", t.silent, n, notThere(t.silent)), "quiet"
	}
	return fmt.Sprintf("All %d servers are all right", n), "good"
}

// remarks say what the headline leaves out.
func (t *tally) remarks(v *view) (all []remark) {
	if !v.Several {
		if t.silent == 1 {
			return []remark{{"quiet", v.Servers[0].Report.Failure}}
		}
		if r := v.Servers[0].Report; r.Unanswered > 0 {
			return []remark{{"warning", fmt.Sprintf("%d of %d connections got no answer. What was not found may be there all the same: a firewall may block frequent visits. Scan slower.", r.Unanswered, r.Connections)}}
		}
		if len(v.Servers[0].Findings) == 0 {
			return []remark{{"good", "Nothing was found that should be otherwise."}}
		}
		return nil
	}
	var rest []string
	if t.bad > 0 && t.fair > 0 {
		rest = append(rest, fmt.Sprintf("%d could be better", t.fair))
	}
	if t.good > 0 && t.good < len(v.Servers) {
		rest = append(rest, fmt.Sprintf("%d %s all right", t.good, are(t.good)))
	}
	if t.partly > 0 && t.bad+t.fair > 0 {
		rest = append(rest, fmt.Sprintf("%d %s known in part alone", t.partly, are(t.partly)))
	}
	if t.silent > 0 && t.bad+t.fair+t.partly > 0 {
		rest = append(rest, fmt.Sprintf("%d %s", t.silent, notThere(t.silent)))
	}
	if len(rest) > 0 {
		all = append(all, remark{"quiet", "Of the others, " + strings.Join(rest, "; ") + "."})
	}
	return all
}

// kept says how many keep the policy, of those that could be compared with it.
func (t *tally) kept(policy string, n int) remark {
	rest, unknown := ".", t.silent+t.unsure
	if unknown > 0 {
		rest = fmt.Sprintf("; %d could not be compared.", unknown)
	}
	switch {
	case unknown == n:
		return remark{"quiet", "Nothing could be compared with the policy " + policy + "."}
	case t.differ == 0 && unknown > 0:
		return remark{"quiet", "The policy " + policy + " is kept by " + number(n-unknown, "server", "servers") + rest}
	case t.differ == 0:
		return remark{"good", "The policy " + policy + " is kept."}
	case n == 1:
		return remark{"bad", "The policy " + policy + " is not kept."}
	}
	return remark{"bad", fmt.Sprintf("The policy %s is not kept by %s", policy, number(t.differ, "server", "servers")) + rest}
}

// notThere says of servers that nothing is known of them.
func notThere(n int) string { return fmt.Sprintf("%s not speak TLS, or %s not answer", do(n), do(n)) }

func are(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

func do(n int) string {
	if n == 1 {
		return "does"
	}
	return "do"
}
