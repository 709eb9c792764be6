package scan

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/page"
)

// forms are the kinds of files that -o writes, by their ending.
var forms = map[string]func(io.Writer, *Scans) error{
	".json":  func(w io.Writer, s *Scans) error { return report.JSON(w, s) },
	".sarif": writeSARIF,
	".xml":   writeJUnit,
	".csv":   writeCSV,
	".html":  writePage,
}

// form finds what writes a file.
func form(name string) (func(io.Writer, *Scans) error, error) {
	f := forms[strings.ToLower(filepath.Ext(name))]
	if f == nil {
		return nil, report.Usagef("-o %s: the ending says what is written; choose one of %s", name, strings.Join(slices.Sorted(maps.Keys(forms)), " "))
	}
	return f, nil
}

func (o *options) save(s *Scans) error {
	write, err := form(o.out)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := write(&b, s); err != nil {
		return err
	}
	return os.WriteFile(o.out, b.Bytes(), 0o644)
}

// A problem is a finding, or a difference from the policy, of a target.
type problem struct {
	target, id, severity, title, text, do string
}

// problems are all there are, findings first.
func (s *Scans) problems() (all []problem) {
	for i, r := range s.Reports {
		if r.Failure != "" {
			all = append(all, problem{r.Target, "no-answer", "info", "No TLS here", r.Failure, "Check that a server listens there, and speaks TLS."})
		}
		if r.Unanswered > 0 {
			all = append(all, problem{r.Target, "no-answer", "info", "Not all is known", fmt.Sprintf("%d of %d connections got no answer", r.Unanswered, r.Connections),
				"Scan slower, as with --rate 2 --at-once 1, or from where nothing blocks it."})
		}
		for _, f := range r.Findings {
			all = append(all, problem{r.Target, f.ID, string(f.Severity), f.Title, strings.Join(f.Evidence, ", "), f.Do})
		}
		for _, d := range s.Judged[min(i, len(s.Judged)):min(i+1, len(s.Judged))] {
			for _, x := range d.Differences {
				all = append(all, problem{r.Target, "policy-" + x.Rule, string(scan.Medium), "The policy is not kept: " + x.Rule, x.Found, x.Allowed})
			}
		}
	}
	return all
}

func writeCSV(w io.Writer, s *Scans) error {
	out := csv.NewWriter(w)
	out.Write([]string{"target", "id", "severity", "title", "evidence", "do"})
	for _, p := range s.problems() {
		out.Write([]string{harmless(p.target), p.id, p.severity, p.title, harmless(p.text), p.do})
	}
	out.Flush()
	return out.Error()
}

func writePage(w io.Writer, s *Scans) error {
	p := page.Page{Policy: s.policy}
	for i, r := range s.Reports {
		x := page.Server{Report: r}
		if i < len(s.Judged) {
			j := s.Judged[i]
			x.Differences, x.Changes, x.New = j.Differences, j.Changes, j.New
		}
		p.Servers = append(p.Servers, x)
	}
	return page.Write(w, p)
}

// harmless keeps a spreadsheet from taking what a server says for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// The elements of JUnit, as build servers read them: a suite for each target, a case for
// each finding.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

func writeJUnit(w io.Writer, s *Scans) error {
	by := map[string][]problem{}
	for _, p := range s.problems() {
		by[p.target] = append(by[p.target], p)
	}
	var all junitSuites
	for _, r := range s.Reports {
		suite := junitSuite{Name: r.Target}
		for _, p := range by[r.Target] {
			suite.Cases = append(suite.Cases, junitCase{Name: p.id, Class: r.Target,
				Failure: &junitFailure{Message: p.title, Type: p.severity, Text: p.text + "\n" + p.do}})
		}
		suite.Failures = len(suite.Cases)
		if suite.Failures == 0 {
			suite.Cases = []junitCase{{Name: "scan", Class: r.Target}}
		}
		suite.Tests = len(suite.Cases)
		all.Suites = append(all.Suites, suite)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	out := xml.NewEncoder(w)
	out.Indent("", "  ")
	if err := out.Encode(all); err != nil {
		return err
	}
	_, err := fmt.Fprintln(w)
	return err
}
