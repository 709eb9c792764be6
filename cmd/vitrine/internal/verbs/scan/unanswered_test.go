package scan

import (
	"bytes"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/scan"
)

// A target that left many connections without an answer is not told of as if it were all
// right: neither in words, nor by the exit code, nor to build servers; and --resume asks it
// again.
func TestTargetsThatAnswerInPart(t *testing.T) {
	for _, unanswered := range []int{0, 40} {
		r := &scan.Report{Target: "a:1", Name: "a", Connections: 90, Unanswered: unanswered}
		j := &job{options: &options{failOn: "low", counts: true}}
		all := &Scans{Targets: 2, Reports: []*scan.Report{r, {Target: "b:1"}}}
		j.judge(all)
		cmd := &cobra.Command{}
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetIn(strings.NewReader(""))
		err := j.tell(cmd, all)
		want := report.ExitOK
		if unanswered > 0 {
			want = report.ExitNetwork
		}
		if report.ExitCode(err) != want {
			t.Errorf("%d: %v", unanswered, err)
		}
		for _, words := range []string{"Not all is known: 40 of 90 connections got no answer.", "--rate 2 --at-once 1", "Not all is known of 1 target."} {
			if strings.Contains(out.String(), words) != (unanswered > 0) {
				t.Errorf("%d: %q: %s", unanswered, words, out.String())
			}
		}
		out.Reset()
		if err := writeJUnit(&out, all); err != nil || strings.Contains(out.String(), "no-answer") != (unanswered > 0) {
			t.Errorf("%d: %v, %s", unanswered, err, out.String())
		}
		s := &state{done: map[string]*scan.Report{keyOf("a:1", "a", ""): r}}
		if again := s.known(scan.Target{Address: "a:1"}) == nil; again != (unanswered > 0) {
			t.Errorf("%d: it is asked again: %v", unanswered, again)
		}
	}
}

// What a baseline had, and a single probe without an answer leaves unknown, is no success: neither
// the words nor the exit code say that it is gone. What was answered is gone, and fine.
func TestBaselinesAreNotKeptBySilence(t *testing.T) {
	for name, c := range map[string]struct {
		after scan.Report
		want  int
		says  string
	}{
		"a probe got no answer": {scan.Report{NotAnswered: []string{"a group of TLS 1.3"}}, report.ExitNetwork, "not known: group x448"},
		"all was answered":      {scan.Report{}, report.ExitOK, "gone: group x448"},
		"a probe ended early": {scan.Report{Weaknesses: []scan.Check{{ID: "heartbleed", Unknown: "the probe ended early"}}},
			report.ExitNetwork, "not known: A [heartbleed]"},
		"it was not told to look": {scan.Report{NotAsked: []string{"heartbleed"}}, report.ExitOK, "not known: A [heartbleed]"},
		"it was not told to look, and a probe got no answer": {scan.Report{NotAsked: []string{"heartbleed"}, NotAnswered: []string{"x"}},
			report.ExitNetwork, "not known: A [heartbleed]"},
	} {
		before := &scan.Report{Target: "a:1", Groups: []scan.GroupReport{{Name: "x448"}}, Findings: []scan.Finding{{ID: "heartbleed", Title: "A"}}}
		after := &c.after
		after.Target = "a:1"
		j := &job{options: &options{failOn: "low"}}
		j.compared.baseline = &Scans{Targets: 1, Reports: []*scan.Report{before}}
		all := &Scans{Targets: 1, Reports: []*scan.Report{after}}
		j.judge(all)
		cmd := &cobra.Command{}
		var out bytes.Buffer
		cmd.SetOut(&out)
		cmd.SetIn(strings.NewReader(""))
		if err := j.tell(cmd, all); report.ExitCode(err) != c.want || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: %v, code %d\n%s", name, err, report.ExitCode(err), out.String())
		}
	}
}

// What a part of a fleet answered is not said of all of it.
func TestAFleetThatAnswersInPart(t *testing.T) {
	for unanswered, want := range map[int][]string{
		0: {"the same everywhere: none", "differs:"},
		3: {"the same at all that answered; 3 did not: none", "differs, and 3 did not answer:"},
	} {
		r := &scan.Report{Target: "a:1", Fleet: &scan.FleetReport{Answers: []scan.FleetAnswers{
			{What: "HSTS", Answers: []scan.FleetAnswer{{Value: "none", Times: 3}}, Unanswered: unanswered},
			{What: "TLS 1.2", Answers: []scan.FleetAnswer{{Value: "no", Times: 2}, {Value: "yes", Times: 1}}, Unanswered: unanswered},
		}}}
		var out bytes.Buffer
		if err := (&Scans{Targets: 1, Reports: []*scan.Report{r}}).write(&out, strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
		for _, words := range want {
			if !strings.Contains(strings.Join(strings.Fields(out.String()), " "), words) {
				t.Errorf("it does not say %q:\n%s", words, out.String())
			}
		}
	}
}
