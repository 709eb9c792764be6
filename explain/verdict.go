package explain

import (
	"slices"
	"strings"
	"time"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
)

// Verdict is what a verifier found out about the certificates of the traced side's peer:
// not only whether they are accepted, but why. A trace does not tell; About has it.
type Verdict struct {
	// ServerName is what the leaf had to be for; empty where no name was asked.
	ServerName string `json:"server_name,omitempty"`
	Accepted   bool   `json:"accepted"`
	// Sentence is what a person needs to know, and Advice what to change.
	Sentence string `json:"sentence"`
	Advice   string `json:"advice,omitempty"`
	// Rule is the first rule that was broken, and Source where it is written; empty where
	// no path was found.
	Rule   string `json:"rule,omitempty"`
	Source string `json:"source,omitempty"`
	// Profile is how strict the rules were.
	Profile string `json:"profile"`
	// DaysLeft is how long the path goes on being good; negative where it is over.
	DaysLeft int `json:"days_left"`
	// Certificates are the path taken, else the first that was tried, the leaf first and
	// the root last; where there was none, what was sent.
	Certificates []Certificate `json:"certificates"`
	// Paths are all that lead to a trusted root, in the order in which they were tried.
	Paths []Path `json:"paths"`
	// Rules are the answers of each rule about each certificate.
	Rules []RuleCheck `json:"rules"`
	// Answers are what is known of a revocation; empty where nobody was asked.
	Answers []Answer `json:"answers,omitempty"`
	// Warnings are what a stricter profile would refuse.
	Warnings []string `json:"warnings,omitempty"`
}

// Certificate is one certificate of a Verdict, in words.
type Certificate struct {
	// Role is "leaf", "authority", "root", or "also sent".
	Role    string `json:"role"`
	Subject string `json:"subject"`
	Issuer  string `json:"issuer"`
	// Names are the DNS names and addresses that it is for.
	Names []string `json:"names,omitempty"`
	Key   string   `json:"key"`
	// SignedWith is the algorithm of the signature.
	SignedWith string    `json:"signed_with"`
	NotBefore  time.Time `json:"not_before"`
	NotAfter   time.Time `json:"not_after"`
	// DaysLeft is negative for a certificate that has expired.
	DaysLeft int    `json:"days_left"`
	SHA256   string `json:"sha256"`
}

// Path is one way to a trusted root.
type Path struct {
	Subjects []string `json:"subjects"`
	Taken    bool     `json:"taken"`
	// Refused is why it was not good.
	Refused string `json:"refused,omitempty"`
}

// RuleCheck is what one rule says about one certificate.
type RuleCheck struct {
	Rule    string `json:"rule"`
	Demands string `json:"demands"`
	Source  string `json:"source"`
	// Profile is the first that refuses for it.
	Profile string `json:"profile"`
	// Certificate is its place in the path, 0 for the leaf.
	Certificate int  `json:"certificate"`
	Passed      bool `json:"passed"`
	// Refuses is set where it refuses under the profile of this verification.
	Refuses bool `json:"refuses"`
	// Breach is what is wrong, with the evidence, and Advice what to do about it.
	Breach string `json:"breach,omitempty"`
	Advice string `json:"advice,omitempty"`
}

// Answer is what is known of the revocation of one certificate.
type Answer struct {
	// Certificate is its place in the path, 0 for the leaf.
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

// Counts returns how many checks passed, and how many refuse. The others are warnings.
func (v *Verdict) Counts() (passed, failed int) {
	for _, c := range v.Rules {
		switch {
		case c.Passed:
			passed++
		case c.Refuses:
			failed++
		}
	}
	return passed, failed
}

// Stricter says in a line what stricter profiles would refuse: the rules, by profile.
// It is empty where that is nothing.
func (v *Verdict) Stricter() string {
	var profiles []string
	rules := map[string][]string{}
	for _, c := range v.Rules {
		if c.Passed || c.Refuses || slices.Contains(rules[c.Profile], c.Rule) {
			continue
		}
		if rules[c.Profile] == nil {
			profiles = append(profiles, c.Profile)
		}
		rules[c.Profile] = append(rules[c.Profile], c.Rule)
	}
	for i, p := range profiles {
		profiles[i] = p + " would refuse it for " + strings.Join(rules[p], ", ")
	}
	return strings.Join(profiles, "; ")
}

// DaysLeftWords says how long something is good, by its days left.
func DaysLeftWords(n int) string {
	switch {
	case n < -1:
		return "expired " + words.Count(-n-1, "day") + " ago"
	case n < 0:
		return "expired less than a day ago"
	case n == 0:
		return "good for less than a day"
	}
	return "good for " + words.Count(n, "day") + " more"
}
