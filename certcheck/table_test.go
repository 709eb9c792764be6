package certcheck

import (
	stdflag "flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = stdflag.Bool("update", false, "write the table of docs/certificates.md anew")

// docs/certificates.md has each rule, with what it demands, where that is written, and
// the first profile that refuses for it.
func TestRulesStandInTheDocs(t *testing.T) {
	const file, begin, end = "../docs/certificates.md", "<!-- rules: begin -->\n", "<!-- rules: end -->\n"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), begin)
	table, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no place for the table", file)
	}
	var want strings.Builder
	want.WriteString("| Rule | Demands | Source | Refuses from |\n|---|---|---|---|\n")
	for _, r := range append(Rules(), revokedRule, unknownRule, stapleRule) {
		fmt.Fprintf(&want, "| `%s` | %s | %s | %s |\n", r.Name, r.Demands, r.Source, r.Profile)
	}
	if *update {
		if err := os.WriteFile(file, []byte(before+begin+want.String()+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if table != want.String() {
		t.Errorf("the table of rules in %s is not that of Rules(); run go test ./certcheck -run TestRulesStandInTheDocs -update", file)
	}
}
