package certcheck

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// Error is why certificates were refused.
type Error struct {
	// Alert is what to tell the peer.
	Alert wire.AlertCode
	// Reason says in words what is wrong. Names in it are quoted and shortened.
	Reason string
	// Hint says what to do about it; empty where we do not know.
	Hint string
	// Err is the error of crypto/x509 within crypto/tls's
	// CertificateVerificationError, or nil where the rule is our own.
	Err error
	// Rule is the rule that was broken, one of [Rules]; nil where crypto/x509 refused.
	Rule *Rule
}

// Error gives the reason, without the hint.
func (e *Error) Error() string { return "certificate refused: " + e.Reason }

func (e *Error) Unwrap() error { return e.Err }

// verification wraps an error of crypto/x509 as crypto/tls does.
func verification(chain []*x509.Certificate, err error) error {
	return &tls.CertificateVerificationError{UnverifiedCertificates: chain, Err: err}
}

// quote makes text from a peer safe to print, and short.
func quote(s string) string {
	const most = 120
	if len(s) > most {
		return strconv.Quote(s[:most]) + "..."
	}
	return strconv.Quote(s)
}

// subject names a certificate; one without a subject by the first name that it is for.
func subject(c *x509.Certificate) string {
	if len(c.Subject.Names) == 0 && len(c.DNSNames) > 0 {
		return quote(c.DNSNames[0])
	}
	return distinguished(c.Subject)
}

func issuer(c *x509.Certificate) string { return distinguished(c.Issuer) }

func distinguished(n pkix.Name) string {
	if n.CommonName != "" {
		return quote(n.CommonName)
	}
	return quote(n.String())
}

// namesOf lists what a certificate is for, at most eight of it.
func namesOf(c *x509.Certificate) string {
	const most = 8
	var names []string
	for _, n := range c.DNSNames {
		names = append(names, quote(n))
	}
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if more := len(names) - most; more > 0 {
		names = append(names[:most], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

func wrongName(c *x509.Certificate, host string) (reason, hint string) {
	names := namesOf(c)
	switch {
	case names != "":
		reason = fmt.Sprintf("the certificate is for %s; not for %s", names, quote(host))
		hint = "set ServerName to a name that the certificate has, or have it issued for this one"
	case c.Subject.CommonName != "":
		reason = fmt.Sprintf("the certificate has no subject alternative name, so it is not for %s; its common name %s no longer counts",
			quote(host), quote(c.Subject.CommonName))
		hint = "have it issued with the name as a subject alternative name (RFC 9525)"
	default:
		reason = fmt.Sprintf("the certificate is for no name at all; not for %s", quote(host))
		hint = "have it issued with the name as a subject alternative name"
	}
	if net.ParseIP(host) != nil && len(c.IPAddresses) == 0 && len(c.DNSNames) > 0 {
		hint = "connect by name instead of address; few certificates are for addresses"
	}
	return reason, hint
}

// wrongTime says how a certificate is out of its time; what names it.
func wrongTime(what string, c *x509.Certificate, now time.Time) (reason, hint string) {
	if now.Before(c.NotBefore) {
		return fmt.Sprintf("%s becomes valid only in %s (%s)", what, span(c.NotBefore.Sub(now)), c.NotBefore.UTC().Format(time.DateOnly)),
			"check this machine's clock; it says " + now.UTC().Format(time.DateTime) + " UTC"
	}
	return fmt.Sprintf("%s expired %s ago (%s)", what, span(now.Sub(c.NotAfter)), c.NotAfter.UTC().Format(time.DateOnly)),
		"renew it; or check this machine's clock, which says " + now.UTC().Format(time.DateTime) + " UTC"
}

// span is a duration in its largest whole unit: "3 days".
func span(d time.Duration) string {
	for _, u := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		switch n := int64(d / u.size); {
		case n == 1:
			return "1 " + u.name
		case n > 1:
			return fmt.Sprintf("%d %ss", n, u.name)
		}
	}
	return "less than a second"
}
