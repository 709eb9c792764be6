package diagnose

import (
	"slices"

	"github.com/vitrine-tls/vitrine/explain"
)

// Rules are the ids of the rules over accounts, a row each.
func Rules() (ids []string) {
	for _, r := range rules {
		ids = append(ids, r.id)
	}
	return ids
}

// AccountWithout is Account with one row of the rules taken out.
func AccountWithout(row int, c *explain.Connection, also Also) *Verdict {
	return gather(c, also).by(slices.Delete(slices.Clone(rules), row, row+1))
}
