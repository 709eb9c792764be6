package scan

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
)

// columns are those of CSV, with what stands in docs/scan.md of each.
var columns = []struct{ name, is string }{
	{"target", "HOST:PORT or unix:PATH, as it was scanned"},
	{"server_name", "the name that the hellos asked for"},
	{"starttls", "the protocol by which the server turned to TLS; empty for none"},
	{"began", "when the scan of the target began, RFC 3339, UTC"},
	{"duration_ms", "how long it took, in milliseconds"},
	{"id", "the finding, `policy-RULE`, `worse-than-baseline`, `no-answer`, or `none` for a target without any"},
	{"severity", "critical, high, medium, low or info; empty for `none`"},
	{"title", "what it is; of `none` the verdict"},
	{"evidence", "what proves it, divided by commas"},
	{"gain", "what an attacker has of it"},
	{"do", "the change that mends it"},
	{"lines", "how that is written for the server's software, where that is known"},
	{"cve", "the CVE number, where there is one"},
	{"source", "where it is described"},
}

// writeCSV writes a row for each problem, and one for a target that has none. RFC 4180.
func writeCSV(w io.Writer, s *Scans) error {
	out := csv.NewWriter(w)
	var head []string
	for _, c := range columns {
		head = append(head, c.name)
	}
	out.Write(head)
	kinds := kindsByID()
	for i, r := range s.Reports {
		all := s.problems(i)
		if len(all) == 0 {
			all = []problem{{report: r, id: "none", title: r.Verdict()}}
		}
		for _, p := range all {
			k := kinds[p.id]
			out.Write([]string{harmless(r.Target), harmless(r.Name), r.StartTLS, stamp(r.Began), strconv.FormatInt(r.Milliseconds, 10),
				p.id, p.severity, harmless(p.title), harmless(p.text), harmless(p.gain), harmless(p.do), harmless(p.lines), k.CVE, k.Source})
		}
	}
	out.Flush()
	return out.Error()
}

// harmless keeps a spreadsheet from taking what a server says for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
