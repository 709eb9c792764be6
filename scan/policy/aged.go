package policy

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/scan"
)

// slack is what a clock may be wrong by, and a server may round to.
const slack = time.Hour

// aged reports a finding that time has brought, and no change of the server: the certificate is
// that of before, with fewer days left, or HSTS counts down to a date.
func aged(before, after *scan.Report, id string) bool {
	switch id {
	case "expires":
		return len(before.Chains) > 0 && !slices.ContainsFunc(after.Chains, func(now scan.ChainReport) bool {
			return !slices.ContainsFunc(before.Chains, func(then scan.ChainReport) bool { return then.SHA256 == now.SHA256 })
		})
	case "hsts-short":
		return before.HTTP != nil && after.HTTP != nil && countsDown(before, after)
	}
	return false
}

// countsDown reports an HSTS that is shorter by the time between two scans, or a little more or
// less, as of a server that lets it end on a day.
func countsDown(before, after *scan.Report) bool {
	lost := time.Duration(min(maxAge(before.HTTP.HSTS)-maxAge(after.HTTP.HSTS), 1<<32)) * time.Second
	passed := after.Began.Sub(before.Began)
	return maxAge(after.HTTP.HSTS) > 0 && lost >= 0 && lost <= passed+slack
}

// numbers are what counts down in Alt-Svc, and what HSTS says beside its directives.
var numbers = regexp.MustCompile(`(?i)\b(ma|max-age)\s*=\s*"?\d+"?`)

// headers are changes of what a server says over HTTP to browsers that come back.
func headers(before, after *scan.Report) (all []string) {
	then, now := before.HTTP, after.HTTP
	if then == nil || now == nil {
		return nil
	}
	same := func(a, b string) bool { return numbers.ReplaceAllString(a, "$1") == numbers.ReplaceAllString(b, "$1") }
	if longer := maxAge(now.HSTS) > maxAge(then.HSTS); !same(then.HSTS, now.HSTS) || longer || !countsDown(before, after) && maxAge(then.HSTS) != maxAge(now.HSTS) {
		all = append(all, change("Strict-Transport-Security", then.HSTS, now.HSTS))
	}
	if !same(then.AltSvc, now.AltSvc) {
		all = append(all, change("Alt-Svc", then.AltSvc, now.AltSvc))
	}
	return all
}

func change(field, then, now string) string {
	switch {
	case then == "":
		return fmt.Sprintf("new: %s: %s", field, now)
	case now == "":
		return fmt.Sprintf("gone: %s: %s", field, then)
	}
	return fmt.Sprintf("%s: was %s, is %s", field, then, now)
}
