package scan

import (
	"fmt"
	"strings"
)

// Count is how many findings there are of a severity.
func (r *Report) Count(s Severity) (n int) {
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Verdict answers in a sentence whether the server is all right: "It could be better: 2
// medium, 5 low." What is only good to know does not count.
func (r *Report) Verdict() string {
	var parts []string
	for _, s := range severities {
		if n := r.Count(s); n > 0 && s != Info {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	switch worst := r.Worst(); {
	case len(parts) == 0:
		return "It is all right."
	case worst == Critical || worst == High:
		return "It is not all right: " + strings.Join(parts, ", ") + "."
	}
	return "It could be better: " + strings.Join(parts, ", ") + "."
}
