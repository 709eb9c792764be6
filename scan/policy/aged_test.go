package policy

import (
	"slices"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/scan"
)

// What changes by itself is no change: days that a certificate has left, and seconds of HSTS and
// Alt-Svc. A new certificate, a shorter promise and another field are changes.
func TestWhatTimeBringsIsNoChange(t *testing.T) {
	const week = 7 * 24 * time.Hour
	findings := func(ids ...string) (all []scan.Finding) {
		for _, id := range ids {
			all = append(all, scan.Finding{ID: id, Title: id})
		}
		return all
	}
	for name, c := range map[string]struct {
		change func(before, after *scan.Report)
		want   []string
	}{
		"the same certificate comes to its end": {func(_, r *scan.Report) { r.Findings = findings("expires") }, nil},
		"a new certificate that ends soon": {func(_, r *scan.Report) { r.Findings, r.Chains[0].SHA256 = findings("expires"), "b" },
			[]string{"new finding: expires [expires]"}},
		"it has ended": {func(_, r *scan.Report) { r.Findings = findings("chain") }, []string{"new finding: chain [chain]"}},
		"HSTS counts down": {func(_, r *scan.Report) {
			r.HTTP.HSTS = "includeSubDomains; max-age=15551998"
			r.Findings = findings("hsts-short")
		}, nil},
		"HSTS is cut short": {func(_, r *scan.Report) {
			r.HTTP.HSTS = "includeSubDomains; max-age=3600"
			r.Findings = findings("hsts-short")
		},
			[]string{"new finding: hsts-short [hsts-short]", "Strict-Transport-Security: was includeSubDomains; max-age=16156800, is includeSubDomains; max-age=3600"}},
		"HSTS is longer": {func(_, r *scan.Report) { r.HTTP.HSTS = "includeSubDomains; max-age=16156801" },
			[]string{"Strict-Transport-Security: was includeSubDomains; max-age=16156800, is includeSubDomains; max-age=16156801"}},
		"a directive is gone": {func(_, r *scan.Report) { r.HTTP.HSTS = "max-age=16156800" },
			[]string{"Strict-Transport-Security: was includeSubDomains; max-age=16156800, is max-age=16156800"}},
		"HSTS is gone":        {func(_, r *scan.Report) { r.HTTP.HSTS = "" }, []string{"gone: Strict-Transport-Security: includeSubDomains; max-age=16156800"}},
		"Alt-Svc counts":      {func(_, r *scan.Report) { r.HTTP.AltSvc = `h3=":443"; ma=12` }, nil},
		"Alt-Svc is another":  {func(_, r *scan.Report) { r.HTTP.AltSvc = `h3=":444"; ma=86400` }, []string{`Alt-Svc: was h3=":443"; ma=86400, is h3=":444"; ma=86400`}},
		"HTTP did not answer": {func(_, r *scan.Report) { r.HTTP = nil }, nil},
	} {
		before, after := sound(), sound()
		for _, r := range []*scan.Report{before, after} {
			r.HTTP = &scan.HTTPReport{HSTS: "includeSubDomains; max-age=16156800", AltSvc: `h3=":443"; ma=86400`}
			r.Chains[0].SHA256 = "a"
			r.Chains[0].NotAfter = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
			r.Began = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		}
		after.Began = after.Began.Add(week)
		c.change(before, after)
		var got []string
		for _, x := range Compare(before, after) {
			got = append(got, x.What)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
