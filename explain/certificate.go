package explain

import (
	"crypto/x509"
	"strings"
)

// certificateDetails say what is in a certificate.
func certificateDetails(der []byte) []Detail {
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return []Detail{{"error", "it cannot be read: " + err.Error()}}
	}
	const day = "2006-01-02 15:04"
	out := []Detail{
		{"subject", orDash(cert.Subject.String())},
		{"issuer", orDash(cert.Issuer.String())},
		{"valid", cert.NotBefore.UTC().Format(day) + " to " + cert.NotAfter.UTC().Format(day) + " UTC"},
		{"key", keyName(cert)},
		{"signed", cert.SignatureAlgorithm.String()},
	}
	var names []string
	names = append(names, cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) > 0 {
		out = append(out, Detail{"names", strings.Join(names, ", ")})
	}
	if cert.IsCA {
		out = append(out, Detail{"authority", "it may sign other certificates"})
	}
	return out
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}
