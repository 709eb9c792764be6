package certcheck

import (
	"cmp"
	"crypto/x509"
	"slices"

	"github.com/vitrine-tls/vitrine/wire"
)

// Rule is one thing that a path from a leaf to a trusted root must satisfy, on top of
// signatures that are right.
type Rule struct {
	// Name is short and does not change: "ca-flag".
	Name string
	// Demands says in words what the rule demands.
	Demands string
	// Source is where that is written: "RFC 5280 §4.2.1.9".
	Source string
	// Profile is the first that refuses a path for it. For those before, a breach is a
	// warning.
	Profile Profile
	// Alert is what the peer is told.
	Alert wire.AlertCode
	// Hint says what to do about a breach.
	Hint string

	on scope
	// whole: the rule looks at what stands above a certificate, or costs much, and so is
	// asked once a path has reached its root.
	whole bool
	// fixed: the answer depends on the certificate alone, wherever it stands, and costs
	// something. That it was kept is remembered with the signature.
	fixed bool
	check func(p *path, c *x509.Certificate) string
	// alone: the rule is asked of a leaf that leads to no root too, before that is said.
	alone bool
	// account, unless nil, gives a hint that knows more than Hint does ("" for none), and the
	// error of crypto/x509 for a breach.
	account func(p *path, c *x509.Certificate) (hint string, err error)
}

// scope is what a rule looks at. Its check is called once for each certificate of the
// path that is in the scope. It returns what is wrong, as a clause with the certificate
// in it, or "".
type scope uint8

const (
	onLeaf         scope = 1 << iota
	onIntermediate       // authorities between the leaf and the root
	onRoot               // a leaf that is itself trusted is a leaf
	onPath               // once, with the leaf

	onAuthority = onIntermediate | onRoot
	onIssued    = onLeaf | onIntermediate // all that came from the peer, or could have
	onEach      = onLeaf | onIntermediate | onRoot
)

// path is one way from the leaf to a trusted root, both included; or, while it is looked
// for, the part that is known.
type path struct {
	chain []*x509.Certificate
	o     *Options
	sent  []*x509.Certificate // what the peer sent
	// condition is what was put on the root; nil for nothing.
	condition func([]*x509.Certificate) error
	open      bool // the root is not there yet
	left      int  // comparisons of names with constraints that may be made yet
}

// rules are in the order in which they are asked: what is cheap and what people do
// wrong most often stands first.
var rules = slices.Concat(nameRules, timeRules, usageRules, constraintRules, strengthRules, authorityRules, formRules, extensionRules, identityRules, policyRules, pinRules)

// allRules and aloneRules point to them, and to those that are asked of a leaf alone.
var allRules, aloneRules = func() (all, alone []*Rule) {
	for i := range rules {
		all = append(all, &rules[i])
		if rules[i].alone {
			alone = append(alone, &rules[i])
		}
	}
	return all, alone
}()

// Rules returns what [Verify] asks of a path, in its order. Do not change what it
// points to.
func Rules() []Rule { return slices.Clone(rules) }

// Check is what one rule found about one certificate.
type Check struct {
	Rule *Rule
	// Certificate is what was looked at: its place in the path, 0 for the leaf.
	Certificate int
	// Breach says what is wrong, with the evidence; empty where the rule is kept.
	// Names in it are quoted and shortened.
	Breach string
}

// refusal asks those of some rules that refuse under the path's profile, and returns the
// first refusal.
func (p *path) refusal(rules []*Rule) *Error {
	for _, r := range rules {
		if r.Profile > p.o.Profile {
			continue
		}
		for _, c := range p.in(r.on) {
			if breach := r.check(p, c); breach != "" {
				return r.refusal(p, c, breach)
			}
		}
	}
	return nil
}

// examine asks every rule, and keeps every answer, and what the first refusal is.
func (p *path) examine() (checks []Check, refused *Error) {
	for i := range rules {
		r := &rules[i]
		for _, c := range p.in(r.on) {
			breach := r.check(p, c)
			checks = append(checks, Check{r, slices.Index(p.chain, c), breach})
			if breach != "" && refused == nil && r.Profile <= p.o.Profile {
				refused = r.refusal(p, c, breach)
			}
		}
	}
	return checks, refused
}

// refusal says that c, in a path, breaks the rule.
func (r *Rule) refusal(p *path, c *x509.Certificate, breach string) *Error {
	e := r.because(breach)
	if r.account == nil {
		return e
	}
	hint, err := r.account(p, c)
	if err != nil {
		e.Err = verification(p.sent, err)
	}
	e.Hint = cmp.Or(hint, e.Hint)
	return e
}

func (r *Rule) because(breach string) *Error {
	return &Error{Alert: r.Alert, Reason: breach, Hint: r.Hint, Rule: r}
}

// in returns the part of the path that a scope means.
func (p *path) in(s scope) []*x509.Certificate {
	from, to := 0, len(p.chain)
	switch {
	case s&onPath != 0:
		return p.chain[:1]
	case s&onLeaf == 0 && s&onIntermediate == 0:
		from = max(1, to-1)
	case s&onLeaf == 0:
		from = 1
	}
	switch {
	case s&onIntermediate == 0 && s&onRoot == 0:
		to = 1
	case s&onRoot == 0:
		to = max(1, to-1)
	}
	return p.chain[from:max(from, to)]
}
