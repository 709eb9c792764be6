package scan

import (
	"io"

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
		Tool    sarifTool     `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		ShortDescription sarifText `json:"shortDescription"`
		Help             sarifText `json:"help"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		Level     string          `json:"level"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
		} `json:"physicalLocation"`
	}
)

// levels are SARIF's for our severities.
var levels = map[string]string{string(scan.Critical): "error", string(scan.High): "error", string(scan.Medium): "warning"}

func writeSARIF(w io.Writer, s *Scans) error {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "vitrine scan", InformationURI: "https://github.com/vitrine-tls/vitrine", Rules: []sarifRule{}}
	seen := map[string]bool{}
	for _, p := range s.problems() {
		if !seen[p.id] {
			seen[p.id] = true
			run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{p.id, sarifText{p.title}, sarifText{p.do}})
		}
		level := levels[p.severity]
		if level == "" {
			level = "note"
		}
		result := sarifResult{RuleID: p.id, Level: level, Message: sarifText{p.title + ": " + p.text}, Locations: make([]sarifLocation, 1)}
		result.Locations[0].Physical.Artifact.URI = "tls://" + p.target
		run.Results = append(run.Results, result)
	}
	return report.JSON(w, sarifLog{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run}})
}
