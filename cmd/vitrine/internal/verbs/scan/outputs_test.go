package scan

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/build"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/fix"
	"github.com/vitrine-tls/vitrine/scan/policy"
)

// kinds of everything that a file has to hold, at a fixed time.
func everything() *Scans {
	s := many()
	began := time.Date(2026, 3, 12, 9, 30, 0, 0, time.UTC)
	for i, r := range s.Reports {
		r.Began, r.Milliseconds = began.Add(time.Duration(i)*time.Second), int64(410*(i+1))
	}
	bad := s.Reports[3]
	bad.Name, bad.StartTLS = "www.test", "smtp"
	bad.Findings[1].Evidence = []string{"it takes SSL 3.0", `a "server" <says> [click](http://evil.test)`}
	bad.Findings[1].Fix = &fix.Fix{Software: "nginx", Lines: "ssl_protocols TLSv1.2 TLSv1.3;"}
	bad.Weaknesses = []scan.Check{{ID: "heartbleed", Name: "Heartbleed"}, {ID: "robot", Name: "ROBOT", Unknown: "the probe ended early"}, {ID: "poodle-ssl", Name: "POODLE", Found: true}}
	s.Reports = append(s.Reports, &scan.Report{Target: "fine.test:443", Began: began, Connections: 9},
		&scan.Report{Target: "unix:/run/a b.sock", Began: began, Findings: seen("", scan.Medium).Findings}, &scan.Report{Target: "[fe80::1%eth0]:443", Began: began,
			Findings: []scan.Finding{{ID: "no-hsts", Severity: scan.Low, Title: "No HSTS", Evidence: []string{"=cmd()"}, Gain: "g", Do: "d"}}})
	s.Targets, s.policy, s.baseline = len(s.Reports), "ours", true
	s.Judged = make([]Judged, len(s.Reports))
	s.Judged[1].Differences = []policy.Difference{{Rule: "versions", Found: "TLS 1.1", Allowed: "allowed are TLS 1.2"}, {Rule: "versions", Found: "TLS 1.0", Allowed: "allowed are TLS 1.2"}}
	s.Judged[6].Changes = []policy.Change{{Worse: true, What: "new finding: The certificate expires soon [expires]"}, {What: "gone: group x448"}}
	return s
}

// The files for other programs are what they were.
func TestFilesForOtherPrograms(t *testing.T) {
	for ending, write := range map[string]func(io.Writer, *Scans) error{"sarif": writeSARIF, "xml": writeJUnit, "csv": writeCSV} {
		var b bytes.Buffer
		if err := write(&b, everything()); err != nil {
			t.Fatal(err)
		}
		got := bytes.ReplaceAll(b.Bytes(), []byte(strconv.Quote(build.This().Version)), []byte(`"(a version)"`))
		golden := filepath.Join("testdata", "report."+ending)
		if *update {
			if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(golden, got, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%v; %s is no longer\n%s\nread the difference, and run with -update:\n%s", err, golden, want, got)
		}
	}
}

// element is one of XML, as a reader of it has it.
type element struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Children []element  `xml:",any"`
	Text     string     `xml:",chardata"`
}

func (e element) attr(name string) string {
	i := slices.IndexFunc(e.Attrs, func(a xml.Attr) bool { return a.Name.Local == name })
	if i < 0 {
		return ""
	}
	return e.Attrs[i].Value
}

// junitForm is the schema of Jenkins's xUnit plugin, junit-10.xsd: for each element the attributes
// that it must have, those that it may have, and its children.
var junitForm = map[string]struct{ must, may, children string }{
	"testsuites": {"", "name time tests failures errors", "testsuite"},
	"testsuite":  {"name tests failures errors", "group time skipped timestamp hostname id package file log url", "testsuite properties testcase system-out system-err"},
	"testcase":   {"name", "time classname group", "skipped error failure system-out system-err"},
	"skipped":    {"", "type message", ""},
	"error":      {"", "type message", ""},
	"failure":    {"", "type message", ""},
	"system-out": {"", "", ""},
}

// surefireTime is the schema's SUREFIRE_TIME.
var surefireTime = regexp.MustCompile(`^(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?$`)

