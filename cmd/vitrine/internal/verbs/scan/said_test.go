package scan

import (
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/scan"
)

// What a scan has looked at stands in its text, and not in the JSON alone: finite fields, extensions,
// timestamps of Certificate Transparency, what a certificate demands, and where HTTP leads.
func TestTheTextHasWhatWasLookedAt(t *testing.T) {
	r := seen("a.test:443")
	r.Extensions = []string{"renegotiation_info", "session_ticket"}
	r.DH = []scan.DHReport{{Bits: 2048, Known: "ffdhe2048", Prime: true, Safe: true}, {Bits: 1024, Prime: true, Safe: true, Reused: true}, {Bits: 512, Prime: true}, {Bits: 511}}
	r.Chains = []scan.ChainReport{{Subject: "CN=a.test", Trusted: true, SCTs: 2, MustStaple: true}, {Subject: "CN=b.test", Trusted: true, SCTs: 1}}
	r.HTTP = &scan.HTTPReport{Status: "301 Moved", Location: "https://a.test/", HSTS: "max-age=1", AltSvc: `h3=":443"`}
	got := strings.Join(strings.Fields(written(t, &Scans{Reports: []*scan.Report{r}})), " ")
	for _, want := range []string{"Extensions renegotiation_info, session_ticket", "DH of 2048 bits (ffdhe2048)", "DH of 1024 bits (its own, a safe prime, the same key again)",
		"DH of 512 bits (its own, no safe prime)", "DH of 511 bits (its own, no prime)", "good; 2 timestamps of Certificate Transparency; it demands a stapled OCSP response",
		"good; 1 timestamp of", `301 Moved, https://a.test/, max-age=1, h3=":443"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in %s", want, got)
		}
	}
}
