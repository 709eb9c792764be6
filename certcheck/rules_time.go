package certcheck

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// timeRules are about validity.
var timeRules = []Rule{
	{
		Name: "valid-now", Demands: "every certificate is valid at the moment that counts",
		Source: "RFC 5280 §6.1.3 (a) (2)", Alert: wire.AlertCertificateExpired, Hint: "renew it; or check this machine's clock",
		on:    onEach,
		alone: true,
		check: func(p *path, c *x509.Certificate) string {
			if !p.o.Time.Before(c.NotBefore) && !p.o.Time.After(c.NotAfter) {
				return ""
			}
			what := "the certificate"
			if c != p.chain[0] {
				what = "the authority " + subject(c)
			}
			reason, _ := wrongTime(what, c, p.o.Time)
			return reason
		},
		account: func(p *path, c *x509.Certificate) (string, error) {
			_, hint := wrongTime("", c, p.o.Time)
			return hint, x509.CertificateInvalidError{Cert: c, Reason: x509.Expired, Detail: outOfTime(c, p.o.Time)}
		},
	},
	{
		Name: "time-form", Demands: "times up to 2049 are a UTCTime, later ones a GeneralizedTime, with seconds and in UTC", Profile: RFC5280,
		Source: "RFC 5280 §4.1.2.5", Alert: wire.AlertBadCertificate, Hint: reissue, on: onEach, fixed: true,
		check: func(_ *path, c *x509.Certificate) string {
			s := scan(c)
			return broken(!timeForm(s.notBefore, c.NotBefore) || !timeForm(s.notAfter, c.NotAfter), "a time of %s is written in another form", c)
		},
	},
	{
		Name: "validity-limit", Demands: "the leaf is valid no longer than Options.MaxValidity says",
		Source: "a limit of your own", Alert: wire.AlertBadCertificate, Hint: "have it issued for a shorter time", on: onLeaf,
		check: func(p *path, c *x509.Certificate) string {
			limit := p.o.MaxValidity
			if limit == 0 || c.NotAfter.Before(c.NotBefore.Add(limit)) { // its last second counts
				return ""
			}
			return fmt.Sprintf("%s is valid from %s to %s, which is longer than %v", subject(c), c.NotBefore.UTC().Format(time.DateOnly), c.NotAfter.UTC().Format(time.DateOnly), limit)
		},
	},
	{
		Name: "validity-length", Demands: "a server's certificate is valid no longer than the baseline requirements of its day allow", Profile: WebPKI,
		Source: "CA/Browser Forum BR §6.3.2", Alert: wire.AlertBadCertificate, Hint: "have it issued for a shorter time", on: onLeaf,
		check: func(_ *path, c *x509.Certificate) string {
			days := longest(c.NotBefore)
			if !c.NotAfter.Before(c.NotBefore.AddDate(0, 0, days)) { // a Duration ends at 292 years
				lasts := (c.NotAfter.Unix() - c.NotBefore.Unix() + 1) / (24 * 60 * 60)
				return fmt.Sprintf("%s is valid for %d days, and %d are allowed", subject(c), lasts, days)
			}
			return ""
		},
	},
}

// outOfTime says how in the words of crypto/x509.
func outOfTime(c *x509.Certificate, now time.Time) string {
	if now.Before(c.NotBefore) {
		return "current time " + now.Format(time.RFC3339) + " is before " + c.NotBefore.Format(time.RFC3339)
	}
	return "current time " + now.Format(time.RFC3339) + " is after " + c.NotAfter.Format(time.RFC3339)
}

// validity are the most days for which a certificate may be issued from a day on. CA/Browser
// Forum BR §6.3.2, and ballot SC-081 for what comes.
var validity = []struct {
	from time.Time
	days int
}{
	{date(2029, 3, 15), 47}, {date(2027, 3, 15), 100}, {date(2026, 3, 15), 200}, {date(2020, 9, 1), 398}, {date(2018, 3, 1), 825}, {time.Time{}, 1185},
}

func date(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

func longest(issued time.Time) int {
	for _, v := range validity {
		if !issued.Before(v.from) {
			return v.days
		}
	}
	return 0
}

// timeForm reports whether der is the one way to write t.
func timeForm(der []byte, t time.Time) bool {
	layout, tag := "20060102150405Z", byte(0x18)
	if y := t.UTC().Year(); y >= 1950 && y < 2050 {
		layout, tag = "060102150405Z", 0x17
	}
	return len(der) > 2 && der[0] == tag && string(der[2:]) == t.UTC().Format(layout)
}
