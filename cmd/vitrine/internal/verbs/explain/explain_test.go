package explain

import (
	"testing"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/trace"
)

// What does not agree is a finding: exit code 1.
func TestFindings(t *testing.T) {
	var c explain.Collector
	if err := findings(c.Connection(explain.About{})); report.ExitCode(err) != report.ExitOK {
		t.Errorf("nothing is a finding: %v", err)
	}
	c.Hooks().Secret(trace.Secret{Name: "early_secret", How: "HKDF-Extract", Hash: "SHA-256", Value: make([]byte, 32)})
	if err := findings(c.Connection(explain.About{})); report.ExitCode(err) != report.ExitFindings {
		t.Errorf("a wrong secret is no finding: %v", err)
	}
}
