package diagnose

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// MostTrials is how many further connections [Live] makes at most.
const MostTrials = 12

// DefaultPatience is how long a trial waits for an answer where a Way does not say.
const DefaultPatience = 3 * time.Second

// Way is how the server of a connection is reached again.
type Way struct {
	// Dial makes a connection that is ready for TLS: to one of Addresses, or for "" to where
	// the connection was made. It contacts nothing else.
	Dial func(ctx context.Context, address string) (net.Conn, error)
	// Addresses are all that the server's name leads to; one or none where there is no choice.
	Addresses []string
	// Config is the client's. Its Trace is not called for trials.
	Config *tls.Config
	// Name is what the server's certificate must be for; empty for Config.ServerName.
	Name string
	// Trials bounds how many connections are made: 0 for MostTrials, which is the most;
	// negative for none.
	Trials int
	// Patience is how long each waits; 0 for DefaultPatience.
	Patience time.Duration
	// Issuers fetches a certificate that the server did not send, from where the one below
	// says that it is; nil for not at all.
	Issuers certcheck.IssuerFetcher
	// Trying, unless nil, is called as each trial begins, with its number from 1 and what it
	// asks, by one goroutine.
	Trying func(number int, asks string)
	// HTTP is set where the server may be asked for a page, to learn what time it has.
	HTTP bool
}

// Live is [Account] for a client that can reach the server again. Where the account does not
// tell why, it makes further connections, at most 12, each with a hello that differs in one
// thing, and says what came of them (Verdict.Trials).
func Live(ctx context.Context, c *explain.Connection, also Also, way Way) *Verdict {
	f := gather(c, also)
	t := &trialist{facts: f, way: way, ctx: ctx, left: min(MostTrials, way.Trials)}
	if way.Trials == 0 {
		t.left = MostTrials
	}
	if way.Patience <= 0 {
		t.way.Patience = DefaultPatience
	}
	v := f.conclude()
	if f.us != wire.Client || f.c.Captured || way.Dial == nil || t.left <= 0 {
		return v
	}
	t.first = v
	found := t.investigate()
	if found == nil {
		found = v
	}
	t.learn(found)
	found.Trials = t.trials
	return found
}

// trialist makes trials.
type trialist struct {
	*facts
	way    Way
	ctx    context.Context
	left   int
	trials []Trial
	first  *Verdict // what the account tells
	// failed is how the server answers what fails, wide how it answered a hello with everything in it,
	// and versions how it answered a hello of one version.
	failed, wide answer
	versions     map[wire.Version]answer
}

// answer is what a trial brought.
type answer struct {
	agreed bool
	end    scan.Kind
	alert  wire.AlertCode
	text   string
	got    *scan.Answer
	number int
}

// like reports that two trials failed in the same way.
func (a answer) like(b answer) bool { return !a.agreed && a.end == b.end && a.alert == b.alert }

// spoke reports that the server itself answered: by TLS, not by what a network can do as well.
func (a answer) spoke() bool { return a.agreed || a.end == scan.Alerted }

// begin tells a watcher that a trial begins.
func (t *trialist) begin(asks string) {
	if t.way.Trying != nil {
		t.way.Trying(len(t.trials)+1, asks)
	}
}

// note keeps what came of a trial.
func (t *trialist) note(asks string, a *answer) {
	t.left--
	t.trials = append(t.trials, Trial{Number: len(t.trials) + 1, Asks: asks, Answer: a.text, Agreed: a.agreed})
	a.number = len(t.trials)
}

// may reports that n more trials may be made.
func (t *trialist) may(n int) bool { return t.left >= n && t.ctx.Err() == nil }

// try sends a hello to an address, in records of at most size bytes, and waits for the answer.
func (t *trialist) try(asks string, h *hello, address string, size int) answer {
	return t.probe(asks, scan.Probe{Raw: h.records(size)}, address)
}

// probe sends a hello to an address, and waits for the answer.
func (t *trialist) probe(asks string, what scan.Probe, address string) answer {
	return t.through(t.way.Dial, asks, what, address)
}

// through is probe by a way of its own.
func (t *trialist) through(dial func(context.Context, string) (net.Conn, error), asks string, what scan.Probe, address string) answer {
	t.begin(asks)
	what.Name = asks // by itself it ends with the ServerHello
	p := &scan.Prober{Timeout: t.way.Patience, Dial: func(ctx context.Context, _ scan.Target) (net.Conn, error) { return dial(ctx, address) }}
	got, err := p.Do(t.ctx, scan.Target{Address: "192.0.2.1:443", Name: t.name()}, what)
	a := answer{got: got}
	if err != nil {
		a.text = "it could not be made: " + err.Error()
	} else {
		a.read(got)
	}
	t.note(asks, &a)
	return a
}

// read says what an answer is.
func (a *answer) read(got *scan.Answer) {
	a.end = got.End
	switch code, alerted := got.Alert(); {
	case got.Server != nil:
		a.agreed, a.text = true, fmt.Sprintf("ServerHello with %v, %v", got.Version, got.Suite)
	case got.Retry != nil:
		a.agreed, a.text = true, fmt.Sprintf("HelloRetryRequest for %v", got.Group)
	case alerted:
		a.end, a.alert, a.text = scan.Alerted, code, "alert "+code.String()
	case got.End == scan.NotTLS:
		a.text = "no TLS: " + beginning(got.Begin)
	case got.End == scan.TimedOut:
		a.text = "nothing came in time"
	default:
		a.text = string(got.End)
	}
}

// evidence is that of a trial.
func (a answer) evidence(says string) Evidence {
	return Evidence{Says: says, Event: -1, Trial: a.number}
}

// concludes makes the verdict of a cause of trialRules, or of another table.
func (t *trialist) concludes(id string, sure Confidence, sentence string, evidence ...Evidence) *Verdict {
	return causeOf(id).verdict(t.facts, &found{sure: sure, sentence: sentence, evidence: evidence})
}

// investigate looks for what the account does not tell.
func (t *trialist) investigate() *Verdict {
	switch cause := t.first.Cause; {
	case cause == Nothing:
		return t.afterSuccess()
	case cause == "no-close-notify" && t.serverSaid: // the server took the client, and a trial would end the same
		return nil
	case cause == "port-closed", cause == "unreachable":
		return t.addresses(nil)
	case slices.Contains([]string{"expired", "not-yet-valid"}, cause):
		return t.clock()
	case slices.Contains([]string{"untrusted-root", "self-signed", "chain-incomplete", "intercepted"}, cause):
		return t.untrustedTrials()
	case t.hello != nil && !t.answered() && t.first.Confidence != Certain:
		return t.helloTrials()
	case t.hello != nil && t.answered() && t.first.Confidence != Certain && !t.refusedPeer() && !t.usesPSK() && !t.serverSaid:
		return t.connectionTrials()
	}
	return nil
}

// answered reports that the server took the hello.
func (t *trialist) answered() bool { return t.answer != nil || t.retry }

// name is that which the client should ask for; empty for an address.
func (t *trialist) name() string {
	name := t.way.Name
	if name == "" && t.way.Config != nil {
		name = t.way.Config.ServerName
	}
	if net.ParseIP(name) != nil {
		return ""
	}
	return name
}
