package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/scan"
)

// A Difference is something that is not as the policy says.
type Difference struct {
	// Rule is the field of the policy: "suites".
	Rule string `json:"rule"`
	// Found is what the server has, and Allowed what it may have or must.
	Found   string `json:"found"`
	Allowed string `json:"allowed"`
}

func (d Difference) String() string { return d.Rule + ": " + d.Found + "; " + d.Allowed }

// checker gathers differences.
type checker struct {
	*Policy
	all []Difference
}

func (c *checker) add(rule, found, allowed string) {
	c.all = append(c.all, Difference{rule, found, allowed})
}

// Check returns what differs from the policy; nil for a server that keeps it.
func (p *Policy) Check(r *scan.Report) []Difference {
	c := &checker{Policy: p}
	c.versions(r)
	c.keys(r)
	c.certificates(r)
	c.http(r)
	for _, f := range r.Findings {
		if allowed(f.ID, p.Forbid) {
			c.add("forbid", f.Title, "it must not be")
		}
	}
	return c.all
}

func (c *checker) versions(r *scan.Report) {
	for _, v := range r.Versions {
		switch {
		case !v.Offered:
			continue
		case c.Versions != nil && !allowed(v.Version, c.Versions):
			c.add("versions", v.Version, "allowed are "+strings.Join(c.Versions, ", "))
		}
		if c.Order != "" && v.Order != "" && !strings.HasPrefix(v.Order, c.Order) {
			c.add("order", v.Version+": the order of the "+v.Order, "it shall be that of the "+c.Order)
		}
		for _, s := range v.Suites {
			if c.Suites != nil && !allowed(s.Name, c.Suites) {
				c.add("suites", v.Version+": "+s.Name, "it is not among those allowed")
			}
		}
	}
	for _, v := range c.Require {
		if !r.Offers(v) {
			c.add("require", "the server does not speak "+v, "it must")
		}
	}
}

func (c *checker) keys(r *scan.Report) {
	for _, g := range r.Groups {
		if c.Groups != nil && !allowed(g.Name, c.Groups) {
			c.add("groups", g.Name, "allowed are "+strings.Join(c.Groups, ", "))
		}
	}
	for _, s := range r.Schemes {
		if c.Schemes != nil && !allowed(s.Name, c.Schemes) {
			c.add("schemes", s.Name, "allowed are "+strings.Join(c.Schemes, ", "))
		}
	}
	for _, d := range r.DH {
		if d.Bits < c.MinDHBits {
			c.add("min_dh_bits", fmt.Sprintf("DHE of %d bits", d.Bits), fmt.Sprintf("at least %d", c.MinDHBits))
		}
	}
}

func (c *checker) certificates(r *scan.Report) {
	for _, chain := range r.Chains {
		bits := chain.KeyBits
		if c.CertificateKeys != nil && !allowed(chain.Key, c.CertificateKeys) {
			c.add("certificate_keys", chain.Subject+" has "+chain.Key, "allowed are "+strings.Join(c.CertificateKeys, "; "))
		}
		switch {
		case strings.HasPrefix(chain.Key, "RSA") && bits < c.MinRSABits:
			c.add("min_rsa_bits", fmt.Sprintf("%s has %d bits", chain.Subject, bits), fmt.Sprintf("at least %d", c.MinRSABits))
		case strings.HasPrefix(chain.Key, "ECDSA") && bits < c.MinECBits:
			c.add("min_ec_bits", fmt.Sprintf("%s has %d bits", chain.Subject, bits), fmt.Sprintf("at least %d", c.MinECBits))
		}
		if days := int(chain.NotAfter.Sub(chain.NotBefore) / (24 * time.Hour)); c.MaxValidityDays > 0 && days > c.MaxValidityDays {
			c.add("max_validity_days", fmt.Sprintf("%s is valid for %d days", chain.Subject, days), fmt.Sprintf("at most %d", c.MaxValidityDays))
		}
		if c.Trusted && !chain.Trusted {
			c.add("trusted", chain.Problem, "certificates must be good")
		}
	}
}

func (c *checker) http(r *scan.Report) {
	if c.HSTSSeconds == 0 || r.HTTP == nil {
		return
	}
	if age := maxAge(r.HTTP.HSTS); age < c.HSTSSeconds {
		c.add("hsts_seconds", fmt.Sprintf("max-age is %d", age), fmt.Sprintf("at least %d", c.HSTSSeconds))
	}
}

// maxAge reads a Strict-Transport-Security; 0 for none. RFC 6797 §6.1.1.
func maxAge(field string) int64 {
	for part := range strings.SplitSeq(field, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		if !strings.EqualFold(strings.TrimSpace(name), "max-age") {
			continue
		}
		if n, err := strconv.ParseInt(strings.Trim(strings.TrimSpace(value), `"`), 10, 64); err == nil {
			return n
		}
	}
	return 0
}
