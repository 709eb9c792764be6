package scan

import (
	"encoding/json"
	"os"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/policy"
)

// Judged is what one target is, compared with a policy and an earlier scan.
type Judged struct {
	Target string `json:"target"`
	// Differences are those from the policy.
	Differences []policy.Difference `json:"differences,omitempty"`
	// Changes are those since the baseline; New is set for a target that is not in it.
	Changes []policy.Change `json:"changes,omitempty"`
	New     bool            `json:"new,omitempty"`
}

// yardsticks are what reports are compared with.
type yardsticks struct {
	policy   *policy.Policy
	baseline *Scans
}

// yardsticks reads --policy and --baseline.
func (o *options) yardsticks() (y yardsticks, err error) {
	if o.policy != "" {
		if y.policy, err = readPolicy(o.policy); err != nil {
			return y, report.Usagef("--policy: %v", err)
		}
	}
	if o.baseline == "" {
		return y, nil
	}
	b, err := os.ReadFile(o.baseline)
	if err != nil {
		return y, report.Usagef("--baseline: %v", err)
	}
	y.baseline = &Scans{}
	if err := json.Unmarshal(b, y.baseline); err != nil || y.baseline.Targets == 0 {
		return y, report.Usagef("--baseline %s is not what vitrine scan --json writes", o.baseline)
	}
	return y, nil
}

// readPolicy reads one of package policy, or a file.
func readPolicy(name string) (*policy.Policy, error) {
	b, err := os.ReadFile(name)
	if err == nil {
		return policy.Parse(b)
	}
	p, unknown := policy.Load(name)
	if unknown != nil && !os.IsNotExist(err) {
		return nil, err
	}
	return p, unknown
}

// judge compares a report. It reports a failure: what differs from the policy or, with a
// baseline, what is worse than it was.
func (y yardsticks) judge(r *scan.Report) (j Judged, bad bool) {
	j.Target = r.Target
	if y.policy != nil && r.Failure == "" {
		j.Differences = y.policy.Check(r)
		bad = len(j.Differences) > 0
	}
	if y.baseline == nil {
		return j, bad
	}
	j.New = true
	for _, old := range y.baseline.Reports {
		if old == nil || old.Target != r.Target || old.Name != r.Name {
			continue
		}
		j.New, j.Changes = false, policy.Compare(old, r)
		for _, c := range j.Changes {
			bad = bad || c.Worse
		}
	}
	return j, bad
}

// policies are the values of --policy, beside files.
func policies() string { return flags.OneOf(policy.Names()) }
