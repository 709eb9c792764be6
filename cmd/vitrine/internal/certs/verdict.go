package certs

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/certcheck/revocation"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Judge verifies what a server has shown as a client with config does, also where the
// client was told not to, and says what was found. It is nil for a server that has shown
// no certificate.
func (s *Shown) Judge(ctx context.Context, config *tls.Config) *explain.Verdict {
	if len(s.Chain) == 0 {
		return nil
	}
	asked := certcheck.Options{
		Roots: config.RootCAs, Name: config.ServerName, Profile: config.VerifyProfile, Revocation: config.Revocation,
		Time: time.Now(), Staples: s.Staples, MustStaple: true,
	}
	if config.Time != nil {
		asked.Time = config.Time()
	}
	if asked.Revocation == nil {
		asked.Revocation = &revocation.Checker{Mode: revocation.Soft}
	}
	for _, scheme := range config.SignatureSchemes {
		asked.Schemes = append(asked.Schemes, wire.SignatureScheme(scheme))
	}
	if config.Legacy.SHA224Signatures {
		asked.Schemes = append(asked.Schemes, wire.ECDSASHA224, wire.RSAPKCS1SHA224)
	}
	if config.Legacy.SmallRSA && !config.InsecureSkipVerify {
		asked.MinRSABits = certcheck.MinRSABits
	}
	sent, err := certcheck.Parse(s.Chain)
	if refused, ok := errors.AsType[*certcheck.Error](err); ok {
		v := &explain.Verdict{ServerName: asked.Name, Profile: asked.Profile.String(), Paths: []explain.Path{}, Rules: []explain.RuleCheck{}}
		for i, der := range s.Chain {
			v.Certificates = append(v.Certificates, inWords(Item{DER: der, Err: err}.described(asked.Time), role(i, len(s.Chain), false)))
		}
		return refuse(v, refused)
	}
	return Explained(certcheck.Judge(ctx, sent, asked), sent, asked)
}

// WhyNot is why certificates that nobody verified would have been refused, as --insecure
// leaves that out. v is nil where there were none.
func WhyNot(v *explain.Verdict) string {
	switch {
	case v == nil:
		return "the server sent no certificate"
	case v.Accepted:
		return "--insecure was given, though nothing is wrong with the certificate"
	}
	return v.Sentence
}

// described reads the certificate of an item where that can be done.
func (i Item) described(now time.Time) Certificate {
	i.Certificate, _ = x509.ParseCertificate(i.DER)
	return i.Describe(now)
}

// Explained says in words what Judge found about certificates that were sent.
func Explained(found *certcheck.Verdict, sent []*x509.Certificate, asked certcheck.Options) *explain.Verdict {
	v := &explain.Verdict{ServerName: asked.Name, Accepted: found.Refused == nil, Profile: asked.Profile.String(), Rules: []explain.RuleCheck{}, Paths: []explain.Path{}}
	for i, p := range found.Paths {
		path := explain.Path{Taken: i == found.Taken}
		for _, c := range p.Certificates {
			path.Subjects = append(path.Subjects, c.Subject.String())
		}
		if p.Refused != nil {
			path.Refused = p.Refused.Reason
		}
		v.Paths = append(v.Paths, path)
	}
	chain := sent
	if len(found.Paths) > 0 {
		p := &found.Paths[max(0, found.Taken)]
		chain = p.Certificates
		follow(v, p, asked)
	}
	for i, c := range chain {
		v.Certificates = append(v.Certificates, inWords(Describe(c, asked.Time), role(i, len(chain), len(found.Paths) > 0)))
	}
	if found.Refused != nil {
		return refuse(v, found.Refused)
	}
	v.DaysLeft = daysLeft(v.Certificates)
	v.Sentence = accepted(v)
	return v
}

// follow takes over what was found on one path.
func follow(v *explain.Verdict, p *certcheck.Path, asked certcheck.Options) {
	for _, c := range p.Checks {
		check := explain.RuleCheck{
			Rule: c.Rule.Name, Demands: c.Rule.Demands, Source: c.Rule.Source, Profile: c.Rule.Profile.String(),
			Certificate: c.Certificate, Passed: c.Breach == "", Refuses: c.Breach != "" && c.Rule.Profile <= asked.Profile, Breach: c.Breach,
		}
		if !check.Passed {
			check.Advice = c.Rule.Hint
		}
		if !check.Passed && !check.Refuses {
			v.Warnings = append(v.Warnings, fmt.Sprintf("%s would refuse it: %s (%s)", check.Profile, check.Breach, check.Source))
		}
		v.Rules = append(v.Rules, check)
	}
	asks := asked.Revocation != nil && asked.Revocation.Mode != revocation.Off && (asked.Revocation.Fetcher != nil || len(asked.Revocation.Lists) > 0)
	for i, a := range p.Revocation {
		if asks || a.Status != revocation.Unknown || len(a.Doubts) > 0 { // else nobody was asked
			v.Answers = append(v.Answers, answer(i, a))
		}
	}
}

func answer(i int, a revocation.Answer) explain.Answer {
	said := explain.Answer{
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

func refuse(v *explain.Verdict, e *certcheck.Error) *explain.Verdict {
	v.Accepted, v.Sentence, v.Advice = false, e.Reason, e.Hint
	if e.Rule != nil {
		v.Rule, v.Source = e.Rule.Name, e.Rule.Source
	}
	v.DaysLeft = daysLeft(v.Certificates)
	return v
}

// daysLeft is that of the certificate which ends first.
func daysLeft(chain []explain.Certificate) int {
	if len(chain) == 0 {
		return 0
	}
	return slices.MinFunc(chain, func(a, b explain.Certificate) int { return a.DaysLeft - b.DaysLeft }).DaysLeft
}

// accepted is the sentence on certificates that are good.
func accepted(v *explain.Verdict) string {
	said := "accepted"
	if v.ServerName != "" {
		said += fmt.Sprintf(" for %q", v.ServerName)
	}
	said += fmt.Sprintf(", trusted by %q, %s", Common(v.Certificates[len(v.Certificates)-1].Subject), explain.DaysLeftWords(v.DaysLeft))
	if len(v.Answers) > 0 {
		said += ", " + v.Answers[0].Text
	}
	return said
}

// role is the place of certificate i of n; those of a path end with its root.
func role(i, n int, path bool) string {
	switch {
	case i == 0:
		return "leaf"
	case path && i == n-1:
		return "root"
	case path:
		return "authority"
	}
	return "also sent"
}

func inWords(c Certificate, role string) explain.Certificate {
	return explain.Certificate{
		Role: role, Subject: c.Subject, Issuer: c.Issuer, Names: c.Names, Key: c.Key, SignedWith: c.SignedWith,
		NotBefore: c.NotBefore, NotAfter: c.NotAfter, DaysLeft: c.DaysLeft, SHA256: c.SHA256,
	}
}
