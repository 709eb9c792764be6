package policy

import (
	"slices"

	"github.com/vitrine-tls/vitrine/scan"
)

// A Change is what has changed between two scans.
type Change struct {
	// Worse is set for what was not there before and is a finding, or a certificate that
	// was good.
	Worse bool   `json:"worse"`
	What  string `json:"what"`
}

// Compare says what has changed from an earlier scan of a server to a later one.
func Compare(before, after *scan.Report) (all []Change) {
	add := func(worse bool, what string) { all = append(all, Change{worse, what}) }
	sets := func(is string, old, now []string) {
		for _, x := range now {
			if !slices.Contains(old, x) {
				add(false, "new: "+is+x)
			}
		}
		for _, x := range old {
			if !slices.Contains(now, x) {
				add(false, "gone: "+is+x)
			}
		}
	}
	if before.Failure != after.Failure {
		add(after.Failure != "", "from "+failure(before)+" to "+failure(after))
	}
	for _, f := range after.Findings {
		if !hasFinding(before, f.ID) {
			add(true, "new finding: "+f.Title+" ["+f.ID+"]")
		}
	}
	for _, f := range before.Findings {
		if !hasFinding(after, f.ID) {
			add(false, "mended: "+f.Title+" ["+f.ID+"]")
		}
	}
	sets("", spoken(before), spoken(after))
	sets("group ", groups(before), groups(after))
	sets("protocol ", before.Protocols, after.Protocols)
	sets("certificate ", chains(before), chains(after))
	return all
}

func failure(r *scan.Report) string {
	if r.Failure == "" {
		return "an answer"
	}
	return r.Failure
}

func hasFinding(r *scan.Report, id string) bool {
	return slices.ContainsFunc(r.Findings, func(f scan.Finding) bool { return f.ID == id })
}

// spoken are versions, and suites with their version.
func spoken(r *scan.Report) (all []string) {
	for _, v := range r.Versions {
		if v.Offered {
			all = append(all, v.Version)
		}
		for _, s := range v.Suites {
			all = append(all, v.Version+" "+s.Name)
		}
	}
	return all
}

func groups(r *scan.Report) (all []string) {
	for _, g := range r.Groups {
		all = append(all, g.Name)
	}
	return all
}

func chains(r *scan.Report) (all []string) {
	for _, c := range r.Chains {
		all = append(all, c.Subject+" until "+c.NotAfter.UTC().Format("2006-01-02"))
	}
	return all
}
