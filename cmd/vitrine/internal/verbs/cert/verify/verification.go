package verify

import (
	"crypto/x509"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
)

// Verification is what vitrine cert verify says.
type Verification struct {
	// Target is HOST:PORT or a file.
	Target string `json:"target"`
	// ServerName is what the certificate had to be for; empty where no name was asked.
	ServerName string `json:"server_name,omitempty"`
	Accepted   bool   `json:"accepted"`
	// Failure is why it was refused, Advice what to change, Rule the rule that was
	// broken, where it is one of vitrine's own, and Source where that is written.
	Failure string `json:"failure,omitempty"`
	Advice  string `json:"advice,omitempty"`
	Rule    string `json:"rule,omitempty"`
	Source  string `json:"source,omitempty"`
	// Profile is how strict the rules were, and At the moment verified for.
	Profile string    `json:"profile"`
	At      time.Time `json:"at"`
	// Mode is how it was asked whether a certificate is revoked: off, stapled, soft or hard.
	Mode string `json:"revocation_mode"`
	// DaysLeft is how long the path goes on being good; negative where it is over.
	DaysLeft int `json:"days_left"`
	// Chain is the path taken, else the first that was tried, the leaf first and the
	// root last; where there was none, what was sent.
	Chain []certs.Certificate `json:"chain"`
	// Paths are all that lead to a trusted root, in the order in which they were tried.
	Paths []explain.Path `json:"paths"`
	// Checks are the answers of each rule about each certificate of Chain.
	Checks []explain.RuleCheck `json:"rules"`
	// Answers are what is known of a revocation, for certificates of Chain; empty where
	// nobody was asked.
	Answers []explain.Answer `json:"answers,omitempty"`
	// Warnings are what a stricter profile would refuse.
	Warnings []string `json:"warnings,omitempty"`
}

func (v *Verification) refuse(e *certcheck.Error) *Verification {
	v.Accepted, v.Failure, v.Advice = false, e.Reason, report.HintOf(e.Hint)
	if e.Rule != nil {
		v.Rule, v.Source = e.Rule.Name, e.Rule.Source
	}
	v.DaysLeft = daysLeft(v.Chain)
	return v
}

// daysLeft is that of the certificate which ends first.
func daysLeft(chain []certs.Certificate) int {
	if len(chain) == 0 {
		return 0
	}
	return slices.MinFunc(chain, func(a, b certs.Certificate) int { return a.DaysLeft - b.DaysLeft }).DaysLeft
}

// fill takes over what was found out about certificates that were sent.
func (v *Verification) fill(verdict *certcheck.Verdict, sent []*x509.Certificate, asked certcheck.Options) {
	found := certs.Explained(verdict, sent, asked)
	v.Accepted, v.Paths, v.Checks, v.Answers, v.Warnings = found.Accepted, found.Paths, found.Rules, found.Answers, found.Warnings
	if len(verdict.Paths) > 0 {
		v.Chain = nil
		for _, c := range verdict.Paths[max(0, verdict.Taken)].Certificates {
			v.Chain = append(v.Chain, certs.Describe(c, asked.Time))
		}
	}
	v.DaysLeft = daysLeft(v.Chain)
}
