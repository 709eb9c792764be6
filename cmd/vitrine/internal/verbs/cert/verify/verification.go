package verify

import (
	"fmt"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/certs"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
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
	Paths []Path `json:"paths"`
	// Checks are the answers of each rule about each certificate of Chain.
	Checks []Check `json:"rules"`
	// Answers are what is known of a revocation, for certificates of Chain; empty where
	// nobody was asked.
	Answers []Answer `json:"answers,omitempty"`
	// Warnings are what a stricter profile would refuse.
	Warnings []string `json:"warnings,omitempty"`
}

// Path is one way to a trusted root.
type Path struct {
	Subjects []string `json:"subjects"`
	Taken    bool     `json:"taken"`
	// Refused is why it was not good.
	Refused string `json:"refused,omitempty"`
}

// Check is what one rule says about one certificate.
type Check struct {
	Rule    string `json:"rule"`
	Demands string `json:"demands"`
	Source  string `json:"source"`
	// Profile is the first that refuses for it.
	Profile string `json:"profile"`
	// Certificate is its place in the chain, 0 for the leaf.
	Certificate int  `json:"certificate"`
	Passed      bool `json:"passed"`
	// Refuses is set where it refuses under the profile of this verification.
	Refuses bool `json:"refuses"`
	// Breach is what is wrong, Advice what to do about it.
	Breach string `json:"breach,omitempty"`
	Advice string `json:"advice,omitempty"`
}

// Answer is what is known of one certificate.
type Answer struct {
	Certificate int `json:"certificate"`
	// Status is good, revoked or unknown, and Text says it in words.
	Status string `json:"status"`
	Text   string `json:"text"`
	// By is what decided: "OCSP", "stapled OCSP", "CRL".
	By         string    `json:"by,omitempty"`
	URL        string    `json:"url,omitempty"`
	Reason     string    `json:"reason,omitempty"`
	RevokedAt  time.Time `json:"revoked_at,omitzero"`
	ThisUpdate time.Time `json:"this_update,omitzero"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	// Doubts are the sources that could not answer, and why.
	Doubts []string `json:"doubts,omitempty"`
}

func (v *Verification) refuse(e *certcheck.Error) *Verification {
	v.Accepted, v.Failure, v.Advice = false, e.Reason, e.Hint
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

// fill takes over what was found out.
func (v *Verification) fill(verdict *certcheck.Verdict, asked *certcheck.Options) {
	v.Accepted = verdict.Refused == nil
	for i, p := range verdict.Paths {
		path := Path{Taken: i == verdict.Taken}
		for _, c := range p.Certificates {
			path.Subjects = append(path.Subjects, c.Subject.String())
		}
		if p.Refused != nil {
			path.Refused = p.Refused.Reason
		}
		v.Paths = append(v.Paths, path)
	}
	if len(verdict.Paths) > 0 {
		v.follow(&verdict.Paths[max(0, verdict.Taken)], asked)
	}
	v.DaysLeft = daysLeft(v.Chain)
}

// follow takes over what was found on one path.
func (v *Verification) follow(p *certcheck.Path, asked *certcheck.Options) {
	v.Chain = nil
	for _, c := range p.Certificates {
		v.Chain = append(v.Chain, certs.Describe(c, asked.Time))
	}
	for _, c := range p.Checks {
		check := Check{
			Rule: c.Rule.Name, Demands: c.Rule.Demands, Source: c.Rule.Source, Profile: c.Rule.Profile.String(),
			Certificate: c.Certificate, Passed: c.Breach == "", Refuses: c.Breach != "" && c.Rule.Profile <= asked.Profile, Breach: c.Breach,
		}
		if !check.Passed {
			check.Advice = c.Rule.Hint
		}
		if !check.Passed && !check.Refuses {
			v.Warnings = append(v.Warnings, fmt.Sprintf("%s would refuse it: %s (%s)", check.Profile, check.Breach, check.Source))
		}
		v.Checks = append(v.Checks, check)
	}
	for i, a := range p.Revocation {
		if a.Status != revocation.Unknown || v.Mode != flags.Stapled || len(a.Doubts) > 0 { // else nobody was asked
			v.Answers = append(v.Answers, answer(i, a))
		}
	}
}

func answer(i int, a revocation.Answer) Answer {
	said := Answer{
		Certificate: i, Status: a.Status.String(), Text: a.String(), URL: a.URL, RevokedAt: a.RevokedAt,
		ThisUpdate: a.ThisUpdate, NextUpdate: a.NextUpdate,
	}
	if a.Source != revocation.Nowhere {
		said.By = a.Source.String()
	}
	if a.Status == revocation.Revoked {
		said.Reason = a.Reason.String()
	}
	for _, d := range a.Doubts {
		said.Doubts = append(said.Doubts, d.String())
	}
	return said
}
