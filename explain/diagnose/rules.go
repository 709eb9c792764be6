package diagnose

import (
	"cmp"
	"slices"

	"github.com/vitrine-tls/vitrine/explain"
)

// A rule is one cause: when it is that, who is at fault, and what mends it.
type rule struct {
	id     string
	fault  Party
	source string // where the rule is written that was broken
	mend   string
	// settings to change, by their ids in package scan/fix.
	settings []string
	// settingsOf is the side on which they are made, where that is not the one at fault.
	settingsOf Party
	// last marks a rule of last resort, which counts only where nothing before it fits.
	last bool
	// about is what was negotiated, where the offers of both sides belong into the verdict.
	about string
	// match says how sure it is that this is the cause; nil for not at all.
	match func(*facts) *found
}

// found is what a rule says about one connection.
type found struct {
	sure     Confidence
	sentence string
	evidence []Evidence
	fault    Party    // in place of the row's
	mend     string   // in place of the row's
	others   []string // causes of other rows that it may be as well
}

// is makes a finding.
func is(sure Confidence, sentence string, evidence ...Evidence) *found {
	return &found{sure: sure, sentence: sentence, evidence: evidence}
}

// rules are asked in this order.
var rules = slices.Concat(beforeRules, networkRules, notTLSRules, agreementRules, clientCertificateRules, certificateRules, secretRules, endRules)

// Cause is a row of the table, for people.
type Cause struct {
	ID      string
	AtFault Party
	// Advice says what to change.
	Advice   string
	Settings []string
}

// Causes lists what can be told apart, in the order of the table.
func Causes() (all []Cause) {
	for _, r := range slices.Concat(rules, trialRules) {
		if !slices.ContainsFunc(all, func(c Cause) bool { return c.ID == r.id }) {
			all = append(all, Cause{r.id, r.fault, r.mend, slices.Clone(r.settings)})
		}
	}
	return all
}

// Advice is what to change for a cause; empty for an id that there is not.
func Advice(cause string) string {
	if r := causeOf(cause); r != nil {
		return r.mend
	}
	return ""
}

// causeOf is the row of an id; nil for none.
func causeOf(id string) *rule {
	for _, table := range [][]rule{rules, trialRules} {
		if i := slices.IndexFunc(table, func(r rule) bool { return r.id == id }); i >= 0 {
			return &table[i]
		}
	}
	return nil
}

// Account says why a connection failed, from its account alone; nothing is sent. c may be nil
// where there is none, for a connection that never came about.
func Account(c *explain.Connection, also Also) *Verdict { return gather(c, also).conclude() }

// conclude asks the rules.
func (f *facts) conclude() *Verdict { return f.by(rules) }

// by asks the rules of a table.
func (f *facts) by(rules []rule) *Verdict {
	var best *Verdict
	for i := range rules {
		if rules[i].last && best != nil {
			continue
		}
		found := rules[i].match(f)
		if found == nil {
			continue
		}
		v := rules[i].verdict(f, found)
		switch {
		case found.sure == Certain:
			return v
		case best == nil:
			best = v
		case !slices.Contains(best.Others, v.Cause) && v.Cause != best.Cause:
			best.Others = append(best.Others, v.Cause)
		}
	}
	switch {
	case best != nil:
		return best
	case f.c.Summary.Complete && f.alert == nil && (f.c.Failure == "" && f.also.Err == nil || f.closedFirst && f.cut()):
		return &Verdict{Cause: Nothing, Confidence: Certain, AtFault: Nobody, Sentence: "nothing is wrong: the handshake completed"}
	}
	return f.unknown()
}

// verdict puts a finding into its row's words.
func (r *rule) verdict(f *facts, found *found) *Verdict {
	v := &Verdict{Cause: r.id, Confidence: found.sure, AtFault: r.fault, Sentence: found.sentence, Source: r.source,
		Evidence: found.evidence, Others: found.others, Advice: r.mend, Settings: slices.Clone(r.settings), SettingsOf: r.settingsOf}
	if found.fault != "" {
		v.AtFault = found.fault
	}
	if found.mend != "" {
		v.Advice = found.mend
	}
	if r.about != "" {
		v.Offers = f.offers(r.about)
	}
	return v
}

// offers are what each side could do in one matter.
func (f *facts) offers(about string) []Offer {
	o := Offer{About: about, Client: f.hello.offers(about)}
	if h := f.handshake; h != nil && len(h.Ours) > 0 {
		o.Client, o.Server = h.Ours, h.Theirs
		if f.us.String() == "server" {
			o.Client, o.Server = h.Theirs, h.Ours
		}
	} else if c := f.choices[about]; c != nil && f.us.String() == "server" && len(c.Ours) > 0 {
		o.Server = slices.Clone(c.Ours)
	}
	for _, name := range o.Client {
		if slices.Contains(o.Server, name) {
			o.Common = append(o.Common, name)
		}
	}
	if len(o.Client)+len(o.Server) == 0 {
		return nil
	}
	return []Offer{o}
}

// unknown says what was seen, and what it would take to know more.
func (f *facts) unknown() *Verdict {
	v := &Verdict{Cause: Unknown, Confidence: CannotTell, AtFault: Somebody}
	switch {
	case f.alert != nil && f.alert.From == f.us.String():
		v.Sentence = "the " + f.us.String() + " ended the connection with the alert " + f.alert.Code + ", for a reason that no rule here knows"
		if f.alert.Reason != "" {
			v.Sentence = f.alert.Reason
		}
		v.Evidence = []Evidence{f.alertEvidence()}
	case f.alert != nil:
		v.Sentence = "the " + f.alert.From + " ended the connection with the alert " + f.alert.Code + ", and what was said before does not tell why"
		v.Evidence = []Evidence{f.alertEvidence()}
		v.Advice = "look into the log of the " + f.alert.From
	case f.end == endClosed:
		v.Sentence = "the " + f.peer().String() + " closed the connection, and does not say why"
		v.Advice = "look into the log of the " + f.peer().String() + "; check that the port is the right one"
	case f.end == endReset:
		v.Sentence = "somebody reset the connection: the " + f.peer().String() + ", or something on the way"
		v.Advice = "look into the log of the " + f.peer().String() + "; if it has nothing, look for a firewall or a filter between the two"
	case f.why != "":
		v.Sentence = cmp.Or(f.c.Failure, f.why)
	case !f.c.Summary.Complete:
		v.Sentence = "the handshake did not complete, and the account does not tell why"
	default:
		v.Sentence = "nothing that is known here is wrong"
	}
	return v
}
