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
// medium, 5 low." What is only good to know does not count. Where connections got no answer
// it says that too, and never that all is right.
func (r *Report) Verdict() string {
	var parts []string
	for _, s := range severities {
		if n := r.Count(s); n > 0 && s != Info {
			parts = append(parts, fmt.Sprintf("%d %s", n, s))
		}
	}
	unknown := ""
	if r.Unanswered > 0 {
		unknown = fmt.Sprintf("Not all is known: %d of %d connections got no answer.", r.Unanswered, r.Connections)
	}
	says := "It could be better: "
	switch worst := r.Worst(); {
	case len(parts) == 0 && unknown != "":
		return unknown
	case len(parts) == 0:
		return "It is all right."
	case worst == Critical || worst == High:
		says = "It is not all right: "
	}
	return strings.TrimSpace(says + strings.Join(parts, ", ") + ". " + unknown)
}
