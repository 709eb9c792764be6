package scan

import (
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/vitrine-tls/vitrine/scan"
)

// The elements of JUnit, as build servers read them: a suite for each target; in it a case for
// each finding, and for each weakness that was looked for. The form is that of the schema of
// Jenkins's xUnit plugin, junit-10.xsd.
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCounts
		Suites []junitSuite `xml:"testsuite"`
	}
	junitCounts struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Time     string `xml:"time,attr"` // seconds
	}
	junitSuite struct {
		Name string `xml:"name,attr"`
		junitCounts
		Skipped   int         `xml:"skipped,attr"`
		Timestamp string      `xml:"timestamp,attr,omitempty"`
		Host      string      `xml:"hostname,attr,omitempty"`
		Cases     []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string       `xml:"name,attr"`
		Class   string       `xml:"classname,attr"`
		Time    string       `xml:"time,attr"`
		Failure *junitResult `xml:"failure"`
		Error   *junitResult `xml:"error"`
		Skipped *junitResult `xml:"skipped"`
		Out     string       `xml:"system-out,omitempty"`
	}
	junitResult struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

func writeJUnit(w io.Writer, s *Scans) error {
	all := junitSuites{Name: "vitrine scan"}
	var took time.Duration
	for i, r := range s.Reports {
		suite := s.suite(i)
		all.Tests, all.Failures, all.Errors = all.Tests+suite.Tests, all.Failures+suite.Failures, all.Errors+suite.Errors
		took += time.Duration(r.Milliseconds) * time.Millisecond
		all.Suites = append(all.Suites, suite)
	}
	all.Time = seconds(took)
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

// seconds is a time as the schema has it.
func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }

// suite is one target. The first case takes the time of its scan, since findings have none of
// their own.
func (s *Scans) suite(i int) junitSuite {
	r := s.Reports[i]
	suite := junitSuite{Name: r.Target, Host: hostOf(r)}
	if !r.Began.IsZero() {
		suite.Timestamp = r.Began.UTC().Format("2006-01-02T15:04:05")
	}
	add := func(c junitCase) {
		c.Class, c.Time = r.Target, seconds(0)
		suite.Cases = append(suite.Cases, c)
	}
	for _, p := range s.problems(i) {
		result := &junitResult{Message: p.title, Type: p.severity, Text: p.text + "\n" + p.gain + "\n" + p.do}
		if p.lines != "" {
			result.Text += "\n" + p.lines
		}
		c := junitCase{Name: p.id}
		switch {
		case p.silence:
			c.Error = result
			suite.Errors++
		case s.counts(p):
			c.Failure = result
			suite.Failures++
		default: // not as bad as --fail-on says
			c.Out = result.Type + ": " + result.Message + "\n" + result.Text
		}
		add(c)
	}
	for _, k := range r.Weaknesses {
		switch {
		case k.Found: // a finding says it
		case k.Unknown != "":
			add(junitCase{Name: k.ID, Skipped: &junitResult{Message: "not known: " + k.Unknown}})
			suite.Skipped++
		default:
			add(junitCase{Name: k.ID})
		}
	}
	if len(suite.Cases) == 0 {
		add(junitCase{Name: "scan"})
	}
	suite.Tests, suite.Time = len(suite.Cases), seconds(time.Duration(r.Milliseconds)*time.Millisecond)
	suite.Cases[0].Time = suite.Time
	return suite
}

// counts reports a problem that is a failure by --fail-on; without that all are but what is good
// to know.
func (s *Scans) counts(p problem) bool {
	least := scan.Low
	if s.failOn != "" {
		least = s.failOn
	}
	_, finding := kindsByID()[p.id]
	return !finding || !s.lenient && !least.Worse(scan.Severity(p.severity))
}

func hostOf(r *scan.Report) string {
	if host, _, err := net.SplitHostPort(r.Target); err == nil {
		return host
	}
	return "localhost" // a unix socket
}
