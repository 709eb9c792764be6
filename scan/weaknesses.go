package scan

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/vitrine-tls/vitrine/wire"
)

// A weakness is looked for by a probe of its own, which does no harm: at most it ends in
// an error of its own connection.
type weakness struct {
	id, name string
	// look reports what it has found, or why it cannot know.
	look func(x *audit, ctx context.Context) (found bool, unknown string)
}

// looked are all of them, in the order of the report.
var looked = []weakness{
	{"heartbleed", "Heartbleed", (*audit).heartbleed},
	{"ccs-injection", "CCS injection", (*audit).ccsInjection},
	{"ticketbleed", "Ticketbleed", (*audit).ticketbleed},
	{"robot", "ROBOT", (*audit).robot},
	{"poodle-tls", "POODLE in TLS", (*audit).poodle},
	{"zombie-poodle", "Zombie POODLE", (*audit).zombie},
	{"goldendoodle", "GOLDENDOODLE", (*audit).goldendoodle},
	{"early-data-replay", "Replay of early data", (*audit).earlyReplay},
	{"starttls-injection", "STARTTLS injection", (*audit).injection},
	{"alpaca", "ALPACA's precondition", (*audit).alpaca},
	{"weak-tickets", "Weak session tickets", (*audit).tickets},
	{"ticket-past-client-auth", "Tickets across virtual hosts", (*audit).acrossHosts},
}

// concluded are those that the configuration tells, by the finding that says so.
var concluded = []struct{ id, name, finding string }{
	{"drown", "DROWN", "ssl2"}, {"poodle-ssl", "POODLE in SSL 3.0", "ssl3"}, {"freak", "FREAK, export suites", "suites-export"},
	{"logjam", "Logjam, small DH", "dh-small"}, {"beast", "BEAST's precondition", "beast"}, {"crime", "CRIME", "compression"},
	{"breach", "BREACH's precondition", "breach"}, {"sweet32", "Sweet32", "suites-64bit"}, {"rc4", "RC4", "suites-rc4"},
	{"raccoon", "RACCOON's precondition", "dh-reused"}, {"sloth", "SLOTH", "signature-sha1"}, {"renegotiation", "Unsafe renegotiation", "reneg-insecure"},
	{"lucky13", "Lucky 13's precondition", "suites-cbc"}, {"null", "Suites without encryption", "suites-null"},
	{"anonymous", "Anonymous suites", "suites-anon"},
}

// weaknesses looks for each.
func (x *audit) weaknesses(ctx context.Context) {
	checks := make([]Check, len(looked))
	var wait sync.WaitGroup
	for i, w := range looked {
		wait.Go(func() {
			found, unknown := w.look(x, ctx)
			checks[i] = Check{ID: w.id, Name: w.name, Found: found, Unknown: unknown}
		})
	}
	wait.Wait()
	x.r.Weaknesses = checks
}

// conclude adds what the configuration tells.
func (x *audit) conclude() {
	for _, c := range concluded {
		found := false
		for _, f := range x.r.Findings {
			found = found || f.ID == c.finding
		}
		x.r.Weaknesses = append(x.r.Weaknesses, Check{ID: c.id, Name: c.name, Found: found})
	}
}

const (
	extHeartbeat     wire.ExtensionType = 15
	contentHeartbeat wire.ContentType   = 24
	// heartbeatClaim is how many bytes a heartbeat claims to bring; it brings none. A
	// server that believes it gives that many of its own away, so they are few.
	heartbeatClaim = 16
)

// heartbleed sends a heartbeat that claims more than it has. CVE-2014-0160, RFC 6520 §4.
func (x *audit) heartbleed(ctx context.Context) (bool, string) {
	v := x.best12()
	if v == 0 || v == wire.SSL30 {
		return false, ""
	}
	h := Offer(v, x.suites[v]...)
	h.Extra = []wire.Extension{{Type: extHeartbeat, Data: []byte{1}}}
	beat := []byte{byte(contentHeartbeat), byte(v >> 8), byte(v), 0, 3, 1, 0, heartbeatClaim}
	first := x.do(ctx, Probe{Name: "heartbeats", Hello: h})
	if first == nil || !first.Has(extHeartbeat) {
		return false, ""
	}
	a := x.do(ctx, Probe{Name: "a heartbeat that is too short", Hello: h, Until: Flight, Then: []Step{SendBytes(beat),
		Await{For: patience, Done: func(a *Answer) bool { return heartbeatOf(a) != nil }}}})
	if a == nil {
		return false, "the probe ended early"
	}
	answer := heartbeatOf(a)
	if len(answer) <= 3 {
		return false, ""
	}
	x.found("heartbleed", a, fmt.Sprintf("a heartbeat with 0 bytes that claims %d is answered with %s", heartbeatClaim, hexOf(answer)))
	return true, ""
}

// heartbeatOf is the content of a heartbeat's answer; nil for none.
func heartbeatOf(a *Answer) []byte {
	for _, r := range a.Records {
		if r.Type == contentHeartbeat && len(r.Content) > 0 && r.Content[0] == 2 {
			return r.Content
		}
	}
	return nil
}

// ccsInjection sends change_cipher_spec before there are keys, twice. A server that obeys
// the first takes the second for a protected record, which does not open. CVE-2014-0224.
func (x *audit) ccsInjection(ctx context.Context) (bool, string) {
	v := x.best12()
	if v == 0 {
		return false, ""
	}
	ccs := []byte{byte(wire.ContentChangeCipherSpec), byte(v >> 8), byte(v), 0, 1, 1}
	a := x.do(ctx, Probe{Name: "change_cipher_spec too early", Hello: Offer(v, x.suites[v]...), Until: Flight,
		Then: []Step{SendBytes(ccs), SendBytes(ccs), Await{For: patience, Done: func(a *Answer) bool { return len(a.Alerts) > 0 }}}})
	if a == nil || a.End != Reached {
		return false, "the probe ended early"
	}
	code, alerted := a.Alert()
	switch {
	case alerted && (code == wire.AlertBadRecordMAC || code == wire.AlertDecryptionFailed):
		x.found("ccs-injection", a, "to change_cipher_spec before the ClientKeyExchange, and another, it answers "+code.String()+": it had changed to keys of nothing")
		return true, ""
	case !alerted && a.After == TimedOut:
		return false, "the server does not answer"
	}
	return false, ""
}

// ticketbleed offers a ticket with a session ID of 16 bytes, which a server with the fault
// answers with 32. CVE-2016-9244.
func (x *audit) ticketbleed(ctx context.Context) (bool, string) {
	a := x.classic
	if a == nil {
		return false, ""
	}
	for _, s := range a.Sessions {
		if len(s.Ticket) == 0 {
			continue
		}
		offered := *s
		offered.ID = chance(16)
		h := Offer(a.Version, x.completable(a.Version)...)
		h.Resume = &offered
		b := x.do(ctx, Probe{Name: "a ticket with a short session ID", Hello: h})
		if b == nil || b.Server == nil {
			return false, "the probe ended early"
		}
		if got := b.Server.SessionID; len(got) > 16 && strings.HasPrefix(string(got), string(offered.ID)) {
			x.found("ticketbleed", b, fmt.Sprintf("a session ID of 16 bytes, %x, comes back with %x behind it", offered.ID, got[16:]))
			return true, ""
		}
		return false, ""
	}
	return false, ""
}
