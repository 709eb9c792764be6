package main

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/trace"
)

// What does not agree is a finding: exit code 1.
func TestFindings(t *testing.T) {
	var c explain.Collector
	if err := findings(c.Connection(explain.About{})); exitCode(err) != exitOK {
		t.Errorf("nothing is a finding: %v", err)
	}
	c.Hooks().Secret(trace.Secret{Name: "early_secret", How: "HKDF-Extract", Hash: "SHA-256", Value: make([]byte, 32)})
	if err := findings(c.Connection(explain.About{})); exitCode(err) != exitFindings {
		t.Errorf("a wrong secret is no finding: %v", err)
	}
}

// A suite has two names.
func TestSuitesByBothNames(t *testing.T) {
	for _, s := range suite.All() {
		for _, name := range []string{s.Name, s.OpenSSLName, strings.ToLower(s.Name)} {
			if got, err := parseSuites([]string{name}, &tls.Config{}); name != "" && (err != nil || got[0] != s) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
