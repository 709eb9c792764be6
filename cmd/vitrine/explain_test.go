package main

import (
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
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

// The names that are worked out are those of the table.
func TestOpenSSLNames(t *testing.T) {
	for _, s := range allSuites() {
		row := suite.ByID(wire.CipherSuite(s.ID))
		if row == nil {
			t.Errorf("%s is not implemented", s.Name)
		} else if got := opensslName(s.Name); got != row.OpenSSLName {
			t.Errorf("%s is %s for OpenSSL, not %s", s.Name, row.OpenSSLName, got)
		}
	}
}
