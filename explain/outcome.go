package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/explain/internal/words"
	"github.com/vitrine-tls/vitrine/wire"
)

// A Remark is a sentence of the outcome.
type Remark struct {
	Mood Mood
	Text string
}

// Outcome returns what a reader must know first: how the connection ended, what
// was agreed and proved, and what to beware of.
func (c *Connection) Outcome() (all []Remark) {
	add := func(mood Mood, when bool, format string, args ...any) {
		if when {
			all = append(all, Remark{mood, fmt.Sprintf(format, args...)})
		}
	}
	s := c.Summary
	first := &Handshake{}
	if len(c.Handshakes) > 0 {
		first = c.Handshakes[0]
	}
	add(Quiet, c.Before != "", "before: %s", c.Before)
	add(Bad, c.Failure != "", "%s", c.Failure)
	add(Advice, c.Failure != "" && c.Advice != "", "%s", c.Advice)
	add(Bad, c.Failure == "" && !s.Complete && !c.misses(ofHandshake) && !c.Captured, "the handshake did not complete")
	add(Good, s.Complete, "%s in %s, %.2f ms", s.howComplete(first), words.Count(s.RoundTrips, "round trip"), float64(s.HandshakeUS)/1000)
	add(Good, c.tookEarly(), "early data: the server took it before the handshake was complete; anyone on the path could have sent a copy")
	all = append(all, c.later()...)
	all = append(all, c.overheard()...)
	add(Good, c.Trust != "", "%s", c.Trust)
	add(Warning, c.Trust == "" && s.Complete && !c.Captured && c.Side == wire.Client.String() && first.ServerCertificate,
		"nothing shows that the server's certificate was verified")
	add(Plain, c.Sent != "", "%s", c.Sent)
	for _, w := range c.Warnings {
		add(Warning, true, "%s", w)
	}
	for _, d := range c.Dropped {
		add(Warning, true, "the budget ran out, so the account is incomplete from %.2f ms on; not kept: %s", float64(d.AtUS)/1000, d.Sentence())
	}
	all = append(all, c.Checks.Remarks()...)
	if n := c.withheld(); c.Redacted {
		add(Quiet, true, "redacted: secrets, application data, names and addresses are stand-ins, and what depends on them could not be checked")
	} else if n > 0 {
		add(Quiet, true, "the trace was saved without secrets: %s and what depends on them could not be checked", words.Count(n, "secret"))
	}
	var last *Handshake
	for _, hs := range c.Handshakes {
		add(Quiet, c.Failure == "" || hs.Complete, "%s", hs.Sentence(last))
		last = hs
	}
	return all
}

// tookEarly reports that the server has taken early data. RFC 8446 §8.
func (c *Connection) tookEarly() bool {
	return slices.ContainsFunc(c.Events, func(e Event) bool {
		return e.Choice != nil && e.Choice.What == "early data" && e.Choice.By == wire.Server.String() && e.Choice.Picked == "accepted"
	})
}

var resumedWords = map[string]string{"id": "session ID", "ticket": "ticket", "psk": "pre-shared key"}

// howComplete says what the first handshake was.
func (s *Summary) howComplete(first *Handshake) string {
	how := "full handshake"
	if s.Resumed != "" {
		how = "resumption by " + resumedWords[s.Resumed]
	}
	if first.ClientCertificate {
		how += " with a client certificate"
	}
	return how
}

// later is what came after the handshake, and what else was agreed.
func (c *Connection) later() (all []Remark) {
	s := c.Summary
	if s.Renegotiations > 0 {
		how := words.Count(s.Renegotiations, "renegotiation")
		if c.misses(ofHandshake) {
			how = "at least " + how
		}
		if s.ClientAuth && !s.LateClientAuth {
			how += ", in which the client showed a certificate"
		}
		all = append(all, Remark{Good, how})
	}
	if s.LateClientAuth {
		how := "the server asked for a client certificate after the handshake, and got it"
		if !s.ClientAuth {
			how = "the server asked for a client certificate after the handshake, and the client had none"
		}
		all = append(all, Remark{Good, how})
	}
	identity, compression := "", ""
	if s.PSKIdentity != "" {
		identity = "pre-shared key of " + strconv.Quote(s.PSKIdentity)
	}
	if s.Compression != "" {
		compression = "compressed with " + s.Compression
	}
	if also := words.Join(identity, compression, c.limitWords()); also != "" {
		all = append(all, Remark{Plain, also})
	}
	return all
}

// Remarks returns what came of all checks, in at most one sentence; none where
// nothing could be checked.
func (c Checks) Remarks() []Remark {
	switch {
	case c.Secrets+c.Keys+c.Records+c.Proofs+len(c.Failures) == 0:
		return nil
	case c.OK():
		return []Remark{{Good, c.Sentence()}}
	}
	return []Remark{{Bad, c.Sentence()}}
}

// Sentence sums the checks up for people.
func (c Checks) Sentence() string {
	var parts []string
	for _, part := range []struct {
		count       int
		thing, done string
	}{{c.Secrets, "secret", "re-derived"}, {c.Records, "record", "opened again"}, {c.Proofs, "proof", "verified"}} {
		if part.count > 0 {
			parts = append(parts, words.Count(part.count, part.thing)+" "+part.done)
		}
	}
	if len(parts) == 0 && c.Keys > 0 {
		parts = []string{words.Count(c.Keys, "key") + " re-derived"}
	}
	disagree := words.Count(len(c.Failures), "check") + " disagree"
	if len(c.Failures) == 1 {
		disagree += "s"
	}
	switch all := strings.Join(parts, ", "); {
	case c.OK():
		return all + ": all agree"
	case all == "":
		return "nothing agrees: " + disagree
	default:
		return all + ", but " + disagree
	}
}
