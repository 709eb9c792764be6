package flags

import "github.com/vitrine-tls/vitrine/tls"

// ClientAuthModes are the values of --client-auth.
var ClientAuthModes = map[string]tls.ClientAuthType{
	"none":    tls.NoClientCert,
	"request": tls.VerifyClientCertIfGiven,
	"require": tls.RequireAndVerifyClientCert,
}

// IsClientAuthMode reports that s is one of them.
func IsClientAuthMode(s string) bool { _, ok := ClientAuthModes[s]; return ok }
