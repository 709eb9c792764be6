package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/scan"
)

// suiteRow is a suite with its place in each version.
type suiteRow struct {
	scan.SuiteReport
	// Places are where it stands in the order of the version's suites; empty where the
	// version does not have it.
	Places []string
}

// suitesOf makes one table of the suites of all versions, in the order in which they are
// first met, newest version first.
func suitesOf(r *scan.Report) (heads []string, rows []suiteRow) {
	for _, v := range r.Versions {
		if v.Offered {
			heads = append(heads, v.Version)
		}
	}
	column := 0
	for _, v := range r.Versions {
		if !v.Offered {
			continue
		}
		for place, s := range v.Suites {
			i := slices.IndexFunc(rows, func(x suiteRow) bool { return x.ID == s.ID })
			if i < 0 {
				i = len(rows)
				rows = append(rows, suiteRow{s, make([]string, len(heads))})
			}
			rows[i].Places[column] = fmt.Sprint(place + 1)
			for _, f := range s.Flaws {
				if !slices.Contains(rows[i].Flaws, f) {
					rows[i].Flaws = append(slices.Clone(rows[i].Flaws), f)
				}
			}
		}
		column++
	}
	return heads, rows
}

// Hybrid reports a group of which one half withstands quantum computers.
func (s server) Hybrid(group string) bool { return strings.Contains(strings.ToUpper(group), "MLKEM") }
