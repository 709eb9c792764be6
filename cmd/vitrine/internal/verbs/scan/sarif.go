package scan

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/url"
	"strings"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/build"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/scan"
)

// The objects of SARIF 2.1.0 that are needed.
// https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool        sarifTool         `json:"tool"`
		Invocations []sarifInvocation `json:"invocations"`
		Results     []sarifResult     `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifInvocation struct {
		Successful    bool                `json:"executionSuccessful"`
		Start         string              `json:"startTimeUtc,omitempty"`
		Notifications []sarifNotification `json:"toolExecutionNotifications,omitempty"`
	}
	sarifNotification struct {
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifRule struct {
		ID            string         `json:"id"`
		Short         sarifText      `json:"shortDescription"`
		Full          sarifText      `json:"fullDescription"`
		Help          sarifText      `json:"help"`
		HelpURI       string         `json:"helpUri"`
		Configuration sarifLevel     `json:"defaultConfiguration"`
		Properties    sarifRuleBlurb `json:"properties"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	// sarifRuleBlurb is what code scanning sorts by.
	sarifRuleBlurb struct {
		Tags     []string `json:"tags"`
		Severity string   `json:"security-severity"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifText         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical sarifPhysical  `json:"physicalLocation"`
		Logical  []sarifLogical `json:"logicalLocations"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
	}
	sarifLogical struct {
		Name string `json:"fullyQualifiedName"`
		Kind string `json:"kind"`
	}
)

const (
	home = "https://github.com/vitrine-tls/vitrine"
	// fingerprint names how the prints are made, which stay the same from one scan to the next.
	fingerprint = "vitrineTargetAndFinding/v1"
)

// levels are SARIF's for our severities, and the numbers by which code scanning ranks.
var levels = map[string]struct{ level, rank string }{
	string(scan.Critical): {"error", "9.5"}, string(scan.High): {"error", "8.0"}, string(scan.Medium): {"warning", "5.5"},
	string(scan.Low): {"note", "3.0"}, string(scan.Info): {"note", "0.0"},
}

func writeSARIF(w io.Writer, s *Scans) error {
	run := sarifRun{Results: []sarifResult{}, Invocations: []sarifInvocation{{Successful: true}}}
	driver := &run.Tool.Driver
	*driver = sarifDriver{Name: "vitrine scan", Version: build.This().Version, InformationURI: home, Rules: []sarifRule{}}
	kinds, index := kindsByID(), map[string]int{}
	invocation := &run.Invocations[0]
	for i, r := range s.Reports {
		if began := stamp(r.Began); began != "" && (invocation.Start == "" || began < invocation.Start) {
			invocation.Start = began
		}
		at := []sarifLocation{locationOf(r)}
		for _, p := range s.problems(i) {
			if p.silence { // nothing was found; that is no result
				invocation.Notifications = append(invocation.Notifications, sarifNotification{"warning", plain(p.title + ": " + p.text + ". " + p.do), at})
				continue
			}
			n, known := index[p.id]
			if !known {
				n = len(driver.Rules)
				index[p.id] = n
				driver.Rules = append(driver.Rules, ruleOf(p, kinds[p.id]))
			}
			run.Results = append(run.Results, sarifResult{RuleID: p.id, RuleIndex: n, Level: levels[p.severity].level,
				Message: plain(strings.TrimSuffix(p.title+": "+p.text, ": ")), Locations: at, Fingerprints: map[string]string{fingerprint: printOf(p)}})
		}
	}
	return report.JSON(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}

// plain is a message in which what a server says makes no link. SARIF §3.11.6.
func plain(words string) sarifText { return sarifText{unlinked.Replace(words)} }

var unlinked = strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`)

// ruleOf says what a problem is, wherever it is found.
func ruleOf(p problem, k scan.FindingKind) sarifRule {
	r := sarifRule{ID: p.id, Short: sarifText{p.title}, Full: sarifText{p.title + ". " + p.gain}, HelpURI: home + "/blob/main/docs/scan.md#findings",
		Configuration: sarifLevel{levels[p.severity].level}, Properties: sarifRuleBlurb{[]string{"security", "tls"}, levels[p.severity].rank}}
	help := p.gain + " " + p.do
	if k.ID != "" {
		help = k.Gain + " " + k.Do + " Source: " + k.Source + "."
	}
	if k.CVE != "" {
		r.Properties.Tags = append(r.Properties.Tags, "external/cve/"+strings.ToLower(k.CVE))
	}
	r.Help = sarifText{help}
	return r
}

// printOf knows a problem again at a later scan: its evidence may differ by then, but for rules of
// a policy and changes, of which there may be several.
func printOf(p problem) string {
	parts := []string{p.report.Target, p.report.Name, p.id}
	if strings.HasPrefix(p.id, "policy-") || p.id == "worse-than-baseline" {
		parts = append(parts, p.text)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// locationOf is a target as a URI.
func locationOf(r *scan.Report) (at sarifLocation) {
	u := url.URL{Scheme: "tls", Host: r.Target}
	if path, ok := strings.CutPrefix(r.Target, "unix:"); ok {
		u = url.URL{Scheme: "unix", Path: path}
	}
	at.Physical.Artifact.URI = u.String()
	name := r.Target
	if r.Name != "" && r.Name != hostOf(r) {
		name += " as " + r.Name
	}
	at.Logical = []sarifLogical{{name, "resource"}}
	return at
}
