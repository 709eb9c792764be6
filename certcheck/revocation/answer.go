package revocation

import (
	"fmt"
	"time"
)

// Status is what is known of a certificate.
type Status uint8

const (
	Unknown Status = iota // no source could say
	Good
	Revoked
)

func (s Status) String() string { return [...]string{"unknown", "good", "revoked"}[min(s, Revoked)] }

// Source is where an answer came from.
type Source uint8

const (
	Nowhere  Source = iota
	Stapled         // an OCSP response that the peer sent
	OCSP            // an OCSP responder
	CRL             // a certificate revocation list
	DenyList        // a list of one's own
)

func (s Source) String() string {
	return [...]string{"nowhere", "stapled OCSP", "OCSP", "CRL", "deny list"}[min(s, DenyList)]
}

// Reason is why a certificate was revoked: a CRLReason. RFC 5280 §5.3.1.
type Reason uint8

const (
	Unspecified          Reason = 0
	KeyCompromise        Reason = 1
	CACompromise         Reason = 2
	AffiliationChanged   Reason = 3
	Superseded           Reason = 4
	CessationOfOperation Reason = 5
	CertificateHold      Reason = 6
	RemoveFromCRL        Reason = 8 // in a delta list: no longer revoked
	PrivilegeWithdrawn   Reason = 9
	AACompromise         Reason = 10
)

// reasons are the values that exist. RFC 5280 §5.3.1.
var reasons = map[Reason]string{
	Unspecified: "no reason given", KeyCompromise: "key compromise", CACompromise: "CA compromise",
	AffiliationChanged: "affiliation changed", Superseded: "superseded", CessationOfOperation: "cessation of operation",
	CertificateHold: "on hold", RemoveFromCRL: "removed from the list", PrivilegeWithdrawn: "privilege withdrawn", AACompromise: "AA compromise",
}

func (r Reason) String() string {
	if s, ok := reasons[r]; ok {
		return s
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Answer is what was learnt of one certificate.
type Answer struct {
	Status Status
	// Source says which one decided, and URL from where: an address or a file's
	// name; empty for a staple.
	Source Source
	URL    string
	// Reason and RevokedAt are those of a revoked certificate.
	Reason    Reason
	RevokedAt time.Time
	// ThisUpdate and NextUpdate are how long the source vouches for its answer.
	ThisUpdate, NextUpdate time.Time
	// Doubts are the sources that were asked and could not answer, in their order.
	Doubts []Doubt
}

// Doubt is why one source could not answer.
type Doubt struct {
	Source Source
	URL    string
	Err    error
}

func (d Doubt) String() string {
	if d.URL == "" {
		return fmt.Sprintf("%v: %v", d.Source, d.Err)
	}
	return fmt.Sprintf("%v from %s: %v", d.Source, d.URL, d.Err)
}

func (a Answer) String() string {
	switch a.Status {
	case Revoked:
		if a.Source == DenyList {
			return "refused by the deny list"
		}
		return fmt.Sprintf("revoked on %s: %v (%v)", a.RevokedAt.UTC().Format(time.DateOnly), a.Reason, a.Source)
	case Good:
		return fmt.Sprintf("not revoked (%v of %s)", a.Source, a.ThisUpdate.UTC().Format(time.DateOnly))
	}
	return "not known whether it is revoked"
}

// Mode is what becomes of answers.
type Mode uint8

const (
	// Off asks no source but the deny list.
	Off Mode = iota
	// Soft never accepts a certificate that is revoked, and accepts one of which
	// nobody could say.
	Soft
	// Hard accepts only what a source calls good.
	Hard
)

var modeNames = [...]string{"off", "soft", "hard"}

func (m Mode) String() string { return modeNames[min(m, Hard)] }

// ParseMode is the opposite of [Mode.String].
func ParseMode(s string) (Mode, bool) {
	for i, name := range modeNames {
		if name == s {
			return Mode(i), true
		}
	}
	return 0, false
}

// Refuses reports whether a certificate with this answer is to be refused.
func (a Answer) Refuses(m Mode) bool {
	return a.Status == Revoked || a.Status == Unknown && m == Hard
}
