package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/scan"
)

// A Change is what has changed between two scans.
type Change struct {
	// Worse is set for what was not there before and is a finding, or a certificate that
	// was good.
	Worse bool `json:"worse"`
	// Unknown is set for what was there before and was not found now, where the later scan
	// cannot tell that it is gone: it got no answer, or did not ask.
	Unknown bool `json:"unknown,omitempty"`
	// NotAsked is set beside Unknown where the later scan was not told to look, and for no other reason.
	NotAsked bool   `json:"not_asked,omitempty"`
	What     string `json:"what"`
}

// Compare says what has changed from an earlier scan of a server to a later one. Only what was
// asked for, and answered, is gone or mended.
func Compare(before, after *scan.Report) (all []Change) {
	add := func(c Change) { all = append(all, c) }
	if before.Failure != after.Failure {
		add(Change{Worse: after.Failure != "", What: "from " + failure(before) + " to " + failure(after)})
	}
	if after.Failure != "" {
		return all // nothing else is known
	}
	now, then := doubt(after, before), doubt(before, after)
	fresh, finding := "new: ", "new finding: "
	if then != "" {
		fresh, finding = "not known before: ", "not known before, a finding: "
	}
	gone := func(word, what, why string) {
		if why == "" {
			add(Change{What: word + what})
			return
		}
		add(Change{Unknown: true, NotAsked: why == notTold, What: "not known: " + what + "; it was there before, and " + why})
	}
	sets := func(is string, old, now []string, why string) {
		for _, x := range now {
			if !slices.Contains(old, x) {
				add(Change{What: fresh + is + x})
			}
		}
		for _, x := range old {
			if !slices.Contains(now, x) {
				gone("gone: ", is+x, why)
			}
		}
	}
	for _, f := range after.Findings {
		if !hasFinding(before, f.ID) && !aged(before, after, f.ID) {
			add(Change{Worse: true, What: finding + f.Title + " [" + f.ID + "]"})
		}
	}
	for _, f := range before.Findings {
		if !hasFinding(after, f.ID) {
			why := now
			if why == "" {
				why = unasked(before, after, f.ID)
			}
			gone("mended: ", f.Title+" ["+f.ID+"]", why)
		}
	}
	sets("", spoken(before), spoken(after), now)
	sets("group ", groups(before), groups(after), now)
	sets("protocol ", before.Protocols, after.Protocols, now)
	sets("certificate ", chains(before), chains(after), now)
	for _, h := range headers(before, after) {
		add(Change{What: h})
	}
	return all
}

// doubt says why a report may lack what another has; empty where it has all. Of a probe that
// neither scan got an answer to, the other knows nothing either.
func doubt(r, other *scan.Report) string {
	if r.Unanswered > 0 {
		return fmt.Sprintf("%d of %d connections got no answer", r.Unanswered, r.Connections)
	}
	for _, name := range r.NotAnswered {
		if !slices.Contains(other.NotAnswered, name) {
			return "no answer came to the probe " + name
		}
	}
	for _, v := range r.Versions {
		if !v.Offered && silent(v.Answer) && other.Offers(v.Version) {
			return "no answer came to a hello of " + v.Version
		}
	}
	return ""
}

// silent reports that what became of a hello is no answer.
func silent(answer string) bool {
	k := scan.Kind(answer)
	return k == scan.TimedOut || answer != "" && !k.Connected()
}

const notTold = "this scan was not told to look for it"

// unasked says why a later scan cannot tell that a finding of an earlier one is mended; empty
// where it can.
func unasked(before, after *scan.Report, id string) string {
	if slices.Contains(after.NotAsked, id) && !slices.Contains(before.NotAsked, id) {
		return notTold
	}
	for _, c := range after.Weaknesses {
		if c.Unknown != "" && (c.ID == id || strings.HasPrefix(id, "ticket-") && c.ID == checkOfTickets(id)) {
			return "this time " + c.Unknown
		}
	}
	return ""
}

// checkOfTickets is the check that makes a finding on tickets.
func checkOfTickets(id string) string {
	if id == "ticket-open" || id == "ticket-guess" {
		return "weak-tickets"
	}
	return "ticket-past-client-auth"
}

func failure(r *scan.Report) string {
	if r.Failure == "" {
		return "an answer"
	}
	return r.Failure
}

func hasFinding(r *scan.Report, id string) bool {
	return slices.ContainsFunc(r.Findings, func(f scan.Finding) bool { return f.ID == id })
}

// spoken are versions, and suites with their version.
func spoken(r *scan.Report) (all []string) {
	for _, v := range r.Versions {
		if v.Offered {
			all = append(all, v.Version)
		}
		for _, s := range v.Suites {
			all = append(all, v.Version+" "+s.Name)
		}
	}
	return all
}

func groups(r *scan.Report) (all []string) {
	for _, g := range r.Groups {
		all = append(all, g.Name)
	}
	return all
}

func chains(r *scan.Report) (all []string) {
	for _, c := range r.Chains {
		all = append(all, c.Subject+" until "+c.NotAfter.UTC().Format("2006-01-02"))
	}
	return all
}
