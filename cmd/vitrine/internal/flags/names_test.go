package flags

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/tls"
)

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