func (e element) check(t *testing.T) {
	t.Helper()
	form, ok := junitForm[e.XMLName.Local]
	if !ok {
		t.Fatalf("JUnit has no element %s", e.XMLName.Local)
	}
	for _, name := range strings.Fields(form.must) {
		if e.attr(name) == "" {
			t.Errorf("%s has no %s", e.XMLName.Local, name)
		}
	}
	for _, a := range e.Attrs {
		if !slices.Contains(strings.Fields(form.must+" "+form.may), a.Name.Local) {
			t.Errorf("%s has %s, which the schema does not know", e.XMLName.Local, a.Name.Local)
		}
		if a.Name.Local == "time" && !surefireTime.MatchString(a.Value) {
			t.Errorf("%q is no time", a.Value)
		}
	}
	for _, c := range e.Children {
		if !slices.Contains(strings.Fields(form.children), c.XMLName.Local) {
			t.Errorf("%s is in %s", c.XMLName.Local, e.XMLName.Local)
		}
		c.check(t)
	}
}

// JUnit is what its schema allows, and its numbers are those of its cases.
func TestJUnitIsValid(t *testing.T) {
	s := everything()
	var b bytes.Buffer
	if err := writeJUnit(&b, s); err != nil {
		t.Fatal(err)
	}
	var all element
	if err := xml.Unmarshal(b.Bytes(), &all); err != nil {
		t.Fatal(err)
	}
	all.check(t)
	count := func(in element, what string) (n int) {
		for _, c := range in.Children {
			if c.XMLName.Local == what || slices.ContainsFunc(c.Children, func(x element) bool { return x.XMLName.Local == what }) {
				n++
			}
		}
		return n
	}
	var failures, tests int
	for i, suite := range all.Children {
		for name, of := range map[string]string{"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"} {
			if got := suite.attr(name); got != fmt.Sprint(count(suite, of)) {
				t.Errorf("%s says %s=%s, and has %d", suite.attr("name"), name, got, count(suite, of))
			}
		}
		if suite.attr("name") != s.Reports[i].Target || suite.attr("time") != seconds(time.Duration(s.Reports[i].Milliseconds)*time.Millisecond) {
			t.Errorf("suite %d is %s of %s s", i, suite.attr("name"), suite.attr("time"))
		}
		failures, tests = failures+count(suite, "failure"), tests+count(suite, "testcase")
	}
	if all.attr("failures") != fmt.Sprint(failures) || all.attr("tests") != fmt.Sprint(tests) || failures == 0 {
		t.Errorf("it says %s failures of %s, and has %d of %d", all.attr("failures"), all.attr("tests"), failures, tests)
	}
	failure := all.Children[3].Children[1].Children[0]
	for _, want := range []string{"it takes SSL 3.0", "POODLE", "Switch SSL 3.0 off", "ssl_protocols TLSv1.2"} {
		if !strings.Contains(failure.Text, want) {
			t.Errorf("the failure of ssl3 lacks %q: %s", want, failure.Text)
		}
	}
	// What is not as bad as --fail-on says does not fail a build, nor does a finding beside a policy that is kept.
	for name, set := range map[string]func(){"--fail-on high": func() { s.failOn, s.lenient = scan.High, false }, "--policy": func() { s.failOn, s.lenient = "", true }} {
		set()
		want := 2 + 1 + map[string]int{"--fail-on high": 2}[name] // differences, a change, and the worst two
		b.Reset()
		if err := writeJUnit(&b, s); err != nil || strings.Count(b.String(), "<failure ") != want {
			t.Errorf("%s: %v, %d failures, want %d", name, err, strings.Count(b.String(), "<failure "), want)
		}
	}
}

// CSV has the columns that docs/scan.md names, and at least a row for each target.
func TestCSVIsWhole(t *testing.T) {
	s := everything()
	var b bytes.Buffer
	if err := writeCSV(&b, s); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| column | |\n|---|---|\n")
	for i, c := range columns {
		fmt.Fprintf(&table, "| `%s` | %s |\n", c.name, c.is)
		if rows[0][i] != c.name {
			t.Errorf("column %d is %s", i, rows[0][i])
		}
	}
	documented(t, "columns", table.String())
	of := map[string]int{}
	for _, row := range rows[1:] {
		of[row[0]]++
		if len(row) != len(columns) || row[3] == "" || row[5] == "" || row[7] == "" || row[5] != "none" && (row[6] == "" || row[9] == "" || row[10] == "") {
			t.Errorf("%q", row)
		}
	}
	for i, r := range s.Reports {
		if want := max(1, len(s.problems(i))); of[r.Target] != want {
			t.Errorf("%s has %d rows, want %d", r.Target, of[r.Target], want)
		}
	}
}

