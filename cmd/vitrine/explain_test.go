package main

import (
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

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
