package scan

import (
	"fmt"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/scan"
)

// A problem is a finding of a target, a difference from the policy, a change for the worse, or
// that there was no answer.
type problem struct {
	report                    *scan.Report
	id, severity, title, text string
	gain, do                  string
	lines                     string // how the change is written, where that is known
	silence                   bool   // no answer came: nothing was found
}

// problems are those of target i, findings first.
func (s *Scans) problems(i int) (all []problem) {
	r, j := s.Reports[i], s.judgedOf(i)
	if r.Failure != "" {
		all = append(all, problem{report: r, id: "no-answer", severity: string(scan.Info), title: "No TLS here", text: r.Failure,
			gain: "Nothing is known of the target.", do: "Check that a server listens there, and speaks TLS.", silence: true})
	}
	if r.Unanswered > 0 {
		all = append(all, problem{report: r, id: "no-answer", severity: string(scan.Info), title: "Not all is known",
			text: fmt.Sprintf("%d of %d connections got no answer", r.Unanswered, r.Connections), gain: "What was not found may be there all the same.",
			do: "Scan slower, as with --rate 2 --at-once 1, or from where nothing blocks it.", silence: true})
	}
	for _, f := range r.Findings {
		p := problem{report: r, id: f.ID, severity: string(f.Severity), title: f.Title, text: strings.Join(f.Evidence, ", "), gain: f.Gain, do: f.Do}
		if f.Fix != nil {
			p.lines = f.Fix.Lines
		}
		all = append(all, p)
	}
	for _, d := range j.Differences {
		all = append(all, problem{report: r, id: "policy-" + d.Rule, severity: string(scan.Medium), title: "The policy is not kept: " + d.Rule, text: d.Found,
			gain: "The server is not as the policy " + s.policy + " demands.", do: sentence(d.Allowed)})
	}
	for _, c := range j.Changes {
		if c.Worse {
			all = append(all, problem{report: r, id: "worse-than-baseline", severity: string(scan.Medium), title: "It is worse than in the baseline", text: c.What,
				gain: "It was not so at the earlier scan.", do: "Find what was changed since, and take it back or mend it."})
		}
	}
	return all
}

// sentence makes one of words.
func sentence(words string) string {
	if words == "" {
		return ""
	}
	return strings.ToUpper(words[:1]) + strings.TrimSuffix(words[1:], ".") + "."
}

// stamp is a time as the files have it; empty for none.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// kindsByID are what findings are, with their sources.
func kindsByID() map[string]scan.FindingKind {
	kinds := map[string]scan.FindingKind{}
	for _, k := range scan.Kinds() {
		kinds[k.ID] = k
	}
	return kinds
}