// sarifForm are the objects of SARIF 2.1.0 that are written: which properties its schema demands,
// and what we promise beyond. [] stands for each element of an array.
var sarifForm = map[string]string{
	"":                           "version runs $schema",
	"runs[]":                     "tool results invocations",
	"runs[].tool":                "driver",
	"runs[].tool.driver":         "name version informationUri rules",
	"runs[].tool.driver.rules[]": "id shortDescription fullDescription help helpUri defaultConfiguration properties",
	"runs[].tool.driver.rules[].shortDescription":                    "text",
	"runs[].tool.driver.rules[].fullDescription":                     "text",
	"runs[].tool.driver.rules[].help":                                "text",
	"runs[].invocations[]":                                           "executionSuccessful startTimeUtc",
	"runs[].invocations[].toolExecutionNotifications[]":              "message level locations",
	"runs[].invocations[].toolExecutionNotifications[].message":      "text",
	"runs[].results[]":                                               "message ruleId ruleIndex level locations partialFingerprints",
	"runs[].results[].message":                                       "text",
	"runs[].results[].locations[].physicalLocation.artifactLocation": "uri",
	"runs[].results[].locations[].logicalLocations[]":                "fullyQualifiedName kind",
}

// walk calls see for each object of a document, by its path.
func walk(at string, v any, see func(at string, o map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		see(at, v)
		for k, x := range v {
			walk(strings.TrimPrefix(at+"."+k, "."), x, see)
		}
	case []any:
		for _, x := range v {
			walk(at+"[]", x, see)
		}
	}
}

// SARIF has what its schema demands, rules that say what to do, and prints that tell each result
// from the others, and are the same at the next scan.
func TestSARIFIsValid(t *testing.T) {
	parse := func(s *Scans) (doc map[string]any, prints []string) {
		var b bytes.Buffer
		if err := writeSARIF(&b, s); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b.Bytes(), &doc); err != nil {
			t.Fatal(err)
		}
		run := doc["runs"].([]any)[0].(map[string]any)
		rules := run["tool"].(map[string]any)["driver"].(map[string]any)["rules"].([]any)
		for _, x := range run["results"].([]any) {
			result := x.(map[string]any)
			if rule := rules[int(result["ruleIndex"].(float64))].(map[string]any); rule["id"] != result["ruleId"] {
				t.Errorf("rule %v is %v, not %v", result["ruleIndex"], rule["id"], result["ruleId"])
			}
			if !slices.Contains([]string{"none", "note", "warning", "error"}, result["level"].(string)) {
				t.Errorf("level %v", result["level"])
			}
			for _, p := range result["partialFingerprints"].(map[string]any) {
				prints = append(prints, p.(string))
			}
		}
		return doc, prints
	}
	doc, prints := parse(everything())
	seen := map[string]int{}
	walk("", doc, func(at string, o map[string]any) {
		seen[at]++
		for _, name := range strings.Fields(sarifForm[at]) {
			if v, ok := o[name]; !ok || v == "" {
				t.Errorf("%s has no %s", at, name)
			}
		}
	})
	for at := range sarifForm {
		if seen[at] == 0 {
			t.Errorf("there is no %s", at)
		}
	}
	if sorted := slices.Compact(slices.Sorted(slices.Values(prints))); len(sorted) != len(prints) || len(prints) == 0 {
		t.Errorf("%d prints of %d results", len(sorted), len(prints))
	}
	later := everything()
	for _, r := range later.Reports {
		r.Began = r.Began.Add(24 * time.Hour)
		for i := range r.Findings {
			r.Findings[i].Evidence = []string{"in 9 days"}
		}
	}
	if _, again := parse(later); !slices.Equal(prints, again) {
		t.Error("the prints are others at the next scan")
	}
	text, _ := json.Marshal(doc)
	for _, want := range []string{`"uri":"unix:///run/a%20b.sock"`, `"uri":"tls://[fe80::1%25eth0]:443"`, `"uri":"tls://bad.test:443"`, `\\[click\\](http`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %.3000s", want, text)
		}
	}
}
